select json_build_object(
  'some', json_build_object('nodes', (select json_agg(json_build_object('artistId', artist_id) order by artist_id) from artist where artist_id > 273), 'pageInfo', json_build_object('hasNextPage', false, 'hasPreviousPage', true)),
  'all', json_build_object('nodes', (select json_agg(json_build_object('artistId', artist_id) order by artist_id) from artist where artist_id > 270), 'pageInfo', json_build_object('hasNextPage', false, 'hasPreviousPage', true)))

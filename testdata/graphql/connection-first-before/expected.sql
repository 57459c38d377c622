select json_build_object(
  'some', json_build_object('nodes', (select json_agg(json_build_object('artistId', artist_id) order by artist_id) from artist where artist_id < 3), 'pageInfo', json_build_object('hasNextPage', true, 'hasPreviousPage', false)),
  'all', json_build_object('nodes', (select json_agg(json_build_object('artistId', artist_id) order by artist_id) from artist where artist_id < 6), 'pageInfo', json_build_object('hasNextPage', true, 'hasPreviousPage', false)))

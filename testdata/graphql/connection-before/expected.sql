select json_build_object('artistsConnection', json_build_object(
  'nodes', (select json_agg(json_build_object('artistId', artist_id) order by artist_id) from artist where artist_id between 97 and 99),
  'pageInfo', json_build_object('hasNextPage', true, 'hasPreviousPage', true)))

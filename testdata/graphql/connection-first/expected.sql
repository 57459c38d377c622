select json_build_object('artistsConnection', json_build_object('totalCount', 275,
  'nodes', (select json_agg(json_build_object('artistId', artist_id, 'name', name) order by artist_id) from artist where artist_id <= 3),
  'pageInfo', json_build_object('hasNextPage', true, 'hasPreviousPage', false)))

select json_build_object('artistsConnection', json_build_object(
  'nodes', (select json_agg(json_build_object('artistId', artist_id, 'name', name) order by artist_id) from artist a where (select count(*) from artist b where b.artist_id > a.artist_id) < 3),
  'pageInfo', json_build_object('hasNextPage', false, 'hasPreviousPage', true)))

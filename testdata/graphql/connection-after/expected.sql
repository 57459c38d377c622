select json_build_object('artistsConnection', json_build_object(
  'nodes', (select json_agg(json_build_object('artistId', artist_id) order by artist_id) from artist where artist_id in (101, 102, 103)),
  'pageInfo', json_build_object('hasNextPage', true, 'hasPreviousPage', true), 'totalCount', (select count(artist_id) from artist)))

select json_build_object('genresConnection', json_build_object('edges', (select json_agg(json_build_object('node', json_build_object('genreId', genre_id,
    'tracksConnection', json_build_object('nodes', json_build_array(json_build_object('name', (select t.name from track t where t.track_id = (select min(track_id) from track u where u.genre_id = g.genre_id))))),
    'name', name, 'id', genre_id)) order by genre_id) from genre g where genre_id <= 2),
  'pageInfo', json_build_object('hasNextPage', true, 'hasPreviousPage', false), 'totalCount', (select count(*) from genre)))

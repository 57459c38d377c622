with a as (select *, row_number() over (order by title, album_id) n from album where artist_id = 22),
t as (select k.album_id, k.name, g.name genre, row_number() over (partition by album_id order by track_id) first, row_number() over (partition by album_id order by milliseconds desc, track_id desc) longest from track k join genre g using (genre_id))
select json_build_object('albumsConnection', json_build_object(
  'nodes', (select json_agg(json_build_object('artist', json_build_object('name', 'Led Zeppelin'), 'tracks', (select json_agg(json_build_object('name', name) order by longest) from t where t.album_id = a.album_id and longest <= 2)) order by n) from a where n <= 2),
  'edges', (select json_agg(json_build_object('node', json_build_object('title', title, 'tracks', (select json_agg(json_build_object('name', name, 'genre', json_build_object('name', genre))) from t where t.album_id = a.album_id and first = 1))) order by n) from a where n <= 2)))

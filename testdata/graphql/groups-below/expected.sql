select json_build_object('artist', json_build_object('tracks', (select json_agg(json_build_object('tracksGroupBy', g) order by album_id) from
  (select album_id, json_agg(json_build_object('key', json_build_object('genreId', genre_id), 'count', c, 'max', json_build_object('name', m)) order by genre_id) g
    from (select album_id, genre_id, count(*) c, max(name) m from track where album_id in (select album_id from album where artist_id = 90 order by album_id limit 2) group by album_id, genre_id) t group by album_id) s),
  'albumsGroupBy', (select json_build_array(json_build_object('key', json_build_object('artistId', 90), 'count', count(*))) from album where artist_id = 90)))

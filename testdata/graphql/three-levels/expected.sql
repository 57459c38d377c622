select json_build_object('artists', (select json_agg(json_build_object('name', r.name, 'albums', (
  select json_agg(json_build_object('title', a.title, 'tracks', (
    select coalesce(json_agg(json_build_object('name', t.name) order by t.track_id), '[]') from (select * from track where album_id = a.album_id and milliseconds > 100000 order by track_id limit 2 offset 1) t
  )) order by a.title desc, a.album_id) from (select * from album where artist_id = r.artist_id order by title desc, album_id limit 2) a
)) order by r.name, r.artist_id) from (select * from artist where artist_id in (select artist_id from album) order by name, artist_id limit 3) r))

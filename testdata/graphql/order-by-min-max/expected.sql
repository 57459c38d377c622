with s as (select album_id, title, artist_id, max(milliseconds) m, min(name) f from album join track using (album_id) group by album_id, title, artist_id)
select json_build_object('albums', (select json_agg(json_build_object('title', title) order by n) from (select title, row_number() over (order by m desc, album_id desc) n from s where artist_id in (1, 22, 90)) t where n <= 5),
  'by', (select json_agg(json_build_object('title', title) order by n) from (select title, row_number() over (order by f, album_id) n from s where artist_id = 90) t where n <= 5))

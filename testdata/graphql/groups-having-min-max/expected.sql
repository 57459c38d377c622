select json_build_object('tracksGroupBy', json_agg(json_build_object('key', json_build_object('albumId', album_id), 'min', json_build_object('milliseconds', shortest), 'max', json_build_object('name', last)) order by album_id))
from (select album_id, (select milliseconds from track t where t.album_id = a.album_id order by milliseconds limit 1) shortest, (select name from track t where t.album_id = a.album_id order by name desc limit 1) as last from album a) s
where shortest >= 300000 and left(last, 1) = 'W'

select json_build_object('tracksGroupBy', json_agg(json_build_object('key', json_build_object('albumId', album_id), 'countDistinct', json_build_object('genreId', d), 'count', c) order by album_id))
from (select album_id, count(*) d, sum(n) c from (select album_id, genre_id, count(*) n from track group by album_id, genre_id) g group by album_id) s where d >= 2

select json_build_object('playlist', json_build_object('tracksGroupBy', json_agg(json_build_object('key', json_build_object('genreId', g), 'count', c, 'sum', json_build_object('unitPrice', (c * 0.99)::text)) order by c desc, g)))
from (select genre_id g, count(*) c from track where track_id in (select track_id from playlist_track where playlist_id = 5) group by genre_id) s where c > 10

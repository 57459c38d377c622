select json_build_object('tracksGroupBy', json_agg(json_build_object('key', json_build_object('genreId', genre_id), 'count', c) order by c desc, genre_id))
from (select genre_id, count(*) c, rank() over (order by count(*) desc, genre_id) r from track group by genre_id) s where r <= 5

select json_build_object('tracksGroupBy', json_agg(json_build_object('key', json_build_object('genreId', genre_id), 'avg', json_build_object('milliseconds', mean::text)) order by genre_id))
from (select genre_id, sum(milliseconds)::numeric / count(*) mean from track group by genre_id) s where mean > 500000

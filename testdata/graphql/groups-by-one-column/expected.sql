select json_build_object('tracksGroupBy', json_agg(json_build_object('key', json_build_object('genreId', g), 'count', (select count(*) from track where genre_id = g), 'sum', json_build_object('milliseconds', (select sum(milliseconds)::text from track where genre_id = g))) order by g))
from (select distinct genre_id g from track) s

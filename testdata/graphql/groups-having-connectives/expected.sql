select json_build_object('tracksGroupBy', json_agg(json_build_object('key', json_build_object('genreId', genre_id), 'count', c) order by genre_id))
from (select genre_id, count(*) c, bool_and(unit_price = 0.99) cheap, bool_or(milliseconds > 1000000) long from track group by genre_id) s where not long and (c > 500 or (c < 20 and cheap))

select json_build_object('genres', json_agg(json_build_object('name', name, 'tracksAggregate', json_build_object('count', c, 'sum', json_build_object('unitPrice', price::text), 'max', json_build_object('milliseconds', longest))) order by name, genre_id))
from genre join (select genre_id, count(*) c, sum(unit_price) price, max(milliseconds) longest from track group by genre_id) s using (genre_id)

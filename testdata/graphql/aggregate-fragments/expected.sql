with s as (select genre_id, count(*) c, max(milliseconds) m, sum(bytes)::text b, max(unit_price)::text p from track group by genre_id)
select json_build_object('a', (select json_build_object('count', c, 'max', json_build_object('milliseconds', m), 'sum', json_build_object('bytes', b)) from s where genre_id = 1),
  'b', (select json_build_object('count', c, 'max', json_build_object('milliseconds', m, 'unitPrice', p), 'sum', json_build_object('bytes', b)) from s where genre_id = 2))

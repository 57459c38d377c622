select json_build_object('tracksGroupBy', json_agg(json_build_object('key', json_build_object('unitPrice', p::text, 'mediaTypeId', m), 'count', (select count(*) from track where unit_price = p and media_type_id = m)) order by m, p))
from (select distinct unit_price p, media_type_id m from track) s

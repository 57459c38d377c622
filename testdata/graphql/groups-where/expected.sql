select json_build_object('invoiceLinesGroupBy', json_agg(json_build_object('key', json_build_object('unitPrice', p::text), 'count', c, 'sum', json_build_object('quantity', q::text)) order by p))
from (select l.unit_price p, count(*) c, sum(quantity) q from invoice_line l join track using (track_id) join genre g using (genre_id) join invoice using (invoice_id) join customer using (customer_id)
  where country = 'USA' and g.name in ('Drama', 'Comedy', 'Rock') group by l.unit_price) s

select json_build_object('invoicesGroupBy', json_agg(json_build_object('key', json_build_object('customerId', customer_id), 'sum', json_build_object('total', t::text)) order by n))
from (select customer_id, sum(total) t, row_number() over (order by sum(total) desc, customer_id desc) n from invoice group by customer_id) s where n <= 6

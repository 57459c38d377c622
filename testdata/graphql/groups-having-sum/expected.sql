select json_build_object('invoicesGroupBy', json_agg(json_build_object('key', json_build_object('billingCountry', c), 'sum', json_build_object('total', t::text)) order by c))
from (select billing_country c, sum(unit_price * quantity) t from invoice join invoice_line using (invoice_id) group by billing_country) s where t > 100.5 and t < 350

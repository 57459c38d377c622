select json_build_object('invoicesGroupBy', json_agg(json_build_object('key', json_build_object('billingCountry', b), 'count', c) order by n), 'none', '[]'::json, 'past', '[]'::json)
from (select billing_country b, count(*) c, row_number() over (order by count(*) desc, billing_country) n from invoice group by billing_country) s where n between 5 and 7

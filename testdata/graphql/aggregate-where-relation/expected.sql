select json_build_object('invoicesAggregate', json_build_object('count', count(distinct i.invoice_id), 'sum', json_build_object('total', sum(l.unit_price * l.quantity)::text)))
from invoice_line l join invoice i using (invoice_id) join customer c using (customer_id) join employee e on e.employee_id = c.support_rep_id where c.country = 'Canada' and e.last_name = 'Peacock'

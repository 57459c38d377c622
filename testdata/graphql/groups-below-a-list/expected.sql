with c as (select support_rep_id, country, count(*) n, row_number() over (partition by support_rep_id order by count(*) desc, country) r from customer group by support_rep_id, country having count(*) > 1)
select json_build_object('employees', json_agg(json_build_object('lastName', last_name, 'customersGroupBy', (select json_agg(json_build_object('key', json_build_object('country', country), 'count', n) order by r) from c where support_rep_id = employee_id and r <= 3)) order by employee_id))
from employee where title = 'Sales Support Agent'

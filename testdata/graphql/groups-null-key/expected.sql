select json_build_object('customersGroupBy', json_agg(json_build_object('key', json_build_object('state', state), 'count', (select count(*) from customer c where c.state is not distinct from s.state)) order by state is null, state))
from (select state from customer union select state from customer) s

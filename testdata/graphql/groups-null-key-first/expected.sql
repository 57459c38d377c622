with s as (select country, state, count(*) c from customer group by country, state), states as (select distinct state from customer)
select json_build_object(
  'first', (select json_agg(json_build_object('key', json_build_object('country', country, 'state', state), 'count', c) order by n) from (select *, row_number() over (order by state is not null, state, country) n from s) t where n <= 5),
  'desc', (select json_agg(json_build_object('key', json_build_object('state', state)) order by n) from (select *, row_number() over (order by state is not null, state desc) n from states) t where n <= 3),
  'last', (select json_agg(json_build_object('key', json_build_object('state', state)) order by n) from (select *, row_number() over (order by state is null, state desc) n from states) t where n <= 3))

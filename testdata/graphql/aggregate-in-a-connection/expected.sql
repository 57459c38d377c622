with numbered as (select last_name, count(*) c, sum(total) t, max(invoice_date) d, row_number() over (order by sum(total) desc, customer_id desc) n from customer join invoice using (customer_id) group by customer_id, last_name)
select json_build_object('customersConnection', json_build_object('nodes', json_agg(json_build_object('lastName', last_name, 'invoicesAggregate', json_build_object('count', c, 'sum', json_build_object('total', t::text),
  'max', json_build_object('invoiceDate', to_char(d, 'YYYY-MM-DD"T"HH24:MI:SS')))) order by n))) from numbered where n <= 3

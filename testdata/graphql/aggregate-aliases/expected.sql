select json_build_object('customer', json_build_object(
  'all', json_build_object('n', count(*), 'sum', json_build_object('total', sum(total)::text)),
  'small', json_build_object('count', count(*) filter (where total < 5), 's', json_build_object('a', (sum(total) filter (where total < 5))::text, 'b', (sum(total) filter (where total < 5))::text)),
  'none', json_build_object('count', 0, 'sum', json_build_object('total', null), 'again', json_build_object('invoiceId', null)))) from invoice where customer_id = 6

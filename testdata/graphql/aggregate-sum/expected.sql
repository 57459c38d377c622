select json_build_object(
  'tracksAggregate', json_build_object('sum', json_build_object('bytes', (select sum(bytes::numeric)::text from track), 'milliseconds', (select sum(milliseconds::numeric)::text from track),
    'unitPrice', (select (0.99 * count(*) filter (where unit_price = 0.99) + 1.99 * count(*) filter (where unit_price = 1.99))::text from track))),
  'invoiceLinesAggregate', json_build_object('sum', json_build_object('quantity', (select count(*)::text from invoice_line), 'unitPrice', (select sum(total)::text from invoice))))

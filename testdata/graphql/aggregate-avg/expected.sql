select json_build_object(
  'tracksAggregate', (select json_build_object('avg', json_build_object('milliseconds', (sum(milliseconds)::numeric / count(*))::text, 'unitPrice', (sum(unit_price) / count(*))::text, 'bytes', (sum(bytes)::numeric / count(bytes))::text)) from track),
  'invoicesAggregate', (select json_build_object('avg', json_build_object('total', (sum(total) / 412)::text)) from invoice))

select json_build_object('tracksAggregate', json_build_object(
  'min', json_build_object('milliseconds', (select milliseconds from track order by milliseconds limit 1), 'unitPrice', '0.99', 'bytes', (select bytes from track order by bytes nulls last limit 1)),
  'max', json_build_object('milliseconds', (select milliseconds from track order by milliseconds desc limit 1), 'unitPrice', '1.99', 'bytes', (select bytes from track order by bytes desc nulls last limit 1))))

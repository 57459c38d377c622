select json_build_object(
  'tracksAggregate', json_build_object('countDistinct', json_build_object('composer', (select count(*) from (select composer from track where composer is not null group by composer) s), 'genreId', 25, 'unitPrice', 2)),
  'customersAggregate', json_build_object('countDistinct', json_build_object('company', 10, 'country', (select count(*) from (select country from customer where country is not null group by country) s))))

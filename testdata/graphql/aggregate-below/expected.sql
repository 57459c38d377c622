select json_build_object('album', json_build_object('title', (select title from album where album_id = 141), 'tracksAggregate', json_build_object('count', count(*), 'sum', json_build_object('milliseconds', sum(milliseconds)::text),
  'avg', json_build_object('unitPrice', (sum(unit_price) / count(*))::text), 'min', json_build_object('name', (array_agg(name order by name))[1]), 'max', json_build_object('name', (array_agg(name order by name desc))[1]),
  'countDistinct', json_build_object('composer', count(distinct composer))))) from track where album_id = 141

-- Every built-in type at its edges. The parent makes each value be written by PostgreSQL's JSON functions, too.
create type mood as enum ('sad', 'glad');
create type point3 as (x float8, y numeric, label text);
create domain positive as int check (value > 0);

create table parent (id int primary key);
insert into parent values (1);
create table item (
  id int primary key,
  parent_id int not null references parent,
  small int2, whole int4, big int8, exact numeric, wide numeric(30,10), cash money, single float4, double float8,
  yes bool, words text, code char(5), bits bit(3), day date, clock time, zoned timetz, local timestamp, moment timestamptz, span interval,
  key uuid, raw bytea, plain json, binary_json jsonb, address inet, network cidr, card macaddr,
  feeling mood, place point3, age positive, numbers int8[], matrix int[][], texts text[], feelings mood[], places point3[], moments timestamptz[],
  during int4range, days daterange, several int4multirange, words_vector tsvector, shape point, addresses inet[], amounts money[], blobs bytea[]
);
insert into item values (1, 1,
  -32768, 2147483647, 9223372036854775807, 12345678901234567890123456789.123456789, 0.0000000001, -1234.56, 0.1, 1e308,
  true, E'a "quoted"\\ text\nwith\ttabs, \u0001 and ünïcode 🙂 </script>', 'ab', B'101', '0044-03-15 BC', '23:59:59.999999', '12:00:00+05:30',
  '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789+02', '1 year 2 mons -3 days 04:05:06.7',
  'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '\xdeadbeef00ff', '{"b": 1, "a": [1.50, null]}', '{"b": 1, "a": [1.50, null], "b": 2}',
  '192.168.0.1/24', '10.0.0.0/8', '08:00:2b:01:02:03', 'glad', (1.5, 2.50, 'x'), 7, '{1,NULL,-9223372036854775808}', '{{1,2},{3,4}}',
  E'{a,"b\\"c",NULL,"NULL"}', '{sad,NULL}', array[(1, 2, 'y')::point3, null], '{"2024-01-01 00:00:00+00",infinity}',
  '[1,5)', '(,2024-01-01)', '{[1,3),[7,9)}', 'a:1 fat:2 cat:3', '(1,2)', '{10.0.0.1,::/0}', '{1.5,NULL}', array['\x00ff'::bytea, null]);
insert into item values (2, 1,
  0, 0, 0, 'NaN', null, 0, 'NaN', '-Infinity', false, '', '', B'000', 'infinity', '00:00', '00:00-12', '-infinity', 'infinity', '0',
  '00000000-0000-0000-0000-000000000000', '', '"text"', 'null', '::1', '::/0', '00:00:00:00:00:00', 'sad', (null, null, null), 1,
  '{}', '{}', '{}', '{}', '{}', '{}', 'empty', 'empty', '{}', '', '(0,0)', '{}', '{}', '{}');
insert into item (id, parent_id) values (3, 1);

-- What may stand in a database and is hard on whoever reads it: every built-in type at its edges, and names that
-- are traps. hub is what all tables hang on, so that their rows can be read below a relation.
create table hub (id int primary key);
insert into hub values (1);

-- A column for each built-in type that a column can have. Types that only PostgreSQL itself can make values of, and
-- those that it gets in a later release, are added below.
create table every (
  id int primary key, hub_id int references hub,
  c_aclitem aclitem, c_bit bit(3), c_bool bool, c_box box, c_bpchar char(5), c_bytea bytea, c_char "char", c_cid cid, c_cidr cidr, c_circle circle,
  c_date date, c_datemultirange datemultirange, c_daterange daterange, c_float4 float4, c_float8 float8, c_inet inet, c_int2 int2,
  c_int2vector int2vector, c_int4 int4, c_int4multirange int4multirange, c_int4range int4range, c_int8 int8, c_int8multirange int8multirange,
  c_int8range int8range, c_interval interval, c_json json, c_jsonb jsonb, c_jsonpath jsonpath, c_line line, c_lseg lseg, c_macaddr macaddr,
  c_macaddr8 macaddr8, c_money money, c_name name, c_numeric numeric, c_nummultirange nummultirange, c_numrange numrange, c_oid oid,
  c_oidvector oidvector, c_path path, c_pg_lsn pg_lsn, c_pg_snapshot pg_snapshot, c_point point, c_polygon polygon, c_refcursor refcursor,
  c_regclass regclass, c_regcollation regcollation, c_regconfig regconfig, c_regdictionary regdictionary, c_regnamespace regnamespace,
  c_regoper regoper, c_regoperator regoperator, c_regproc regproc, c_regprocedure regprocedure, c_regrole regrole, c_regtype regtype,
  c_text text, c_tid tid, c_time time, c_timestamp timestamp, c_timestamptz timestamptz, c_timetz timetz, c_tsmultirange tsmultirange,
  c_tsquery tsquery, c_tsrange tsrange, c_tstzmultirange tstzmultirange, c_tstzrange tstzrange, c_tsvector tsvector,
  c_txid_snapshot txid_snapshot, c_uuid uuid, c_varbit varbit, c_varchar varchar(9), c_xid xid, c_xid8 xid8, c_xml xml
);
insert into every values (1, 1,
  'pg_monitor=r*w/pg_monitor', '101', true, '(1,2),(-3,-4)', 'ab', '\x00ff', 'a', '4294967295', '10.0.0.0/8', '<(1,2),3>',
  '4713-01-01 BC', '{[2024-01-01,2024-02-01),[2025-01-01,)}', '[2024-01-01,)', '3.4028235e38', '1.7976931348623157e308', '::ffff:1.2.3.4/100', 32767,
  '1 -2 3', 2147483647, '{[1,3),[7,9)}', '[1,10)', 9223372036854775807, '{[-9223372036854775808,0)}',
  '[-9223372036854775808,9223372036854775807)', '-178000000 years', '{"b": 1,  "a": [1.50, null], "b": 1e400}', '{"b": 1, "a": [1.50, null, {"": "\""}]}',
  '$."a"[*]?(@ > 1)', '{1,-2,3}', '[(1,2),(3,4)]', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '92233720368547758.07', repeat('n', 63)::name,
  ('1e1000'::numeric + 0.000000000001), '{[1.5,2.5),(3,4]}', '(1.50,)', 4294967295,
  '1 2', '((1,2),(3,4))', 'FFFFFFFF/FFFFFFFF', '10:20:10,14,15', '(1e300,-1e-300)', '((0,0),(1,1),(1,0))', 'c',
  'pg_class', '"C"', 'english', 'simple', 'pg_catalog', '|/', '+(integer,integer)', 'pg_typeof', 'lower(text)', 'pg_monitor', 'integer[]',
  E'a "quoted"\\ text\nwith\ttabs, \u0001, {v} %s $1, ünïcode 🙂 \u2028 </script>', '(4294967295,65535)', '24:00', '294276-12-31 23:59:59.999999',
  '4714-11-24 00:00:00+00 BC', '23:59:59.999999-15:59:59', '{[2024-01-01,2024-02-01)}', '''a'' & !(''b'':*A | ''c d'')', '["2024-01-01 12:00","2024-02-01 00:00")',
  '{["2024-01-01 12:00+02",)}', '["2024-01-01 12:00+02",infinity)', 'a:1A fat:2,4 ''it''''s'':3', '10:20:10', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
  '1010101', 'a%_\', '4294967295', '18446744073709551615', '<a b="c">&amp;é</a>');
insert into every values (2, 1,
  '=/pg_monitor', '000', false, '(0,0),(0,0)', '', '', '', '0', '::/0', '<(0,0),0>',
  'infinity', '{}', 'empty', 'NaN', '-Infinity', '0.0.0.0', -32768,
  '', -2147483648, '{}', 'empty', -9223372036854775808, '{(,)}',
  '(,)', '0', '"text"', 'null',
  '$', '{0,1,0}', '[(0,0),(0,0)]', '00:00:00:00:00:00', '00:00:00:00:00:00:00:00', '-92233720368547758.08', '',
  'NaN', '{}', 'empty', 0,
  '', '[(1,2)]', '0/0', '1:1:', '(NaN,Infinity)', '((0,0))', '',
  '-', '-', '-', '-', '-', '0', '0', '-', '-', '-', '-',
  '', '(0,1)', '00:00', '-infinity',
  'infinity', '00:00+15:59:59', '{}', '', '(,)',
  '{}', 'empty', '', '1:1:', '00000000-0000-0000-0000-000000000000',
  '', '', '0', '0', '');
insert into every values (3, 1);
do $$
declare t record;
begin
  for t in select typname from pg_type where typnamespace = 'pg_catalog'::regnamespace and typtype in ('b', 'r', 'm') and typname !~ '^_'
              and 'c_' || typname not in (select attname from pg_attribute where attrelid = 'every'::regclass)
  loop
    execute format('alter table every add %I %I', 'c_' || t.typname, t.typname);
  end loop;
end $$;

-- Arrays of each of them: with a null among the elements, empty, null, and beginning at 5.
create table lists (id int primary key, hub_id int references hub);
insert into lists values (1, 1), (2, 1), (3, 1), (4, 1);
do $$
declare c record;
begin
  for c in select a.attname, t.typarray::regtype as array_type from pg_attribute a join pg_type t on t.oid = a.atttypid
            where a.attrelid = 'every'::regclass and a.attname ~ '^c_' and t.typarray <> 0
  loop
    execute format('alter table lists add %I %s', c.attname, c.array_type);
    execute format($s$update lists l set %1$I = case l.id when 1 then array[a.%1$I, null, b.%1$I]::%2$s when 2 then '{}'::%2$s
                      when 4 then ('[5:6]=' || array[b.%1$I, a.%1$I]::%2$s::text)::%2$s end
                      from every a, every b where a.id = 1 and b.id = 2$s$, c.attname, c.array_type);
  end loop;
end $$;

-- What people make of types.
create domain span as int4range;
create domain grid as int[][];
create domain mark as text check (value <> 'no');
create type mood as enum ('sad', 'glad');
create domain temper as mood;
create type said as enum ('yes', 'null');
create type "strange enum" as enum ('', 'a"b', 'c''d', 'ü', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx');
do $$ begin execute (select 'create type many as enum (' || string_agg(quote_literal('label_' || i), ', ') || ')' from generate_series(1, 200) i); end $$;
create type "odd ""pair" as ("a""b" int, "select" text[], "r" mood, "__x" numeric, "ü" int);
create type outer_pair as (inner_pair "odd ""pair", pairs "odd ""pair"[], span span);
create type text_range as range (subtype = text, collation = "C");
create type empty_type as ();
create table made (
  id int primary key, hub_id int references hub, span span, spans span[], grid grid, grids grid[], cells int[][], cubes text[][][], raws bytea[][], sums money[][],
  mark mark, marks mark[], mood mood, moods mood[], temper temper, said said, saids said[], strange "strange enum", many many,
  pair "odd ""pair", pairs "odd ""pair"[], pair_grid "odd ""pair"[][], outer_pair outer_pair, texts text_range, texts_of text_range[], nothing empty_type, row_of every
);
insert into made values
  (1, 1, '[1,5)', '{"[1,5)",NULL,empty}', '{{1,2},{3,4}}', array['{{1,2},{3,4}}', '{}', null]::grid[], '[3:4][5:6]={{1,NULL},{3,4}}', '{{{a},{b}},{{NULL},{"c d"}}}',
   array[array['\x00ff'::bytea, null], array[''::bytea, '\x01'::bytea]], '{{1.50,2}}', 'm', '{m,NULL}', 'glad', '{sad,NULL}', 'sad', 'null', '{yes,"null"}', 'a"b', 'label_200',
   (1, '{a,NULL}', 'sad', 1.50, 2), array[(1, '{}', null, null, null)::"odd ""pair", null], array[array[(1, null, 'glad', 0.1, 3)::"odd ""pair", null]],
   ((1, '{a}', 'glad', 2, 3), array[(null, null, null, null, null)::"odd ""pair"], '[2,3)'), '["a ""b","z\\")', '{"[a,b)"}', row(), null),
  (2, 1, 'empty', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '', '{}', 'sad', '{}', 'glad', 'yes', '{}', '', 'label_1',
   (null, null, null, null, null), '{}', '{}', (null, null, null), 'empty', '{}', null, null);
insert into made values (3, 1);

-- Columns whose names mean something elsewhere: in SQL, in GraphQL, in the statements that we write.
create table traps (
  id int primary key, hub_id int references hub, count int, key int, node_id int, k1 int, n int, "true" int, "null" int, "__typename" int, "_and" int, cursor int,
  r int, v int, p int, t1 int, a1 int, l1 int, "select" int, "say ""hi""" int, "it's" int, "1st" int, "é" int, a_b int, "aB" int, "A_B" int, "%s" int, "$1" int, "{v}" int, "{o}" text,
  "?" int, "c0" int, limit_ int, "where" int, "group by" int, "\" int, " " int, type int, of_63_bytes_of_which_this_is_the_beginning_and_there_is_much_more int
);
insert into traps values (1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, '29', 30, 31, 32, 33, 34, 35, 36, 37, 38);

-- Tables whose names are those of types that we make, or are no names at all.
create table album (id int primary key, hub_id int references hub, mood mood, "trap" text_range);
create table "Album" (id int primary key, hub_id int references hub);
create table album_where (id int primary key);
create table album_to_many (id int primary key);
create table album_group_key (id int primary key);
create table int_filter (id int primary key);
create table string_filter (id int primary key);
create table string_list_filter (id int primary key);
create table presence (id int primary key);
create table label (id int primary key);
create table mood_filter (id int primary key);
create table int4range (id int primary key);
create table page_info (id int primary key);
create table order_direction (id int primary key);
create table vector_order_by (id int primary key);
create table node (id int primary key);
create table query (id int primary key);
create table "select" (id int primary key);
create table "a ""quoted"" one" (id int primary key, hub_id int references hub);
create table "日本" (id int primary key);
create table "1st" (id int primary key);
create table "__x" (id int primary key);
create table "?" (id int primary key);
create table of_63_bytes_of_which_this_is_the_beginning_and_there_is_much_mo (id int primary key, hub_id int references hub);
create type int_list_list_filter as (a int);
create type mood_list_filter as enum ('a');
create table last (id int primary key, hub_id int references hub, a int_list_list_filter, b mood_list_filter, c int[][], d mood[]);
insert into album values (1, 1, 'sad', '[a,b)');
insert into "Album" values (1, 1);
insert into "a ""quoted"" one" values (1, 1);
insert into of_63_bytes_of_which_this_is_the_beginning_and_there_is_much_mo values (1, 1);
insert into last values (1, 1, row(1), 'a', '{{1}}', '{sad}');

-- A column for each family of filters. Extensions live in a schema that is not on the search_path.
create schema extensions;
create extension ltree with schema extensions;
create extension citext with schema extensions;
create extension hstore with schema extensions;
create type size as enum ('small', 'medium', 'large');
create type odd_size as enum ('very small', 'null');
create type price_range as range (subtype = numeric);
create type name_range as range (subtype = text);
create type place as (x int, y int);

create table book (
  id int primary key,
  title text not null,
  code extensions.citext,
  tags text[],
  sizes size[],
  copies bytea[],
  seen timestamptz[],
  places place[],
  place place,
  details jsonb,
  notes json,
  body tsvector,
  size size,
  odd odd_size,
  lent daterange,
  price price_range,
  names name_range,
  shelves int4multirange,
  host inet,
  network cidr,
  topic extensions.ltree,
  traits extensions.hstore,
  flags bit varying,
  revision xid,
  place_in_log pg_lsn
);
insert into book values
  (1, 'Walking', 'AbC', '{red,green}', '{small,large}', array['\x00ff'::bytea, null], '{2024-01-01 00:00:00Z,infinity}', array[(1, 2)::place, null], (null, null),
   '{"author": {"name": "Ann Bee", "born": 1950}, "pages": 100, "langs": ["en", "de"], "gone": null}', '{"pages": 100, "z": 1, "a": 2}',
   to_tsvector('The quick brown fox'), 'small', 'very small', '[2024-01-01,2024-02-01)', '[1,10)', '[a,m)', '{[1,3),[7,9)}',
   '192.168.1.5', '192.168.1.0/24', 'Top.Science.Astronomy', 'a=>1', B'101', '5', '0/10'),
  (2, 'Running', 'abd', '{}', '{}', '{}', '{}', '{}', (1, null), '{"pages": 200, "author": {"name": "50%_off"}, "langs": []}', '{"pages": 200}',
   to_tsvector('A lazy dog sleeps'), 'large', 'null', 'empty', '[10,20]', 'empty', '{}', '10.0.0.1/8', '10.0.0.0/8', 'Top.Hobbies', '', B'1', '6', '1/0'),
  (3, 'Resting', null, '[0:1]={blue,NULL}', null, null, null, null, null, '[1, "pages", {"x": true}]', '[]', '', 'medium', null, '[2024-02-01,)', '(,1)', '[m,z)', '{[2,8)}',
   '::1', '::/0', 'Top', 'a=>NULL', B'', '7', '0/FF'),
  (4, 'Waiting', '', null, null, null, null, null, null, 'null', 'null', null, null, null, null, null, null, null, null, null, null, null, null, null, null),
  (5, 'Nothing', null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);
create index on book using gin (tags);
create index on book using gin (details);
create index on book using gin (body);
create index on book using gist (lent);
create index on book using gist (topic extensions.gist_ltree_ops);
create table reader (code extensions.citext primary key, name text);
insert into reader values ('ABC', 'Cy');
alter table book add foreign key (code) references reader not valid;

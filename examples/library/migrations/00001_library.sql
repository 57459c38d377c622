-- +goose Up
create table tb_author (
  pk_author bigint generated always as identity primary key,
  id        uuid not null unique default gen_random_uuid(),
  name      text not null
);

create table tb_book (
  pk_book   bigint generated always as identity primary key,
  id        uuid not null unique default gen_random_uuid(),
  fk_author bigint not null references tb_author,
  title     text not null,
  year      int check (year > 0),
  tags      text[] not null default '{}',
  published timestamptz,
  room      text not null default 'A',
  floor     int not null default 0
);
create index on tb_book (fk_author);

create view v_author as
select a.id, jsonb_build_object(
  'id', a.id, 'name', a.name,
  'book_count', (select count(*) from tb_book b where b.fk_author = a.pk_author)
) as data
from tb_author a;

create view v_book as
select b.id, jsonb_build_object(
  'id', b.id, 'title', b.title, 'year', b.year, 'tags', b.tags,
  'published', jsonb_build_object('at', b.published),
  'shelf', jsonb_build_object('room', b.room, 'floor', b.floor, 'status', case when b.floor < 3 then 'OPEN' else 'CLOSED' end),
  'author', v.data
) as data
from tb_book b
join tb_author a on a.pk_author = b.fk_author
join v_author v on v.id = a.id;

create type mutation_result as (status text, message text, entity_id uuid, entity jsonb, updated_fields text[], metadata jsonb);

-- +goose StatementBegin
create function fn_create_book(p_title text, p_author_id uuid, p_year int default null) returns mutation_result language plpgsql as $$
declare
  result mutation_result;
  author bigint;
begin
  select pk_author into author from tb_author where id = p_author_id;
  if author is null then
    result.status = 'failed:not_found';
    result.message = 'there is no such author';
    return result;
  end if;
  insert into tb_book (fk_author, title, year) values (author, p_title, p_year) returning id into result.entity_id;
  result.status = 'created';
  result.updated_fields = '{title,year}';
  select data into result.entity from v_book where id = result.entity_id;
  return result;
end $$;
-- +goose StatementEnd

insert into tb_author (id, name) values
  ('00000000-0000-4000-8000-000000000001', 'Ursula K. Le Guin'),
  ('00000000-0000-4000-8000-000000000002', 'Italo Calvino');
insert into tb_book (fk_author, title, year, tags, published, floor) values
  (1, 'The Dispossessed', 1974, '{utopia,anarchy}', '1974-05-01 00:00+00', 1),
  (1, 'The Lathe of Heaven', 1971, '{dreams}', '1971-03-01 00:00+00', 1),
  (2, 'Invisible Cities', 1972, '{cities}', '1972-11-01 00:00+00', 3);

-- +goose Down
drop function fn_create_book;
drop type mutation_result;
drop view v_book, v_author;
drop table tb_book, tb_author;

-- One of each thing that the catalog has to tell apart.
create type mood as enum ('sad', 'ok', 'glad');
create type address as (street text, zip int);
create domain email as text not null check (value like '%@%');
create type span as range (subtype = float8);

create table country (code char(2) primary key, name text not null unique);
comment on table country is 'A country.';
comment on column country.name is 'In English.';

create table person (
  tenant int,
  id int generated always as identity,
  email email,
  mood mood default 'ok',
  home address,
  nicknames text[],
  born span,
  country_code char(2) references country,
  boss_tenant int,
  boss_id int,
  shout text generated always as (upper(email::text)) stored,
  primary key (tenant, id),
  foreign key (boss_tenant, boss_id) references person
);
create unique index person_mail on person (email);
create unique index person_lower on person (lower(email::text));          -- an expression: no key
create unique index person_sad on person (country_code) where mood = 'sad'; -- a condition: no key
create unique index person_wide on person (country_code, tenant) include (mood);

create table reading (at timestamptz, value float8, primary key (at)) partition by range (at);
create table reading_2025 partition of reading for values from ('2025-01-01') to ('2026-01-01');
create table reading_rest partition of reading default;

create view people as select tenant, id, email from person;
create materialized view moods as select mood, count(*) as people from person group by mood;

create table secret (id int primary key, shown text, hidden text, secret_key int unique);
create table closed (id int primary key);
create function twice(n int) returns int language sql immutable as 'select 2 * n';
create function touch() returns trigger language plpgsql as 'begin return new; end';

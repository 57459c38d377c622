-- +goose Up
create table author (
    id bigint generated always as identity primary key,
    full_name text not null
);

create table book (
    id bigint generated always as identity primary key,
    title text not null,
    author_id bigint not null references author (id),
    published_on date
);
create index on book (author_id);

comment on table book is 'A book, shown as the type Book.';

-- +goose Down
drop table book;
drop table author;

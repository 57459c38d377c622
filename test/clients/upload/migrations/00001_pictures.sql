-- +goose Up
create table picture (
    id int generated always as identity primary key,
    name text not null,
    content bytea,
    thumbnails bytea[]
);
-- +goose Down
drop table picture;

create table author (id int primary key, full_name text not null);
create view sales_by_author as select id as author_id, 1 as total from author;
create schema closed;
revoke all on schema closed from public;
create schema shop;
create table shop.tale (id int primary key);
create table tale (id int primary key);

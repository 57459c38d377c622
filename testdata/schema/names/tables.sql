-- What the rules of naming have to decide.
create table tb_user (id int primary key, email text not null unique, manager_id int references tb_user);
create table post (
  id int primary key,
  author_id int not null references tb_user,
  fk_editor int references tb_user,
  reviewer int references tb_user             -- the column has the relation's name already
);
create table country (country_code char(2) primary key);
create table city (id int primary key, country_code char(2) references country);
create table profile (user_id int primary key references tb_user); -- one to one
create table series (id int primary key);                          -- plural and singular are one word
create table news_item (id int primary key, "Title" text, "select" text);
create table orders (tenant int, no int, primary key (tenant, no));
create table order_lines (tenant int, order_no int, line int, primary key (tenant, order_no, line), foreign key (tenant, order_no) references orders);
create table tag (id int primary key, label text unique);
create table post_tag (post_id int references post, tag_id int references tag, primary key (post_id, tag_id)); -- many to many
create table people (person_id int primary key, home_city_id int references city, work_city_id int references city);
create table "a""b" (id int primary key);
create table "Ünïcode" (id int primary key, "straße" text);
create table "1st" (id int primary key, "2nd" int);
create table "__meta" (id int primary key, "__type" text);
create table "query" (id int primary key);
create table no_key (a int, b int);
create view v_totals as select 1 as id, 2 as total;
comment on view v_totals is '@fraiseql {"name": "Total", "key": ["id"]}
What it comes to.';
create table hidden (id int primary key);
comment on table hidden is '@fraiseql {"omit": true}';
create type status as enum ('new', 'in_work', 'done');
-- Types that are made for customer, and a table that comes before another of its type name.
create table customer (id int primary key);
create table customer_group (id int primary key, customer_id int references customer);
create table customer_edge (id int primary key);
create table customer_group_key (id int primary key);
create table person (id int primary key);
create type odd as enum ('in work', 'done');
create table task (id int primary key, state status not null default 'new', other odd, done_at timestamptz[]);
-- Several ways from one table to the rows of another: a person's clubs by membership, and by being their treasurer;
-- a tag's items over two join tables; two keys of one name.
create table club (id int primary key, treasurer_id int references person);
create table membership (person_id int references person, club_id int references club, primary key (person_id, club_id));
create table item (id int primary key);
create table item_tag (item_id int references item, tag_id int references tag, primary key (item_id, tag_id));
create table item_label (item_id int references item, tag_id int references tag, primary key (item_id, tag_id));
create table delivery (id int primary key, tenant int, no int, back_no int, foreign key (tenant, no) references orders, foreign key (tenant, back_no) references orders);
-- Names of relations by hand: a key's two directions, one that is omitted, one that takes another's derived name, and
-- both ways across a join table.
create table writer (id int primary key);
create table essay (id int primary key, author_id int references writer, editor_id int references writer, checker_id int references writer);
comment on table essay is '@fraiseql {"references": [
  {"columns": ["author_id"], "table": "writer", "name": "editor", "reverse": "essays"},
  {"columns": ["checker_id"], "table": "public.writer", "omit": true},
  {"columns": ["id"], "table": "writer", "omit": true}]}';
create table essay_tag (essay_id int references essay, tag_id int references tag, primary key (essay_id, tag_id));
comment on table essay_tag is '@fraiseql {"references": [
  {"columns": ["tag_id"], "table": "tag", "across": "labels", "reverse": "uses"},
  {"columns": ["essay_id"], "table": "essay", "across": "texts", "name": "text"}]}';
-- Tables that come first by nothing but the letters of another's name with the schema before it; types of two schemas; a
-- key that is there twice; a relation back whose name is a column's; what is said twice of a key, its columns turned.
create schema other;
create type other.status as enum ('on');
create table aaa (id int primary key, status other.status);
create table app_user (id int primary key);
create table person_row (id int primary key);
create table persons (id int primary key);
create table tb_person (id int primary key);
create table hotel (id int primary key, "rooms" int, city text, unique (id, city));
create table room (id int primary key, hotel_id int references hotel, hotel_city text,
  foreign key (hotel_id) references hotel, foreign key (hotel_id, hotel_city) references hotel (id, city));
comment on table room is '@fraiseql {"references": [
  {"columns": ["hotel_id"], "table": "hotel", "name": "house"},
  {"columns": ["hotel_id"], "table": "hotel", "across": "nowhere", "name": "my house"},
  {"columns": ["hotel_city", "hotel_id"], "table": "hotel", "to": ["city", "id"], "omit": true},
  {"columns": ["hotel_city", "hotel_id"], "table": "hotel", "to": ["city", "id"], "name": "again"}]}';

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
create type odd as enum ('in work', 'done');
create table task (id int primary key, state status not null default 'new', other odd, done_at timestamptz[]);

-- +goose Up
create table _system.identity (
    one boolean primary key default true check (one),
    project uuid not null default gen_random_uuid(),
    system bigint not null,
    database oid not null,
    adopted_at timestamptz not null default now()
);
comment on table _system.identity is 'Which database this is: a restored dump or a clone finds another one here than it is, and nothing is done about its changes and jobs until a person has said so (fraiseql adopt).';
insert into _system.identity (system, database)
select s.system_identifier, d.oid from pg_control_system() s, pg_database d where d.datname = current_database();

-- +goose Down
drop table _system.identity;

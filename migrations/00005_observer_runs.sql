-- +goose Up
alter table _system.observers
    add column origin text not null default 'database' check (origin in ('file', 'database')),
    add column reason text,
    add column updated_at timestamptz not null default now();
comment on column _system.observers.origin is 'Whether the configuration file has it, or it was made through the API.';
comment on column _system.observers.reason is 'Why it was switched off, when the program did that.';

alter table _system.observer_logs
    add column event_id bigint,
    add column event_at timestamptz,
    add column part integer not null default 0,
    add column action integer not null default 0,
    add column type text not null default '',
    add column attempts integer not null default 1,
    add column duration_ms float8,
    add column response text;
create unique index observer_logs_delivery on _system.observer_logs (observer_id, event_id, part, action);
drop index _system.observer_logs_age;
create index observer_logs_age on _system.observer_logs using brin (executed_at);
comment on column _system.observer_logs.status is 'pending is tried again; success and failed are ends.';

-- +goose Down
drop index _system.observer_logs_delivery, _system.observer_logs_age;
create index observer_logs_age on _system.observer_logs (executed_at);
alter table _system.observer_logs
    drop column event_id, drop column event_at, drop column part, drop column action, drop column type, drop column attempts, drop column duration_ms, drop column response;
alter table _system.observers drop column origin, drop column reason, drop column updated_at;

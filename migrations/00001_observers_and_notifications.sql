-- +goose Up
create schema if not exists _system;
comment on schema _system is 'What fraiseql keeps: no role of the API has a right in it.';

create table _system.observers (
    id uuid primary key default gen_random_uuid(),
    entity text not null,
    event_type text not null,
    name text not null,
    enabled boolean not null default true,
    config jsonb not null,
    created_at timestamptz not null default now()
);
create unique index observers_name on _system.observers (name);
comment on table _system.observers is 'What happens after which change of data.';
comment on column _system.observers.event_type is 'INSERT, UPDATE, DELETE or CUSTOM; several are joined by commas.';

create table _system.observer_logs (
    id uuid primary key default gen_random_uuid(),
    observer_id uuid not null references _system.observers (id) on delete cascade,
    event_data jsonb not null,
    status text not null check (status in ('pending', 'success', 'failed')),
    error_message text,
    executed_at timestamptz not null default now()
);
create index observer_logs_observer on _system.observer_logs (observer_id, executed_at desc);
create index observer_logs_age on _system.observer_logs (executed_at);
comment on table _system.observer_logs is 'Each time that an observer ran.';

create table _system.notifications (
    id uuid primary key default gen_random_uuid(),
    user_id uuid,
    channel text not null,
    recipient text not null,
    subject text,
    template text not null,
    data jsonb not null default '{}',
    status text not null default 'pending',
    error_message text,
    created_at timestamptz not null default now(),
    sent_at timestamptz
);
create index idx_notifications_user on _system.notifications (user_id);
create index notifications_age on _system.notifications (created_at);
comment on table _system.notifications is 'Messages to people and what became of them.';
comment on column _system.notifications.template is 'Name of the template; empty when the text stands in data.';

create table _system.notification_queue (
    id uuid primary key default gen_random_uuid(),
    notification_id uuid not null references _system.notifications (id) on delete cascade,
    attempt integer not null default 0,
    next_retry timestamptz,
    created_at timestamptz not null default now()
);
create index idx_notification_queue_next_retry on _system.notification_queue (next_retry);
create unique index notification_queue_notification on _system.notification_queue (notification_id);
comment on table _system.notification_queue is 'When an open message is tried next: a row each, gone with its end.';

-- +goose Down
drop table _system.notification_queue;
drop table _system.notifications;
drop table _system.observer_logs;
drop table _system.observers;

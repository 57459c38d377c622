-- +goose Up
create table _system.idempotency_keys (
    scope bytea not null,
    key text not null,
    request bytea not null,
    answer bytea,
    created_at timestamptz not null default now(),
    primary key (scope, key)
);
create index idempotency_keys_age on _system.idempotency_keys (created_at);
comment on table _system.idempotency_keys is 'Mutations that were sent with an Idempotency-Key, and their answers: written in the transaction of each, kept for a day.';
comment on column _system.idempotency_keys.scope is 'SHA-256 of who asked: a key is known to nobody else.';
comment on column _system.idempotency_keys.request is 'SHA-256 of the request: another one by the same key is refused.';

-- +goose Down
drop table _system.idempotency_keys;

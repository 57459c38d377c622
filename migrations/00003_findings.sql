-- +goose Up
create table _system.findings (
    kind text not null,
    subject text not null,
    message text not null,
    fix text not null,
    rows bigint not null,
    schema text,
    relation text,
    columns text[],
    equal integer,
    seen bigint not null,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    primary key (kind, subject)
);
create index findings_age on _system.findings (last_seen);
comment on table _system.findings is 'What was seen to make requests slow, for doctor: without any value of a request, and for a week.';

-- +goose Down
drop table _system.findings;

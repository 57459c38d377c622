-- +goose Up
create table _system.job_kind (
    kind text primary key,
    queue text not null,
    max_attempts smallint not null,
    updated_at timestamptz not null default now()
);
comment on table _system.job_kind is 'What holds for jobs of a kind whose enqueuer says nothing else; servers keep it as their configuration says.';

create table _system.job_schedule (
    name text primary key,
    definition text not null,
    next_at timestamptz not null,
    last_at timestamptz,
    last_job text,
    runs bigint not null default 0,
    updated_at timestamptz not null default now()
);
comment on column _system.job_schedule.definition is 'What next_at was told from: when it changes, so does next_at.';
comment on column _system.job_schedule.last_at is 'The time that a job was last enqueued for.';

create table _system.job_limit (
    queue text primary key,
    tokens float8 not null,
    at timestamptz not null
) with (fillfactor = 50);
comment on table _system.job_limit is 'How many jobs of a queue with a rate_limit may begin at once, as of a time. Its row is locked by who takes jobs of a queue with bounds.';

create table _system.job_backend (
    one boolean primary key default true check (one),
    backend text not null check (backend in ('postgres', 'redis')),
    place text,
    since timestamptz not null default clock_timestamp()
);
comment on table _system.job_backend is 'Where the servers on this database keep jobs: all of them in the same place.';
comment on column _system.job_backend.place is 'The mark of the Redis that has them.';

create table _system.job_outbox (
    id uuid not null default encode(set_byte(overlay(uuid_send(gen_random_uuid()) placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
        6, get_byte(uuid_send(gen_random_uuid()), 6) & 15 | 112), 'hex')::uuid unique,
    place bigint generated always as identity primary key,
    kind text not null,
    args jsonb not null,
    queue text not null,
    priority smallint not null,
    max_attempts smallint not null,
    run_at timestamptz,
    unique_key text,
    unique_until text not null default 'finished',
    cause jsonb not null default '{}',
    created_at timestamptz not null default clock_timestamp(),
    constraint job_outbox_key unique (kind, unique_key)
);
comment on table _system.job_outbox is 'Jobs that transactions enqueued where jobs are kept in Redis: servers take them there, in order of place, and remove them when Redis has them.';
comment on column _system.job_outbox.id is 'The id of the job, a UUID of version 7: it is the same however often it is taken to Redis.';

-- +goose StatementBegin
create function _system.enqueue(kind text, args jsonb default '{}', opts jsonb default '{}') returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  defaults _system.job_kind; bad text; due timestamptz; mask bit(8); key text; cause jsonb; queue text; priority integer; attempts integer; id bigint; taken text;
begin
  if coalesce(kind, '') !~ '^[A-Za-z0-9_][A-Za-z0-9_.:-]{1,126}$' then
    raise exception 'enqueue: % is no kind of job', coalesce(quote_literal(kind), 'null')
      using errcode = '22023', hint = 'Use letters, digits, _, -, . and :, 2 to 127.';
  end if;
  if jsonb_typeof(args) is distinct from 'object' or jsonb_typeof(opts) is distinct from 'object' then
    raise exception 'enqueue: the arguments and options of a job must be objects' using errcode = '22023';
  end if;
  if pg_column_size(args) > 1048576 then
    raise exception 'enqueue: the arguments are larger than a megabyte' using errcode = '54000', hint = 'Store them in a table, and enqueue their key.';
  end if;
  select k into bad from jsonb_object_keys(opts) k
  where k not in ('queue', 'run_at', 'delay', 'priority', 'max_attempts', 'unique_key', 'unique_until') limit 1;
  if bad is not null then
    raise exception 'enqueue: there is no option %', quote_literal(bad)
      using errcode = '22023', hint = 'One of: queue, run_at, delay, priority, max_attempts, unique_key, unique_until.';
  end if;
  select * into defaults from _system.job_kind k where k.kind = enqueue.kind;
  queue := coalesce(opts ->> 'queue', defaults.queue, 'default');
  if not coalesce(opts ->> 'priority' ~ '^\d{1,9}$', true) or not coalesce(opts ->> 'max_attempts' ~ '^\d{1,9}$', true) then
    raise exception 'enqueue: priority and max_attempts are whole numbers, not % and %', coalesce(opts ->> 'priority', '2'), coalesce(opts ->> 'max_attempts', '10') using errcode = '22023';
  end if;
  priority := coalesce((opts ->> 'priority')::integer, 2);
  attempts := coalesce((opts ->> 'max_attempts')::integer, defaults.max_attempts, 10);
  due := clock_timestamp();
  if opts ? 'run_at' or opts ? 'delay' then
    begin
      due := coalesce((opts ->> 'run_at')::timestamptz, due) + coalesce((opts ->> 'delay')::interval, '0');
    exception when others then
      raise exception 'enqueue: run_at % is no time, or delay % no interval: %', coalesce(quote_literal(opts ->> 'run_at'), 'null'), coalesce(quote_literal(opts ->> 'delay'), 'null'), sqlerrm
        using errcode = '22023', hint = 'Such as {"run_at": "2026-07-01T12:00:00Z"} or {"delay": "1 hour"}.';
    end;
  end if;
  if due not between '0001-01-01 00:00:00+00' and '9999-12-31 00:00:00+00' then
    raise exception 'enqueue: run_at and delay lead to %, which is no time of the years 1 to 9999', due using errcode = '22023';
  end if;
  key := opts ->> 'unique_key';
  if queue !~ '^[a-z0-9]+([_-]?[a-z0-9]+)*$' or length(queue) > 63 or priority not between 1 and 4 or attempts not between 1 and 1000 or length(key) not between 1 and 512 then
    raise exception 'enqueue: a queue is called by small letters and digits, with _ and - between them, at most 63; priority is 1 to 4, max_attempts 1 to 1000, and a unique_key has 1 to 512 characters'
      using errcode = '22023';
  end if;
  case coalesce(opts ->> 'unique_until', 'finished')
    when 'finished' then mask := b'11110001';
    when 'forgotten' then mask := b'11111111';
    else raise exception 'enqueue: unique_until is finished or forgotten' using errcode = '22023';
  end case;
  cause := jsonb_strip_nulls(jsonb_build_object('xid', pg_current_xact_id()::text,
    'request', nullif(split_part(current_setting('fraiseql.request', true), ' ', 1), ''),
    'trace', nullif(split_part(current_setting('fraiseql.request', true), ' ', 2), ''),
    'by', nullif(split_part(current_setting('fraiseql.request', true), ' ', 3), ''), 'login', session_user));
  if exists (select from _system.job_backend where backend = 'redis') then
    insert into _system.job_outbox as o (kind, args, queue, priority, max_attempts, run_at, unique_key, unique_until, cause)
    values (enqueue.kind, args, queue, priority, attempts, case when due > clock_timestamp() then due end, key, coalesce(opts ->> 'unique_until', 'finished'), cause)
    on conflict on constraint job_outbox_key do update set kind = excluded.kind
    returning o.id::text into taken;
    return taken;
  end if;
  if key is not null then -- without a lock on who has it: that may be at work
    select j.id into id from _system.river_job j
    where j.unique_key = sha256(convert_to(enqueue.kind || ' ' || (opts ->> 'unique_key'), 'UTF8')) and j.unique_states is not null and _system.river_job_state_in_bitmask(j.unique_states, j.state);
    if id is not null then
      return id::text;
    end if;
  end if;
  insert into _system.river_job as j (kind, args, queue, priority, max_attempts, scheduled_at, state, metadata, unique_key, unique_states)
  values (enqueue.kind, args, queue, priority, attempts, due,
    case when due > clock_timestamp() + interval '10 seconds' then 'scheduled' else 'available' end::_system.river_job_state,
    jsonb_strip_nulls(jsonb_build_object('unique_key', key, 'cause', cause)),
    case when key is not null then sha256(convert_to(enqueue.kind || ' ' || key, 'UTF8')) end, case when key is not null then mask end)
  on conflict (unique_key) where unique_key is not null and unique_states is not null and _system.river_job_state_in_bitmask(unique_states, state)
  do update set kind = excluded.kind
  returning j.id into id;
  return id::text;
end $$;
-- +goose StatementEnd
comment on function _system.enqueue is 'Enqueues a job when the transaction commits, and gives its id: that of the one that is there already when its unique_key is taken.';
revoke execute on function _system.enqueue from public;

-- +goose StatementBegin
create function _system.job_rescue(term interval, client text) returns integer
language sql set search_path = pg_catalog, pg_temp
as $$
  with lost as (
    select j.id, j.attempted_by[array_upper(j.attempted_by, 1)] as who
    from _system.river_job j
    where j.state = 'running'
      and case when starts_with(j.attempted_by[array_upper(j.attempted_by, 1)], 'fraiseql_')
        then not exists (select from _system.node n where 'fraiseql_' || n.id = left(j.attempted_by[array_upper(j.attempted_by, 1)], 45) and n.seen_at > clock_timestamp() - term)
          or left(j.attempted_by[array_upper(j.attempted_by, 1)], 45) = left(client, 45) and j.attempted_by[array_upper(j.attempted_by, 1)] <> client
        else j.attempted_at < clock_timestamp() - interval '1 hour' end
    for update of j skip locked
  ), rescued as (
    update _system.river_job j
    set state = case when j.metadata ? 'cancel_attempted_at' then 'cancelled' when j.attempt >= j.max_attempts then 'discarded' else 'available' end::_system.river_job_state,
      finalized_at = case when j.metadata ? 'cancel_attempted_at' or j.attempt >= j.max_attempts then clock_timestamp() end,
      scheduled_at = clock_timestamp(),
      errors = array_append(j.errors, jsonb_build_object('at', j.attempted_at, 'attempt', j.attempt, 'trace', '', 'error', 'the server that worked it (' || l.who || ') is gone'))
    from lost l
    where j.id = l.id and j.state = 'running'
    returning j.id
  )
  select count(*)::integer from rescued
$$;
-- +goose StatementEnd
comment on function _system.job_rescue is 'Gives back what servers worked that were not heard of for a term, what this client worked under another name, and what other programs work for longer than an hour. It tells how many; what was tried too often is dead.';
revoke execute on function _system.job_rescue from public;

-- +goose Down
drop function _system.enqueue, _system.job_rescue;
drop table _system.job_outbox, _system.job_backend, _system.job_limit, _system.job_schedule, _system.job_kind;

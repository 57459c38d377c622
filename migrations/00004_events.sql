-- +goose Up
create sequence _system.event_id;
create sequence _system.event_replay as integer cycle;

create table _system.event_source (
    id integer generated always as identity primary key,
    schema_name text not null,
    table_name text not null,
    entity text not null,
    omit text[],
    hash text[] not null default '{}',
    columns text[] not null default '{}',
    key text[] not null default '{}',
    shape text,
    unique (schema_name, table_name)
);
comment on table _system.event_source is 'What events tell of: tables, and names of CUSTOM events, which have no schema.';
comment on column _system.event_source.omit is 'Columns that events leave out, null for those that are called like secrets; of those in hash they hold a digest.';
comment on column _system.event_source.columns is 'What the capturing function was made for; key and shape likewise.';

create table _system.event_consumer (
    id integer generated always as identity primary key,
    name text not null unique,
    paused boolean not null default false,
    generation integer not null default 0,
    created_at timestamptz not null default now()
);
comment on table _system.event_consumer is 'Who events are delivered to.';
comment on column _system.event_consumer.generation is 'Grows when deliveries of old events were added: servers look for them then.';

create table _system.event_interest (
    source integer not null references _system.event_source (id),
    consumer integer not null references _system.event_consumer (id) on delete cascade,
    ops integer not null,
    columns text[],
    filter text,
    delivers boolean not null,
    primary key (source, consumer)
);
create index event_interest_consumer on _system.event_interest (consumer);
comment on table _system.event_interest is 'Which changes of a source somebody hears. recapture() makes the capturing functions of it.';
comment on column _system.event_interest.ops is '1 INSERT, 2 UPDATE, 4 DELETE, 8 TRUNCATE, 16 CUSTOM, added up.';
comment on column _system.event_interest.columns is 'Only updates that change one of them, or every update where the table lacks one; null is every update.';
comment on column _system.event_interest.filter is 'The name of a condition in event_filter; one that is not there does not count.';
comment on column _system.event_interest.delivers is 'Whether a row of event_delivery is written for each; else the events are only read.';

create table _system.event_filter (
    name text primary key,
    source integer not null references _system.event_source (id),
    on_insert text,
    on_update text,
    on_delete text,
    exact integer not null default 0
);
create index event_filter_source on _system.event_filter (source);
comment on column _system.event_filter.exact is 'For which ops it is the whole condition, as event_interest.ops has them; for others it lets more through.';
comment on table _system.event_filter is 'Conditions in SQL over old and new, which become part of a capturing function: written by the owner alone.';

create table _system.event_setting (
    name text primary key,
    value text not null
);
comment on table _system.event_setting is 'What capturing functions look up when they run.';

create table _system.event (
    id bigint not null,
    at timestamptz not null,
    xid xid8 not null,
    source integer not null,
    op "char" not null,
    cut boolean not null,
    key json,
    old json,
    new json,
    changed text[],
    login name not null,
    claims text,
    request text,
    primary key (id, at)
) partition by range (at);
create index event_xid on _system.event (xid, id);
create table _system.event_default partition of _system.event default;
comment on table _system.event is 'Every change that somebody hears: written in the transaction of the change, never updated, dropped by days.';
comment on column _system.event.op is 'I, U, D, T(runcate) or C(ustom).';
comment on column _system.event.changed is 'What an update changed besides that in which old and new differ: columns that are not told, or not whole. * when nobody knows. See event_changed.';
comment on column _system.event.cut is 'The row was too large to be kept: old and new are null, the key says which it is.';
comment on column _system.event.request is 'The id of the HTTP request and its traceparent, where one made the change.';

create table _system.event_delivery (
    consumer integer not null,
    event_id bigint not null,
    part integer not null default 0,
    event_at timestamptz not null,
    lane smallint not null,
    key bigint not null,
    other bigint,
    step smallint not null default 0,
    attempt smallint not null default 0,
    due_at timestamptz,
    error text,
    primary key (consumer, event_id, part)
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
create index event_delivery_moves on _system.event_delivery (consumer, event_id) where other is not null;
comment on table _system.event_delivery is 'What is still to be done: a row for each event and consumer, gone with its end.';
comment on column _system.event_delivery.part is '0; of a replay its number.';
comment on column _system.event_delivery.key is 'A hash of the row''s key: what has the same one is done in order.';
comment on column _system.event_delivery.other is 'The hash of the key that the row had before; 0 is every key.';
comment on column _system.event_delivery.step is 'The action that is next.';

create table _system.event_dead (
    id bigint generated always as identity primary key,
    consumer integer not null references _system.event_consumer (id) on delete cascade,
    event_id bigint not null,
    event_at timestamptz not null,
    part integer not null,
    key bigint not null,
    other bigint,
    step smallint not null,
    attempts integer not null,
    error text not null,
    died_at timestamptz not null default now()
);
create index event_dead_consumer on _system.event_dead (consumer, event_id);
create index event_dead_age on _system.event_dead (died_at);
comment on table _system.event_dead is 'Deliveries that were given up: kept until they are retried or forgotten.';

create table _system.node (
    id uuid primary key,
    name text not null,
    version text not null,
    url text,
    knows text[] not null default '{}',
    started_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp()
);
comment on table _system.node is 'The servers that share the work, each seen every second.';
comment on column _system.node.knows is 'The consumers of events that its configuration has: servers may run with different files for a while.';

create table _system.lease (
    name text not null,
    slot integer not null,
    holder uuid,
    epoch bigint not null default 0,
    expires_at timestamptz not null default '-infinity',
    primary key (name, slot)
);
create index lease_holder on _system.lease (holder);
comment on table _system.lease is 'What one server at a time does. The epoch grows with every holder, so that one that was late is told from the one of today.';
insert into _system.lease (name, slot) select 'lane', generate_series(0, 15);

-- +goose StatementBegin
create function _system.event_row(r jsonb, columns text[]) returns json
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select json_object_agg(key, value) from jsonb_each(r) where key = any (columns) $$;
-- +goose StatementEnd
comment on function _system.event_row is 'Of a row what an event may tell: for a table that has changed since its capturing function was made.';

-- +goose StatementBegin
create function _system.event_json(r record) returns json
language plpgsql stable set search_path = pg_catalog, pg_temp
    set timezone = 'UTC' set datestyle = 'ISO, MDY' set extra_float_digits = 1 set intervalstyle = 'iso_8601' set bytea_output = 'hex'
as $$ begin return row_to_json(r); end $$;
-- +goose StatementEnd
comment on function _system.event_json is 'A row as events tell it, for sessions whose settings would have it written in another way.';

-- +goose StatementBegin
create function _system.event_changed(e _system.event) returns text[]
language sql immutable set search_path = pg_catalog, pg_temp
as $$
select case when e.op <> 'U' or '*' = any (e.changed) then null
            when e.cut then e.changed
            else array(select n.key from json_each(e.new) n where (e.old -> n.key)::text is distinct from n.value::text)
                 || array(select c from unnest(e.changed) c where (e.old -> c)::text is not distinct from (e.new -> c)::text) end
$$;
-- +goose StatementEnd
comment on function _system.event_changed is 'The columns that an update changed; null when nobody knows.';

-- +goose StatementBegin
create function _system.event_digest(value text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select 'sha256:' || encode(sha256(convert_to(value, 'UTF8')), 'hex') $$;
-- +goose StatementEnd

-- +goose StatementBegin
create function _system.event_secret(name text) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select name ~* '(passw|passphrase|secret|token|api_?key|private_?key|credential)' $$;
-- +goose StatementEnd
comment on function _system.event_secret is 'Whether a column is called like what nobody should read.';

-- +goose StatementBegin
create function _system.recapture(which integer) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set check_function_bodies = on
as $make$
declare
    s _system.event_source;
    rel regclass;
    told text[];
    keys text[];
    form text;      -- a bigint, b json, …
    row text;       -- %1$s.a, to_json(%1$s.b), …
    digest text;    -- of a key: json_build_object('a', %1$s.a)
    differs jsonb;  -- by column whether an update changes it
    names text;     -- case when … then 'a' end, …
    unseen text;    -- likewise, of those whose change old and new do not show
    moved text;     -- whether an update changes the key
    settings text[];
    find text;      -- t.a = ($1->>'a')::integer and …
    pinned boolean; -- the settings are made for the whole function
    plain text;     -- whether the settings are already what they should be
    delivered integer[];
    alone boolean;  -- one consumer is delivered to
    sure boolean;   -- whatever is heard is delivered to all of them
    always integer[];
    branches text := '';
    deliver text := '';
    op record;
    i record;
    test text;
    tests text;
    rows text[];    -- how they are written: as the session has it, and as it should be
    heard boolean;
    body text;
begin
    select * into s from _system.event_source where id = which for update;
    rel := to_regclass(format('%I.%I', s.schema_name, s.table_name));
    if rel is null or s.schema_name = '' then
        return false;
    end if;
    if s.omit is null then
        s.omit := array(select a.attname::text from pg_attribute a where a.attrelid = rel and a.attnum > 0 and not a.attisdropped
                        and _system.event_secret(a.attname) and a.attname::text <> all (s.hash));
    end if;
    -- the primary key, else what names a row for replication, else any unique index of columns that are never null
    select (select array_agg(a.attname::text order by k.n) from unnest(x.indkey::int2[]) with ordinality k(num, n)
            join pg_attribute a on a.attrelid = rel and a.attnum = k.num where k.n <= x.indnkeyatts)
    into keys
    from pg_index x
    where x.indrelid = rel and x.indisunique and x.indisvalid and x.indimmediate and x.indpred is null and x.indexprs is null
      and not exists (select from unnest(x.indkey::int2[]) with ordinality k(num, n) join pg_attribute a on a.attrelid = rel and a.attnum = k.num
                      where k.n <= x.indnkeyatts and not a.attnotnull)
    order by x.indisprimary desc, x.indisreplident desc, x.indexrelid
    limit 1;
    keys := coalesce(keys, '{}');
    with a as (
        select a.attname::text as name, a.attnum, a.attnotnull, t.typname, a.attname::text <> all (s.omit) as told,
               replace(quote_ident(a.attname), '%', '%%') as ident, quote_literal(a.attname) as literal,
               a.attname::text = any (s.hash) as hashed,
               t.typnamespace = 'pg_catalog'::regnamespace and t.typtype in ('b', 'r', 'm') as built_in, -- a type of users stays theirs to drop
               format_type(a.atttypid, -1) as type, -- char alone would be one character
               -- types of which two equal values are the same bytes
               t.typnamespace = 'pg_catalog'::regnamespace and (t.typname in ('bool', 'int2', 'int4', 'int8', 'oid', 'uuid', 'date', 'timestamp', 'timestamptz')
                   or t.typname in ('text', 'varchar') and coalesce(c.collisdeterministic, true)) as simple
        from pg_attribute a
        join pg_type t on t.oid = a.atttypid
        left join pg_collation c on c.oid = a.attcollation
        where a.attrelid = rel and a.attnum > 0 and not a.attisdropped
    ), d as (
        select a.*, format(case when simple and attnotnull then '(old.%1$s operator(pg_catalog.=) new.%1$s) is not true'
                                when simple then '(old.%1$s operator(pg_catalog.=) new.%1$s) is not true and (old.%1$s is not null or new.%1$s is not null)'
                                else 'pg_catalog.record_image_ne(row(old.%1$s), row(new.%1$s))' end, quote_ident(name)) as differs,
               -- how values are written must not depend on who writes them
               array_remove(array[
                   case when not built_in or typname ~ '^_?(timestamptz|tstzrange|tstzmultirange)$' then 'timezone' end,
                   case when not built_in or typname ~ 'range$' or typname ~ '^_?(date|timestamp|timestamptz)$' and (hashed or not a.told) then 'datestyle' end, -- JSON has dates in ISO
                   case when not built_in or typname ~ '^_?(float4|float8|point|box|path|polygon|circle|line|lseg)$' then 'extra_float_digits' end,
                   case when not built_in or typname ~ '^_?interval$' then 'intervalstyle' end,
                   case when not built_in or typname ~ '^_?bytea$' then 'bytea_output' end], null) as settings
        from a
    )
    select array_agg(name order by attnum) filter (where d.told),
           string_agg(format('%I %s', name, case when hashed then 'text' when built_in then type else 'json' end), ', ' order by attnum) filter (where d.told),
           string_agg(case when hashed then format('_system.event_digest(%%1$s.%s::pg_catalog.text)', ident)
                           when built_in then '%1$s.' || ident
                           else format('pg_catalog.to_json(%%1$s.%s)', ident) end, ', ' order by attnum) filter (where d.told),
           jsonb_object_agg(name, d.differs),
           string_agg(format('case when %s then %s end', d.differs, literal), ', ' order by attnum),
           string_agg(format('case when %s then %s end', d.differs, literal), ', ' order by attnum) filter (where not d.told or not built_in and not hashed),
           string_agg(d.differs, ' or ' order by attnum) filter (where name = any (keys)),
           (select array_agg(distinct x order by x) from d, unnest(d.settings) x),
           coalesce(bool_or(d.settings <> '{}' and (not built_in or hashed or name = any (keys))), false)
    into told, form, row, differs, names, unseen, moved, settings, pinned
    from d;
    told := coalesce(told, '{}');
    row := coalesce(row, '');
    select 'pg_catalog.json_build_object(' || coalesce(string_agg(replace(quote_literal(k), '%', '%%') || ', '
        || format(case when k = any (s.omit || s.hash) then '_system.event_digest(%%1$s.%s::pg_catalog.text)' else '%%1$s.%s' end, replace(quote_ident(k), '%', '%%')), ', ' order by n), '') || ')'
    into digest from unnest(keys) with ordinality u(k, n);
    select string_agg(format('t.%I operator(pg_catalog.=) ($1 operator(pg_catalog.%s) %L)::%s', k, case t.typname when 'jsonb' then '->' else '->>' end, k, format_type(a.atttypid, a.atttypmod)), ' and ')
    into find
    from unnest(keys) k
    join pg_attribute a on a.attrelid = rel and a.attname = k
    join pg_type t on t.oid = a.atttypid
    where t.typnamespace = 'pg_catalog'::regnamespace and not keys && (s.omit || s.hash);
    if not pinned then
        select string_agg(format('pg_catalog.current_setting(%L) operator(pg_catalog.=) any (%L::pg_catalog.text[])', t.name, t.good), ' and ')
        into plain
        from (values ('timezone', '{UTC,Etc/UTC,GMT}'), ('datestyle', '{"ISO, MDY"}'), ('extra_float_digits', '{1,2,3}'), ('intervalstyle', '{iso_8601}'), ('bytea_output', '{hex}')) t(name, good)
        where t.name = any (settings);
    end if;
    with e as (
        select e.consumer, e.delivers, e.ops & 7 as ops, e.ops & 2 <> 0 and e.columns is not null or f.name is not null as maybe
        from _system.event_interest e
        left join _system.event_filter f on f.name = e.filter and f.source = which
        where e.source = which and e.ops & 7 <> 0
    )
    select coalesce(array_agg(consumer order by consumer) filter (where delivers), '{}'),
           coalesce(bool_and(not maybe and ops = (select bit_or(ops) from e)) filter (where delivers), false)
    into delivered, sure
    from e;
    alone := cardinality(delivered) = 1;
    -- Each expression of PL/pgSQL is made ready once a transaction, which is most of what a single change pays: there are as few as can be.
    for op in select * from (values ('UPDATE', 2, 'new'), ('INSERT', 1, 'new'), ('DELETE', 4, 'old')) v(word, bit, of) loop
        tests := '';
        heard := false;
        always := '{}';
        for i in select e.*, case op.bit when 1 then f.on_insert when 2 then f.on_update else f.on_delete end as sql,
                        (select coalesce(string_agg('(' || coalesce(differs->>c, 'true') || ')', ' or '), 'false') from unnest(e.columns) c) as differ
                 from _system.event_interest e
                 left join _system.event_filter f on f.name = e.filter and f.source = which
                 where e.source = which and e.ops & op.bit <> 0 order by e.consumer loop
            test := concat_ws(' and ', case when op.bit = 2 and i.columns is not null then '(' || i.differ || ')' end, '(' || i.sql || ')');
            if test = '' then
                heard := true;
                always := case when i.delivers then always || i.consumer else always end;
            else
                tests := tests || format(E'      if %s then heard := true; %send if;\n', test,
                    case when not i.delivers then '' when alone then 'w := true; ' else format('w := pg_catalog.array_append(w, %s); ', i.consumer) end);
            end if;
        end loop;
        branches := branches || format(E'    %s tg_op operator(pg_catalog.=) %L then\n', case op.bit when 2 then 'if' else 'elsif' end, op.word);
        if not heard and tests = '' then
            branches := branches || E'      return null;\n';
            continue;
        end if;
        rows := array(select concat(case when op.bit <> 1 then format('o := %s(row(%s)::_system.%I); ', f, format(row, 'old'), 'row_' || which) end,
                                    case when op.bit <> 4 then format('n := %s(row(%s)::_system.%I);', f, format(row, 'new'), 'row_' || which) end)
                      from unnest(array['pg_catalog.row_to_json', '_system.event_json']) f);
        branches := branches
            || case when op.bit = 2 then E'      if not pg_catalog.record_image_ne(old, new) then return null; end if;\n' else '' end
            || case when always = '{}' or sure then '' when alone then E'      w := true;\n' else format(E'      w := %L;\n', always) end
            || tests
            || case when heard then '' else E'      if heard is null then return null; end if;\n' end
            || '      ' || case when plain is null then rows[1] else format('if %s then %s else %s end if;', plain, rows[1], rows[2]) end || E'\n'
            || format(E'      k := %s;\n', format(digest, op.of))
            || case when op.bit = 2 and unseen is not null then format(E'      c := pg_catalog.array_remove(array[%s]::pg_catalog.text[], null);\n', unseen) else '' end
            || case when op.bit = 2 and moved is not null
                    then format(E'      if %s then other := pg_catalog.hashtextextended((%s)::pg_catalog.text, %s); end if;\n', moved, format(digest, 'old'), which) else '' end;
    end loop;
    if form is distinct from s.shape or to_regtype('_system.row_' || which) is null then
        if to_regtype('_system.row_' || which) is not null then
            execute format('drop type _system.%I', 'row_' || which);
        end if;
        execute format('create type _system.%I as (%s)', 'row_' || which, coalesce(form, ''));
    end if;
    if delivered <> '{}' then
        deliver := format(E'  h := coalesce(pg_catalog.hashtextextended(k::pg_catalog.text, %s), 1);\n', which)
            || '  insert into _system.event_delivery (consumer, event_id, event_at, lane, key, other) '
            || case when sure then 'values ' || (select string_agg(format('(%s, e, t, h operator(pg_catalog.&) 15, h, other)', d), ', ') from unnest(delivered) d)
                    when alone then format('values (%s, e, t, h operator(pg_catalog.&) 15, h, other)', delivered[1])
                    else 'select u, e, t, h operator(pg_catalog.&) 15, h, other from pg_catalog.unnest(w) u' end || E';\n';
        if not sure then
            deliver := E'  if w is null then return null; end if;\n' || deliver;
        end if;
    end if;
    -- No search_path is set, which would cost a sixth of all that this takes: every name says its schema.
    body := format($f$
declare
  o pg_catalog.json; n pg_catalog.json; k pg_catalog.json; c pg_catalog.text[]; w %1$s; heard pg_catalog.bool; cut pg_catalog.bool;
  h pg_catalog.int8; other pg_catalog.int8; e pg_catalog.int8; t pg_catalog.timestamptz;
begin
  if pg_catalog.current_setting('session_replication_role') operator(pg_catalog.=) 'replica' then
    if _system.event_replicated() then return null; end if;
  end if;
  begin
%2$s    end if;
    if pg_catalog.pg_column_size(o) operator(pg_catalog.>) 262144 or pg_catalog.pg_column_size(n) operator(pg_catalog.>) 262144 then
      o := null; n := null; cut := true;
      if tg_op operator(pg_catalog.=) 'UPDATE' then c := pg_catalog.array_remove(array[%3$s]::pg_catalog.text[], null); end if;
    end if;
  exception when others then -- altered since: what is known of the row, until this function is made anew; nobody's write fails
    select %4$s, pg_catalog.bool_or(true) into w, heard from _system.event_interest i
    where i.source operator(pg_catalog.=) %5$s and (i.ops operator(pg_catalog.&) (case when tg_op operator(pg_catalog.=) 'INSERT' then 1 when tg_op operator(pg_catalog.=) 'UPDATE' then 2 else 4 end)) operator(pg_catalog.<>) 0;
    if heard is null or tg_op operator(pg_catalog.=) 'UPDATE' and not pg_catalog.record_image_ne(old, new) then return null; end if;
    o := null; n := null;
    begin
      if tg_op operator(pg_catalog.<>) 'INSERT' then o := _system.event_row(pg_catalog.to_jsonb(old), %6$L::pg_catalog.text[]); end if;
      if tg_op operator(pg_catalog.<>) 'DELETE' then n := _system.event_row(pg_catalog.to_jsonb(new), %6$L::pg_catalog.text[]); end if;
      k := _system.event_row(coalesce(n, o)::pg_catalog.jsonb, %7$L::pg_catalog.text[]);
    exception when others then -- not even that can be written: which row it is, nobody can say
      o := null; n := null; k := null; cut := true;
    end;
    if pg_catalog.pg_column_size(o) operator(pg_catalog.>) 262144 or pg_catalog.pg_column_size(n) operator(pg_catalog.>) 262144 then o := null; n := null; cut := true; end if;
    c := '{*}'; other := 0;
  end;
  e := pg_catalog.nextval('_system.event_id');
  t := pg_catalog.clock_timestamp();
  insert into _system.event values (e, t, pg_catalog.pg_current_xact_id(), %5$s, tg_op::pg_catalog."char", cut is true, k, o, n, c, session_user,
    pg_catalog.current_setting('request.jwt.claims', true), pg_catalog.current_setting('fraiseql.request', true));
%8$s  return null;
end $f$,
        case when alone then 'pg_catalog.bool' else 'pg_catalog.int4[]' end, branches, names,
        case when alone then 'case when pg_catalog.bool_or(i.delivers) then true end' else 'pg_catalog.array_agg(i.consumer) filter (where i.delivers)' end,
        which, array(select t from unnest(told) t where t <> all (s.hash)), keys, deliver);
    execute format('create or replace function _system.%I() returns trigger language plpgsql security definer%s as %L', 'capture_' || which,
        case when pinned then (select string_agg(format(' set %s = %L', t.name, t.value), '')
                               from (values ('timezone', 'UTC'), ('datestyle', 'ISO, MDY'), ('extra_float_digits', '1'), ('intervalstyle', 'iso_8601'), ('bytea_output', 'hex')) t(name, value)
                               where t.name = any (settings)) else '' end, body);
    execute format('revoke all on function _system.%I() from public', 'capture_' || which);
    execute format('drop function if exists _system.%I(json)', 'reread_' || which);
    if find is not null then -- as whoever calls it: who may name sources may not read by them what he may not read
        execute format('create function _system.%I(json) returns json language sql stable set search_path = pg_catalog, pg_temp as %L', 'reread_' || which,
            format('select pg_catalog.row_to_json(row(%s)::_system.%I) from %s %I.%I t where ', format(row, 't'), 'row_' || which,
                   case when (select c.relkind from pg_class c where c.oid = rel) = 'p' then '' else 'only' end, s.schema_name, s.table_name) || find);
    end if;
    update _system.event_source e set columns = told, key = keys, shape = form where id = which;
    return true;
end $make$;
-- +goose StatementEnd
comment on function _system.recapture is 'Makes the function that captures a table, of what is heard of it and of its columns. False when the table is not there.';

-- +goose StatementBegin
create function _system.event_reread(which integer, key json, out r json, out problem text)
language plpgsql stable set search_path = pg_catalog, pg_temp set lock_timeout = '1s'
    set timezone = 'UTC' set datestyle = 'ISO, MDY' set extra_float_digits = 1 set intervalstyle = 'iso_8601' set bytea_output = 'hex'
as $$
begin
  if key is null or to_regprocedure('_system.reread_' || which || '(json)') is null then
    problem := 'events do not tell a key that it can be found by';
    return;
  end if;
  execute format('select _system.%I($1)', 'reread_' || which) into r using key;
  if pg_column_size(r) > 16777216 then
    r := null;
    problem := 'it is larger than 16 MB';
  end if;
exception when others then -- altered since, locked for long, or not for this login: others wait for this
  r := null;
  problem := sqlerrm;
end $$;
-- +goose StatementEnd
comment on function _system.event_reread is 'The row as it is now, of which an event tells the key alone; null when it is gone, and where it cannot be read, with why.';

-- +goose StatementBegin
create function _system.event_replicated() returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$ select exists (select from pg_stat_get_subscription(null) where pid = pg_backend_pid())
       and not coalesce((select value = 'true' from _system.event_setting where name = 'capture_replicated'), false) $$;
-- +goose StatementEnd
comment on function _system.event_replicated is 'Whether a row comes from a subscription, whose publisher has acted on it already.';

-- +goose StatementBegin
create function _system.capture_truncate() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  which integer := tg_argv[0]; e bigint; t timestamptz := clock_timestamp();
begin
  if current_setting('session_replication_role') = 'replica' and _system.event_replicated() then return null; end if;
  if not exists (select from _system.event_interest where source = which and ops & 8 <> 0) then return null; end if;
  e := nextval('_system.event_id');
  insert into _system.event values (e, t, pg_current_xact_id(), which, 'T', false, null, null, null, null, session_user,
    nullif(current_setting('request.jwt.claims', true), ''), nullif(current_setting('fraiseql.request', true), ''));
  insert into _system.event_delivery (consumer, event_id, event_at, lane, key, other)
  select i.consumer, e, t, 1, 1, 0 from _system.event_interest i where i.source = which and i.ops & 8 <> 0 and i.delivers;
  return null;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
create function _system.emit_event(name text, data jsonb default null, key jsonb default null) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  which integer; e bigint; t timestamptz; h bigint; x xid8 := pg_current_xact_id();
begin
  if name is null or name !~ '^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$' then
    raise exception 'emit_event: % is no name of an event', coalesce(quote_literal(name), 'null')
      using errcode = '22023', hint = 'Use letters, digits, _, -, . and :, at most 128.';
  end if;
  if jsonb_typeof(key) <> 'object' then
    raise exception 'emit_event: the key must be an object, such as {"order_id": 1}' using errcode = '22023';
  end if;
  if pg_column_size(data) > 1048576 then
    raise exception 'emit_event: the data is larger than a megabyte' using errcode = '54000', hint = 'Store it in a table, and emit its key.';
  end if;
  select id into which from _system.event_source s where s.schema_name = '' and s.table_name = emit_event.name;
  if which is null then
    insert into _system.event_source (schema_name, table_name, entity) values ('', emit_event.name, emit_event.name) on conflict (schema_name, table_name) do nothing;
    select id into which from _system.event_source s where s.schema_name = '' and s.table_name = emit_event.name;
  end if;
  e := nextval('_system.event_id');
  t := clock_timestamp();
  h := coalesce(hashtextextended(key::text, which), hashint8extended(e, which));
  insert into _system.event values (e, t, x, which, 'C', false, emit_event.key, null, data, null, session_user,
    nullif(current_setting('request.jwt.claims', true), ''), nullif(current_setting('fraiseql.request', true), ''));
  insert into _system.event_delivery (consumer, event_id, event_at, lane, key)
  select i.consumer, e, t, h & 15, h from _system.event_interest i where i.source = which and i.ops & 16 <> 0 and i.delivers;
  return e;
end $$;
-- +goose StatementEnd
comment on function _system.emit_event is 'Tells observers of CUSTOM events something, when the transaction commits. Those with the same key are heard in order.';

-- +goose StatementBegin
create function _system.event_days(ahead integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '200ms'
as $$
declare
  day date; made integer := 0; part text;
begin
  for day in select (now()::date + i) from generate_series(0, ahead) i loop
    part := 'event_' || to_char(day, 'YYYYMMDD');
    continue when to_regclass('_system.' || part) is not null;
    begin -- attached, not created as a partition: that would wait for every writer
      execute format('create table _system.%I (like _system.event including defaults including constraints)', part);
      execute format('alter table _system.event attach partition _system.%I for values from (%L) to (%L)', part, day::timestamptz, (day + 1)::timestamptz);
      made := made + 1;
    exception
      when check_violation then null; -- the day has begun in event_default, and stays there
      when lock_not_available then null; -- somebody reads for long: who waited here would hold up everybody behind; the next time
    end;
  end loop;
  return made;
end $$;
-- +goose StatementEnd
comment on function _system.event_days is 'Makes the partitions of today and of some days ahead.';

-- +goose StatementBegin
create function _system.event_forget(before timestamptz) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '200ms'
as $$
declare
  p record; day_end timestamptz;
begin
  for p in select c.oid::regclass as rel, to_date(right(c.relname, 8), 'YYYYMMDD') as day from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = '_system.event'::regclass and c.relname ~ '^event_\d{8}$' order by 2 loop
    day_end := (p.day + 1)::timestamptz;
    exit when day_end > before;
    continue when exists (select from _system.event_delivery where event_at >= p.day::timestamptz and event_at < day_end)
      or exists (select from _system.event_dead where event_at >= p.day::timestamptz and event_at < day_end)
      or exists (select from _system.event_reader r where exists (select from _system.event e where e.at >= p.day::timestamptz and e.at < day_end
                 and (e.xid >= pg_snapshot_xmax(r.position) or e.xid in (select pg_snapshot_xip(r.position)))));
    begin -- emptied first: that waits for nobody who writes today's events
      execute format('truncate %s', p.rel);
    exception when lock_not_available then continue; -- the next time
    end;
    begin
      execute format('drop table %s', p.rel);
      return 1; -- the lock that this took is held until the end: one day at a time
    exception when lock_not_available then null;
    end;
  end loop;
  delete from _system.event_default e where e.at < before
    and not exists (select from _system.event_delivery d where d.event_at = e.at and d.event_id = e.id)
    and not exists (select from _system.event_dead d where d.event_at = e.at and d.event_id = e.id);
  return 0;
end $$;
-- +goose StatementEnd
comment on function _system.event_forget is 'Drops the oldest day that ends before a time, and of which nothing is still to be done: 1, or 0 when there is none.';

create table _system.event_reader (
    name text primary key,
    position pg_snapshot not null,
    moved_at timestamptz not null default now()
);
comment on table _system.event_reader is 'Who reads the events as a log, and what they have read: all that this snapshot sees.';

-- +goose StatementBegin
create function _system.event_look(since pg_snapshot, consumers integer[], lanes smallint[], most integer)
returns table (
    now text, more boolean, consumer integer, event_id bigint, part integer, event_at timestamptz, lane smallint, key bigint, other bigint,
    step smallint, attempt smallint, wait float8
)
language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off set plan_cache_mode = force_generic_plan
as $$
begin
  return query
  with fresh as materialized (
      (select e.id from _system.event e where e.xid >= pg_snapshot_xmax(since) order by e.xid, e.id limit most + 1)
      union all
      select e.id from pg_snapshot_xip(since) as x cross join lateral (
          select e.id from _system.event e where e.xid = x order by e.id limit most + 1
      ) e
      limit most + 1
  )
  select n.now, n.more, d.*
  from (select pg_current_snapshot()::text as now, (select count(*) from fresh) > most as more) n
  left join (fresh f cross join lateral (
      select d.consumer, d.event_id, d.part, d.event_at, d.lane, d.key, d.other, d.step, d.attempt,
             coalesce(greatest(extract(epoch from d.due_at - clock_timestamp()), 0), 0)::float8
      from _system.event_delivery d
      where d.consumer = any (consumers) and d.event_id = f.id and d.part = 0 and (d.lane = any (lanes) or d.other is not null)
      offset 0 -- joined row by row: for how many there are nobody can guess
  ) d) on not n.more;
end $$;
-- +goose StatementEnd
comment on function _system.event_look is 'What has become visible to be delivered since a snapshot, and the snapshot of this look. More than so many events are not listed.';

-- +goose StatementBegin
create function _system.event_fresh(since pg_snapshot) returns table (now text, lowest bigint)
language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off set plan_cache_mode = force_generic_plan
as $$
begin
  return query
  select pg_current_snapshot()::text, least(
      (select min(e.id) from (select e.id from _system.event e where e.xid >= pg_snapshot_xmax(since) order by e.xid, e.id limit 1000000000) e),
      (select min(e.id) from pg_snapshot_xip(since) as x cross join lateral (select e.id from _system.event e where e.xid = x order by e.id limit 1) e));
end $$;
-- +goose StatementEnd
comment on function _system.event_fresh is 'A snapshot of now, and the lowest id that it sees and an earlier one did not; null for none.';

create view _system.events as
select e.id, e.at, case e.op when 'I' then 'INSERT' when 'U' then 'UPDATE' when 'D' then 'DELETE' when 'T' then 'TRUNCATE' else 'CUSTOM' end as op,
       s.entity, s.schema_name as schema, s.table_name as "table", e.key, e.old, e.new, _system.event_changed(e) as changed, e.claims, e.login, e.request, e.xid
from _system.event e
join _system.event_source s on s.id = e.source;
comment on view _system.events is 'The events with their names, for people.';

select _system.event_days(7);
revoke all on all functions in schema _system from public;
grant execute on function _system.event_changed to public; -- for those who may read the view; it reads nothing

-- +goose Down
drop view _system.events;
drop function _system.event_changed;
drop table _system.event_reader, _system.event_setting, _system.lease, _system.node, _system.event_dead, _system.event_delivery, _system.event,
    _system.event_filter, _system.event_interest, _system.event_consumer, _system.event_source cascade;
drop function _system.event_reread, _system.event_fresh, _system.event_look, _system.event_forget, _system.event_days, _system.emit_event, _system.event_replicated,
    _system.recapture, _system.event_secret, _system.event_digest, _system.event_row, _system.event_json;
drop function _system.capture_truncate cascade;
drop sequence _system.event_id, _system.event_replay;
-- what recapture has made
-- +goose StatementBegin
do $$
declare f regprocedure; r regtype;
begin
  for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = '_system'::regnamespace and p.proname ~ '^(capture|reread)_\d+$' loop execute format('drop function %s cascade', f); end loop;
  for r in select t.oid::regtype from pg_type t where t.typnamespace = '_system'::regnamespace and t.typtype = 'c' and t.typname ~ '^row_\d+$' loop execute format('drop type %s', r); end loop;
end $$;
-- +goose StatementEnd

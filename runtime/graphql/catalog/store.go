package catalog

// All statements run as one batch in one read-only snapshot. $1 is the list of schemas, $2 the role whose rights count;
// empty for the login.

const byRole = "coalesce(nullif($2, '')::name, current_user)"

const identitySQL = `
select current_database(), r.rolname, current_setting('server_version_num')::int, r.rolsuper or r.rolbypassrls,
       pg_has_role(session_user, r.oid, 'member')
from pg_roles r
where r.rolname = coalesce(nullif($1, '')::name, current_user)`

// Partitions are left out (their parent stands for them), and so is what an extension brought along.
const relationsSQL = `
select c.oid, n.nspname, c.relname, c.relkind::text, coalesce(obj_description(c.oid, 'pg_class'), ''), c.relrowsecurity,
       c.relrowsecurity and (r.rolsuper or r.rolbypassrls or not c.relforcerowsecurity and pg_has_role(r.oid, c.relowner, 'usage')),
       c.relkind in ('r', 'p') and has_table_privilege(` + byRole + `, c.oid, 'select')
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_roles r on r.rolname = ` + byRole + `
where n.nspname = any($1)
  and c.relkind in ('r', 'v', 'm', 'p', 'f')
  and not c.relispartition
  and has_schema_privilege(` + byRole + `, n.oid, 'usage')
  and has_any_column_privilege(` + byRole + `, c.oid, 'select')
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by array_position($1, n.nspname::text), c.relname`

// What relationsSQL and columnsSQL leave out.
const closedSQL = `
select n.nspname, c.relname, coalesce(a.attname, '')
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
cross join lateral (
  select c.relispartition or not has_schema_privilege(` + byRole + `, n.oid, 'usage') or not has_any_column_privilege(` + byRole + `, c.oid, 'select')
      or exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
) whole(closed)
left join pg_attribute a on not whole.closed and a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                            and not has_column_privilege(` + byRole + `, c.oid, a.attnum, 'select')
where n.nspname = any($1)
  and c.relkind in ('r', 'v', 'm', 'p', 'f')
  and (whole.closed or a.attname is not null)`

// A table that was never analyzed, as small ones never are of themselves, is judged by its size: a row takes 64 bytes
// at least, or nearly so. A view has none, and is not in it; neither has a table that was dropped a moment ago.
const sizesSQL = `
select c.oid, sum(case when p.reltuples >= 0 then p.reltuples else coalesce(pg_relation_size(p.oid), 0) / 64.0 end)::float8
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
cross join lateral (
  select c.oid where c.relkind <> 'p'
  union all
  select t.relid from pg_partition_tree(c.oid) t where c.relkind = 'p' and t.isleaf
) leaf
join pg_class p on p.oid = leaf.oid
where n.nspname = any($1)
  and c.relkind in ('r', 'm', 'p')
  and not c.relispartition
group by c.oid`

// A view's trigger in place of a statement takes any column: its type has bits for that (64), and for insert (4) and update
// (16).
const columnsSQL = `
select a.attrelid, a.attnum, a.attname, a.atttypid, a.attnotnull, a.atthasdef or t.typdefault is not null, a.attidentity <> '', a.attgenerated <> '',
       coalesce(col_description(a.attrelid, a.attnum), ''), a.attndims::int, may.read, may.insert, may.update
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_type t on t.oid = a.atttypid
cross join lateral (
  select has_column_privilege(` + byRole + `, c.oid, a.attnum, 'select'),
         written.may and (plain.may or exists (select from pg_trigger g where g.tgrelid = c.oid and g.tgtype & 68 = 68)) and has_column_privilege(` + byRole + `, c.oid, a.attnum, 'insert'),
         written.may and (plain.may or exists (select from pg_trigger g where g.tgrelid = c.oid and g.tgtype & 80 = 80)) and has_column_privilege(` + byRole + `, c.oid, a.attnum, 'update')
  from (select a.attgenerated = '' and a.attidentity <> 'a' and c.relkind <> 'm') written(may),
       (select c.relkind in ('r', 'p') or pg_column_is_updatable(c.oid, a.attnum, false)) plain(may)
) may(read, insert, update)
where a.attnum > 0
  and not a.attisdropped
  and (n.nspname = any($1) and c.relkind in ('r', 'v', 'm', 'p', 'f') and not c.relispartition and (may.read or may.insert or may.update)
       or c.relkind = 'c')
order by a.attrelid, a.attnum`

// Tables that others inherit from. The keys of a hypertable of TimescaleDB hold for all of its chunks, so it is none.
const heirsSQL = `
with heirs as (
  select h.inhparent
  from pg_inherits h
  join pg_class p on p.oid = h.inhparent and p.relkind = 'r'
  join pg_class c on c.oid = h.inhrelid
  join pg_namespace n on n.oid = c.relnamespace and n.nspname <> '_timescaledb_internal')`

// A key is a valid unique index on plain columns without a condition, whether a constraint made it or not. That of a
// table that others inherit from says nothing of their rows, which are read with it.
const keysSQL = heirsSQL + `
select i.indrelid, x.relname, i.indisprimary, (i.indkey::int2[])[0:i.indnkeyatts - 1], not i.indimmediate
from pg_index i
join pg_class x on x.oid = i.indexrelid
join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any($1)
  and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
  and not exists (select from heirs h where h.inhparent = c.oid)
order by i.indrelid, i.indisprimary desc, x.relname`

// A foreign key does not hold for the rows of tables that inherit from its own. One over a period names no single row:
// several cover it together.
const foreignKeysSQL = heirsSQL + `
select k.conrelid, k.conname, k.conkey, k.confrelid, k.confkey,
       k.convalidated and not exists (select from heirs h where h.inhparent = c.oid)
from pg_constraint k
join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = k.connamespace
where n.nspname = any($1) and k.contype = 'f' and k.conparentid = 0
  and not coalesce((to_jsonb(k) ->> 'conperiod')::bool, false) -- a column of PostgreSQL 18
order by k.conrelid, k.conname`

// Types stand with their schema: a search_path may change at any time. In a cast, character and bit without a length
// mean a length of 1: their internal names do not. What a type is equal and ordered by is its default operator class,
// or that of a type which it is taken for without a function, as varchar is for text.
const typesSQL = `
with equality as (
  select o.opcintype as type, o.opcmethod = 403 as ordered, n.nspname as schema
  from pg_opclass o
  join pg_amop a on a.amopfamily = o.opcfamily and a.amoplefttype = o.opcintype and a.amoprighttype = o.opcintype
                and a.amopstrategy = case o.opcmethod when 403 then 3 else 1 end
  join pg_operator p on p.oid = a.amopopr
  join pg_namespace n on n.oid = p.oprnamespace
  where o.opcdefault and o.opcmethod in (403, 405) -- btree, hash
)
select t.oid, n.nspname, t.typname,
       case when t.oid in ('bpchar'::regtype, 'pg_catalog.bit'::regtype) then 'pg_catalog.' || t.typname
            when t.oid in ('bpchar[]'::regtype, 'pg_catalog.bit[]'::regtype) then 'pg_catalog.' || substr(t.typname, 2) || '[]'
            when n.nspname = 'pg_catalog' then format_type(t.oid, null)
            when t.typcategory = 'A' and t.typelem <> 0 then (
              select format('%s.%I[]', e.typnamespace::regnamespace, e.typname) from pg_type e where e.oid = t.typelem)
            else format('%I.%I', n.nspname, t.typname) end,
       case when t.typcategory = 'A' and t.typelem <> 0 then 'a' else t.typtype::text end,
       case t.typtype when 'd' then t.typbasetype when 'r' then r.rngsubtype when 'm' then m.rngsubtype else t.typelem end,
       t.typrelid, t.typnotnull, coalesce(obj_description(t.oid, 'pg_type'), ''),
       coalesce((select array_agg(e.enumlabel::text order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid), '{}'),
       t.typndims::int, coalesce(q.ordered, false), coalesce(q.schema::text, ''), t.typdelim::text
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
left join pg_range r on r.rngtypid = t.oid
left join pg_range m on t.typtype = 'm' and (to_jsonb(m) ->> 'rngmultitypid')::oid = t.oid -- a column that PostgreSQL 13 has not
left join lateral (
  select e.ordered, e.schema from equality e
  where t.typtype = 'b' and t.typcategory <> 'A' and t.typarray <> 0 -- without arrays: one that only PostgreSQL makes values of
    and (e.type = t.oid or e.type in (select c.casttarget from pg_cast c where c.castsource = t.oid and c.castmethod = 'b' and c.castcontext = 'i'))
  order by e.type = t.oid desc, e.ordered desc limit 1
) q on true`

// xmin changes with every DDL that rewrites a catalog row; vacuum and analyze update in place and do not
// count. TRUNCATE, REFRESH MATERIALIZED VIEW and REINDEX rewrite rows of pg_class and change no picture, so
// that of those rows only what the picture is made of is looked at. Of the cluster's roles those count that requests run
// as, $2 and the login, and all that these are members of.
const fingerprintSQL = `
with recursive asking (oid) as (
  select r.oid from pg_roles r where r.rolname = session_user or r.rolname = any($2)
  union
  select m.roleid from pg_auth_members m join asking a on a.oid = m.member
)
select coalesce(sum(h), 0)::text from (
  select hashtextextended(concat_ws(' ', c.relname, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, c.relhassubclass, c.relacl), c.oid::int8) as h
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = any($1)
  union all
  select hashint8extended(i.indexrelid::int8, i.xmin::text::int8) from pg_index i join pg_class c on c.oid = i.indexrelid
    join pg_namespace n on n.oid = c.relnamespace where n.nspname = any($1)
  union all
  select hashint8extended(a.attrelid::int8 * 2048 + a.attnum, a.xmin::text::int8) from pg_attribute a join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace where n.nspname = any($1) and a.attnum > 0 and c.relkind <> 'i'
  union all
  select hashint8extended(k.oid::int8, k.xmin::text::int8) from pg_constraint k join pg_namespace n on n.oid = k.connamespace where n.nspname = any($1)
  union all
  select hashint8extended(t.oid::int8, t.xmin::text::int8) from pg_trigger t join pg_class c on c.oid = t.tgrelid
    join pg_namespace n on n.oid = c.relnamespace where n.nspname = any($1) and not t.tgisinternal
  union all
  select hashint8extended(p.oid::int8, p.xmin::text::int8) from pg_policy p join pg_class c on c.oid = p.polrelid
    join pg_namespace n on n.oid = c.relnamespace where n.nspname = any($1)
  union all
  select hashint8extended(r.oid::int8, r.xmin::text::int8) from pg_rewrite r join pg_class c on c.oid = r.ev_class
    join pg_namespace n on n.oid = c.relnamespace where n.nspname = any($1) and c.relkind <> 'm'
  union all
  select hashint8extended(t.oid::int8, t.xmin::text::int8) from pg_type t join pg_namespace n on n.oid = t.typnamespace where n.nspname = any($1)
  union all
  select hashint8extended(e.oid::int8, e.xmin::text::int8) from pg_enum e
  union all
  select hashint8extended(p.oid::int8, p.xmin::text::int8) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = any($1)
  union all
  select hashint8extended(d.objoid::int8 * 2048 + d.objsubid, d.xmin::text::int8) from pg_description d where d.objoid >= 16384 or d.classoid = 'pg_class'::regclass
  union all
  select hashint8extended(n.oid::int8, n.xmin::text::int8) from pg_namespace n where n.nspname = any($1)
  union all
  select hashint8extended(m.member::int8 + m.roleid::int8, m.xmin::text::int8) from pg_auth_members m join asking a on a.oid = m.member
  union all
  select hashtextextended(concat_ws(' ', r.rolname, r.rolsuper, r.rolbypassrls, r.rolinherit), r.oid::int8) from pg_roles r join asking a on a.oid = r.oid
) s`

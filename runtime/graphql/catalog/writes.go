package catalog

import (
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Writes is what the login may do to the rows of a table, and what else happens then. A view counts when PostgreSQL can
// write through it, or triggers do.
type Writes struct {
	Insert   bool
	Update   bool
	Delete   bool
	Instead  bool // triggers of a view do it
	Triggers bool // triggers or rules of a person's making run: they may change any other row
	Fills    bool // a trigger looks at new rows first, and may give values to columns that were left out
}

// ConstraintKind is what sort of rule a constraint is.
type ConstraintKind byte

// The kinds, with the letters of pg_constraint.contype. A unique index is one of them, whatever made it.
const (
	Check      ConstraintKind = 'c'
	References ConstraintKind = 'f'
	Primary    ConstraintKind = 'p'
	Unique     ConstraintKind = 'u'
	Exclusion  ConstraintKind = 'x'
)

// Constraint is a rule that the rows of a table keep. That of a partition is told as one of the table it is part of.
type Constraint struct {
	Kind    ConstraintKind
	Table   *Table
	Columns []*Column // those that the role may read
	Hidden  bool      // there are others
}

type constraintKey struct{ schema, table, name string }

// Constraint finds a constraint, or a unique index, by its name and the names of its table; nil when there is none.
func (c *Catalog) Constraint(schemaName, table, name string) *Constraint {
	return c.constraints[constraintKey{schemaName, table, name}]
}

// Named finds a readable column of a table or of one of its partitions by name; nil when there is none.
func (c *Catalog) Named(schemaName, table, column string) (*Table, *Column) {
	if t := c.Find(schemaName, table); t != nil {
		return t, t.Column(column)
	}
	for key, constraint := range c.constraints {
		if key.schema == schemaName && key.table == table {
			return constraint.Table, constraint.Table.Column(column)
		}
	}
	return nil, nil
}

// Triggers of ours are none of a person's: they change no row but our own. tgtype has a bit for each of row (1),
// before (2), insert (4), delete (8), update (16), instead of (64). Rules of a table, as opposed to the one that makes a
// view, do something beside or in place of a statement.
const writesSQL = `
select c.oid,
       w.events & 8 <> 0 and has_any_column_privilege(` + byRole + `, c.oid, 'insert'),
       w.events & 4 <> 0 and has_any_column_privilege(` + byRole + `, c.oid, 'update'),
       w.events & 16 <> 0 and has_table_privilege(` + byRole + `, c.oid, 'delete'),
       coalesce(bool_or(t.tgtype & 64 <> 0), false),
       count(t.oid) > 0 or exists (select from pg_rewrite r where r.ev_class = c.oid and r.rulename <> '_RETURN'),
       coalesce(bool_or(t.tgtype & 71 in (7, 69)), false)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
cross join lateral (select pg_relation_is_updatable(c.oid, true)) w(events)
left join lateral (
  select t.oid, t.tgtype from pg_trigger t
  where (t.tgrelid = c.oid or c.relkind = 'p' and t.tgrelid in (select p.relid from pg_partition_tree(c.oid) p))
    and not t.tgisinternal and t.tgenabled <> 'D'
    and not exists (select from pg_proc p join pg_namespace s on s.oid = p.pronamespace where p.oid = t.tgfoid and s.nspname = '_system')
) t on true
where n.nspname = any($1)
  and c.relkind in ('r', 'v', 'p', 'f')
  and not c.relispartition
group by c.oid, w.events`

// What a unique index over expressions is made of stands in its dependencies.
const constraintsSQL = `
select coalesce(pg_partition_root(c.oid)::oid, c.oid), n.nspname, c.relname, k.name, k.kind,
       coalesce((select array_agg(a.attname::text order by array_position(k.columns, a.attnum))
                 from pg_attribute a where a.attrelid = c.oid and a.attnum = any(k.columns) and a.attnum > 0), '{}')
from (
  select k.conrelid as of, k.conname as name, k.contype::text as kind, k.conkey as columns
  from pg_constraint k
  where k.conrelid <> 0 and k.contype in ('c', 'f', 'p', 'u', 'x')
  union all
  select i.indrelid, x.relname, 'u',
         i.indkey::int2[] || coalesce((select array_agg(d.refobjsubid::int2) from pg_depend d
                                       where i.indexprs is not null and d.classid = 'pg_class'::regclass and d.objid = i.indexrelid
                                         and d.refclassid = 'pg_class'::regclass and d.refobjid = i.indrelid and d.refobjsubid > 0), '{}')
  from pg_index i
  join pg_class x on x.oid = i.indexrelid
  where i.indisunique and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = i.indrelid)
) k
join pg_class c on c.oid = k.of
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any($1)
  and c.relkind in ('r', 'p', 'f')`

func (l *loader) readWrites(rows pgx.Rows) error {
	var oid uint32
	var w Writes
	_, err := pgx.ForEachRow(rows, []any{&oid, &w.Insert, &w.Update, &w.Delete, &w.Instead, &w.Triggers, &w.Fills}, func() error {
		if t := l.tables[oid]; t != nil {
			t.Writes = w
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what may be written: %w", err)
	}
	return nil
}

func (l *loader) readConstraints(rows pgx.Rows) error {
	l.catalog.constraints = map[constraintKey]*Constraint{}
	var oid uint32
	var key constraintKey
	var kind string
	var columns []string
	_, err := pgx.ForEachRow(rows, []any{&oid, &key.schema, &key.table, &key.name, &kind, &columns}, func() error {
		t := l.tables[oid]
		if t == nil {
			return nil
		}
		c := &Constraint{Kind: ConstraintKind(kind[0]), Table: t}
		for _, name := range columns {
			if column := t.Column(name); column != nil {
				c.Columns = append(c.Columns, column)
			} else {
				c.Hidden = true
			}
		}
		l.catalog.constraints[key] = c
		return nil
	})
	if err != nil {
		return fmt.Errorf("read constraints: %w", err)
	}
	return nil
}

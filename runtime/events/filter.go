package events

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/conditions"
)

const (
	// The kinds of columns as conditions know them. Of a domain it is what it is made of; hashed columns and those that are left
	// out are none that a condition may be judged by before the event is made.
	columnsSQL = `
with recursive base as (
    select a.attnum, a.attname::text as name, a.atttypid as type, s.id
    from _system.event_source s
    join pg_attribute a on a.attrelid = to_regclass(format('%I.%I', s.schema_name, s.table_name)) and a.attnum > 0 and not a.attisdropped
    where s.schema_name = $1 and s.table_name = $2 and a.attname::text = any (s.columns) and a.attname::text <> all (s.hash)
    union all
    select b.attnum, b.name, t.typbasetype, b.id
    from base b
    join pg_type t on t.oid = b.type
    where t.typtype = 'd'
)
select b.name, t.typcategory::text, case when t.typtype = 'e' then 'enum' when t.typnamespace = 'pg_catalog'::regnamespace then t.typname::text else '' end
from base b
join pg_type t on t.oid = b.type
where t.typtype <> 'd'
order by b.attnum`

	tableColumnsSQL = `
with recursive base as (
    select c.relkind::text as relkind, a.attnum, a.attname::text as name, a.atttypid as type
    from pg_class c
    left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.oid = to_regclass(format('%I.%I', $1::text, $2::text))
    union all
    select b.relkind, b.attnum, b.name, t.typbasetype
    from base b
    join pg_type t on t.oid = b.type
    where t.typtype = 'd'
)
select b.relkind, coalesce(b.name, ''), coalesce(t.typcategory::text, ''), case when t.typtype = 'e' then 'enum' when t.typnamespace = 'pg_catalog'::regnamespace then t.typname::text else '' end
from base b
left join pg_type t on t.oid = b.type
where t.typtype is distinct from 'd'
order by b.attnum`

	saveFilterSQL = `
insert into _system.event_filter as f (name, source, on_insert, on_update, on_delete, exact)
select $1, s.id, $4, $5, $6, $7
from _system.event_source s
where s.schema_name = $2 and s.table_name = $3
on conflict (name) do update
set source = excluded.source, on_insert = excluded.on_insert, on_update = excluded.on_update, on_delete = excluded.on_delete, exact = excluded.exact
where (f.source, f.on_insert, f.on_update, f.on_delete, f.exact) is distinct from (excluded.source, excluded.on_insert, excluded.on_update, excluded.on_delete, excluded.exact)`

	unusedFiltersSQL = `
delete from _system.event_filter f
where not exists (select from _system.event_interest i where i.filter = f.name)`
)

// filter names what the condition of an interest becomes in SQL; nil for none. Another condition has another name: a
// capturing function that does not know it lets all through.
func (i *Interest) filter() *string {
	if i.When == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(i.String() + "\n" + i.When))
	name := hex.EncodeToString(sum[:12])
	return &name
}

// Filters brings what conditions can say in SQL into capturing functions, so that changes that nobody wants are not even
// written. It is never stricter than the condition, which is asked again. conn is of the owner of _system.
func Filters(ctx context.Context, conn *pgx.Conn, all []Interest) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		changed := false
		for _, i := range all {
			name := i.filter()
			if name == nil || i.Schema == "" {
				continue
			}
			columns, err := columnsOf(ctx, tx, i.Relation)
			if err != nil {
				return err
			}
			condition, err := conditions.Compile(i.When, columns)
			if err != nil {
				continue // it names what cannot be judged here, or what is told when it is judged
			}
			var exact Ops
			sql := func(op conditions.Op) *string {
				f, can := condition.SQL(op, "old", "new")
				if !can {
					return nil
				}
				if f.Exact {
					exact |= SetOf(Op(op))
				}
				return &f.SQL
			}
			onInsert, onUpdate, onDelete := sql(conditions.Insert), sql(conditions.Update), sql(conditions.Delete)
			tag, err := tx.Exec(ctx, saveFilterSQL, *name, i.Schema, i.Table, onInsert, onUpdate, onDelete, int(exact))
			if err != nil {
				return err
			}
			changed = changed || tag.RowsAffected() > 0
		}
		tag, err := tx.Exec(ctx, unusedFiltersSQL)
		if err != nil || !changed && tag.RowsAffected() == 0 {
			return err
		}
		return recapture(ctx, tx)
	})
}

// ColumnsOf gives the columns of a relation as conditions know them, and the letter of its kind, by pg_class; empty when it is
// not there.
func ColumnsOf(ctx context.Context, q Queryer, r Relation) (conditions.Columns, string, error) {
	rows, err := q.Query(ctx, tableColumnsSQL, r.Schema, r.Table)
	if err != nil {
		return nil, "", err
	}
	columns := conditions.Columns{}
	var relation, name, category, kind string
	_, err = pgx.ForEachRow(rows, []any{&relation, &name, &category, &kind}, func() error {
		if name != "" {
			columns = append(columns, conditions.Column{Name: name, Kind: kindOf(category, kind), Type: kind})
		}
		return nil
	})
	return columns, relation, err
}

func columnsOf(ctx context.Context, tx pgx.Tx, r Relation) (conditions.Columns, error) {
	rows, err := tx.Query(ctx, columnsSQL, r.Schema, r.Table)
	if err != nil {
		return nil, err
	}
	columns := conditions.Columns{}
	var name, category, kind string
	_, err = pgx.ForEachRow(rows, []any{&name, &category, &kind}, func() error {
		columns = append(columns, conditions.Column{Name: name, Kind: kindOf(category, kind), Type: kind})
		return nil
	})
	return columns, err
}

// kindOf tells what a type's values are in JSON.
func kindOf(category, name string) conditions.Kind {
	switch {
	case name == "json" || name == "jsonb":
		return conditions.JSON
	case name == "date" || name == "timestamp" || name == "timestamptz":
		return conditions.Time
	case name == "money":
		return conditions.Text
	case category == "N" && name != "":
		return conditions.Number
	case category == "B":
		return conditions.Bool
	case category == "A":
		return conditions.List
	case name == "enum", name == "uuid", category == "S", category == "D", category == "T", category == "I":
		return conditions.Text
	}
	return conditions.Other
}

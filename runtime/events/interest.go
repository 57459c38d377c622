package events

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Relation names a table. CUSTOM events have a name and no schema.
type Relation struct{ Schema, Table string }

// String gives the name as people write it.
func (r Relation) String() string {
	if r.Schema == "" {
		return r.Table
	}
	return r.Schema + "." + r.Table
}

// Interest is that somebody hears of a relation.
type Interest struct {
	Relation
	Entity   string // how events call it
	Consumer string // who hears; the name is known to package dispatch
	Ops      Ops
	Columns  []string // of updates only those that change one of them; none is every update
	When     string   // a condition; empty is always
	Delivers bool     // each event becomes a delivery; else events are only written, for readers
}

const (
	sourceSQL = `
insert into _system.event_source as s (schema_name, table_name, entity, omit, hash)
values ($1, $2, $3, $4, $5)
on conflict (schema_name, table_name) do update
set entity = excluded.entity, omit = excluded.omit, hash = excluded.hash
where (s.entity, s.omit, s.hash) is distinct from (excluded.entity, excluded.omit, excluded.hash)`

	consumerSQL = `
insert into _system.event_consumer (name)
values ($1)
on conflict (name) do nothing`

	interestSQL = `
insert into _system.event_interest as i (source, consumer, ops, columns, delivers, filter)
select s.id, c.id, $4, $5, $6, $7
from _system.event_source s, _system.event_consumer c
where s.schema_name = $1 and s.table_name = $2 and c.name = $3
on conflict (source, consumer) do update
set ops = excluded.ops, columns = excluded.columns, delivers = excluded.delivers, filter = excluded.filter
where (i.ops, i.columns, i.delivers, i.filter) is distinct from (excluded.ops, excluded.columns, excluded.delivers, excluded.filter)`

	// Deliveries that are open are done all the same.
	uninterestedSQL = `
delete from _system.event_interest i
using _system.event_source s, _system.event_consumer c
where s.id = i.source and c.id = i.consumer and c.name = any ($4)
  and (s.schema_name, s.table_name, c.name) not in (select * from unnest($1::text[], $2::text[], $3::text[]))`

	// Each function that is there is made anew when what it was made of has changed: it says so in its comment.
	staleSQL = `
select s.id
from _system.event_source s
where s.schema_name <> '' and to_regclass(format('%I.%I', s.schema_name, s.table_name)) is not null
order by s.id`
)

// Declare says what some consumers hear, in place of what was said of them before, and makes the capturing functions anew.
// What it says nothing of stays: another server may know of it. It needs no right on the tables; which of them have no
// trigger yet, Drift tells.
func (s *Store) Declare(ctx context.Context, columns map[Relation]Columns, consumers []string, all []Interest) error {
	all = merged(all)
	return pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		// Servers that start together take turns.
		if _, err := tx.Exec(ctx, "lock table _system.event_interest in share row exclusive mode"); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		var schemas, tables, heard []string
		for _, i := range all {
			var omit, hash []string
			if c, given := columns[i.Relation]; given {
				omit, hash = c.Omit, c.Hash
			}
			if hash == nil {
				hash = []string{}
			}
			batch.Queue(sourceSQL, i.Schema, i.Table, i.Entity, omit, hash)
			batch.Queue(consumerSQL, i.Consumer)
			batch.Queue(interestSQL, i.Schema, i.Table, i.Consumer, int(i.Ops), i.Columns, i.Delivers, i.filter())
			schemas, tables, heard = append(schemas, i.Schema), append(tables, i.Table), append(heard, i.Consumer)
		}
		batch.Queue(uninterestedSQL, schemas, tables, heard, append(consumers, heard...))
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
		return recapture(ctx, tx)
	})
}

// merged puts what one consumer hears of one relation into one interest.
func merged(all []Interest) []Interest {
	byWho := map[[3]string]*Interest{}
	var order []*Interest
	for _, i := range all {
		key := [3]string{i.Schema, i.Table, i.Consumer}
		before := byWho[key]
		if before == nil {
			one := i
			byWho[key] = &one
			order = append(order, &one)
			continue
		}
		if before.Ops.Has(Update) && i.Ops.Has(Update) && (before.Columns == nil || i.Columns == nil) {
			before.Columns = nil
		} else {
			before.Columns = append(before.Columns, i.Columns...)
		}
		if before.When != i.When {
			before.When = ""
		}
		before.Ops |= i.Ops
		before.Delivers = before.Delivers || i.Delivers
	}
	slices.SortFunc(order, func(a, b *Interest) int {
		return cmp.Or(cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Consumer, b.Consumer))
	})
	result := make([]Interest, len(order))
	for i, one := range order {
		result[i] = *one
	}
	return result
}

// recapture makes all capturing functions of tables that are there.
func recapture(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, staleSQL)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := tx.Exec(ctx, "select _system.recapture($1)", id); err != nil {
			return err
		}
	}
	return nil
}

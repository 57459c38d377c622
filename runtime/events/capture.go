package events

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// triggers are those of a captured table, with what each is made by.
var triggers = []struct{ name, timing, call string }{
	{"fraiseql_capture", "after insert or update or delete on %s for each row", "_system.capture_%d()"},
	{"fraiseql_capture_truncate", "after truncate on %s for each statement", "_system.capture_truncate(%d)"},
}

const (
	// wanted: somebody hears of it. there: the table is. missing: triggers that are not there or do not always fire.
	captureSQL = `
select s.id, s.schema_name, s.table_name,
       exists (select from _system.event_interest i where i.source = s.id) as wanted,
       c.oid is not null as there, coalesce(c.relkind::text, ''), coalesce(c.relpersistence::text, ''),
       coalesce((select array_agg(t.tgname::text) from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgname ~ '^fraiseql_capture'), '{}'),
       coalesce((select array_agg(t.tgname::text) from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgname ~ '^fraiseql_capture' and t.tgenabled = 'A'), '{}'),
       s.columns, s.key,
       coalesce((select array_agg(a.attname::text order by a.attnum) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '{}')
from _system.event_source s
left join pg_class c on c.oid = to_regclass(format('%I.%I', s.schema_name, s.table_name))
where s.schema_name <> ''
order by s.schema_name, s.table_name`
)

// Captured is how a table stands.
type Captured struct {
	Relation
	Source      int
	Wanted      bool // somebody hears of it
	There       bool // the table exists
	Kind        string
	Persistence string   // of pg_class: u is UNLOGGED, whose rows a crash empties without any event
	Triggers    []string // that are there
	Firing      []string // that are there and fire always
	Told        []string // columns that the capturing function tells
	Key         []string
	Columns     []string // of the table now
}

// Whole tells whether every change of the table is captured.
func (c *Captured) Whole() bool { return len(c.Firing) == len(triggers) }

// Drift tells how the tables stand of which somebody hears, or heard.
func (s *Store) Drift(ctx context.Context) ([]Captured, error) {
	rows, err := s.Pool.Query(ctx, captureSQL)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Captured, error) {
		var c Captured
		err := row.Scan(&c.Source, &c.Schema, &c.Table, &c.Wanted, &c.There, &c.Kind, &c.Persistence, &c.Triggers, &c.Firing, &c.Told, &c.Key, &c.Columns)
		return c, err
	})
}

// Statements are what the owner of a table has to run so that it is captured, or no more.
func (c *Captured) Statements() []string {
	table := pgx.Identifier{c.Schema, c.Table}.Sanitize()
	var all []string
	switch {
	case !c.There:
	case !c.Wanted:
		for _, name := range c.Triggers {
			all = append(all, fmt.Sprintf("drop trigger if exists %s on %s;", name, table))
		}
	case !c.Whole():
		for _, t := range triggers {
			all = append(all,
				fmt.Sprintf("create or replace trigger %s %s execute function %s;", t.name, fmt.Sprintf(t.timing, table), fmt.Sprintf(t.call, c.Source)),
				fmt.Sprintf("alter table %s enable always trigger %s;", table, t.name))
		}
	}
	return all
}

// Install makes and drops triggers as interests want it, and tells of which tables. conn is of the tables' owner. A table
// that is in use is waited for two seconds, some times: what waits for its lock holds up everybody behind it.
func Install(ctx context.Context, conn *pgx.Conn, all []Captured) (done []Captured, err error) {
	for _, c := range all {
		statements := c.Statements()
		if len(statements) == 0 {
			continue
		}
		if c.Wanted && c.Kind != "r" && c.Kind != "p" {
			return done, fault.New(fault.Invalid, "events/no-table", c.String()+" is no table, and changes of it cannot be captured").
				WithHint("name the table that its rows come from")
		}
		for try := 1; ; try++ {
			err := install(ctx, conn, statements)
			var refused *pgconn.PgError
			switch {
			case err == nil:
				done = append(done, c)
			case errors.As(err, &refused) && refused.Code == "55P03" && try < 5:
				select {
				case <-ctx.Done():
					return done, ctx.Err()
				case <-time.After(time.Duration(try) * 200 * time.Millisecond):
				}
				continue
			case errors.As(err, &refused) && refused.Code == "55P03":
				return done, fault.Wrap(fault.Unavailable, "events/table-busy", "the triggers of "+c.String()+" could not be made: others have it in use", err).
					WithHint("run it again when no long transaction writes to the table")
			case errors.As(err, &refused) && refused.Code == "42501":
				return done, fault.Wrap(fault.Forbidden, "events/no-right", "this login may not make triggers on "+c.String(), err).
					WithHint("give [migrations] url_env the address of the tables' owner, or grant trigger on %s", c.String())
			default:
				return done, postgres.Explain(err)
			}
			break
		}
	}
	return done, nil
}

func install(ctx context.Context, conn *pgx.Conn, statements []string) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "set local lock_timeout = '2s'"); err != nil {
			return err
		}
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

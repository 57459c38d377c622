package events

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Filter chooses events. The zero value is all.
type Filter struct {
	IDs      []int64
	Entity   string // or schema.table, or the name of CUSTOM events
	Op       Op
	Since    time.Time // not before
	Until    time.Time // before
	Consumer string    // of deliveries: only this one
	Before   int64     // of lists: only older ones
	Limit    int       // of lists; 0 is 100
}

// where is the condition of a filter over e and s, with parameters $1 to $6.
const where = `
where (cardinality($1::int8[]) = 0 or e.id = any ($1))
  and ($2 = '' or s.entity = $2 or s.schema_name || '.' || s.table_name = $2)
  and ($3 = '' or e.op = $3::"char")
  and ($4::timestamptz is null or e.at >= $4)
  and ($5::timestamptz is null or e.at < $5)
  and ($6 = 0 or e.id < $6)`

const (
	listSQL = `
select ` + columns + `
from _system.event e
join _system.event_source s on s.id = e.source` + where + `
order by e.id desc
limit $7`

	sourcesSQL = `select entity, schema_name, table_name from _system.event_source`

	emitSQL = `select _system.emit_event($1, $2, $3)`

	replayCountSQL = `
select count(*)
from _system.event e
join _system.event_source s on s.id = e.source
join _system.event_interest i on i.source = e.source and i.delivers
join _system.event_consumer c on c.id = i.consumer` + where + `
  and ($7 = '' or c.name = $7)
  and i.ops & (case e.op when 'I' then 1 when 'U' then 2 when 'D' then 4 when 'T' then 8 else 16 end) <> 0
  and (e.op <> 'U' or i.columns is null or coalesce(i.columns && _system.event_changed(e), true))`

	// The hash of the key is computed as capturing functions do.
	replaySQL = `
insert into _system.event_delivery (consumer, event_id, part, event_at, lane, key, other)
select consumer, id, $8, at, (key & 15)::int2, key, other
from (
    select c.id as consumer, e.id, e.at,
           coalesce(hashtextextended(e.key::text, e.source), case e.op when 'C' then hashint8extended(e.id, e.source) else 1 end) as key,
           case when e.op = 'T' then 0 end as other
    from _system.event e
    join _system.event_source s on s.id = e.source
    join _system.event_interest i on i.source = e.source and i.delivers
    join _system.event_consumer c on c.id = i.consumer` + where + `
      and ($7 = '' or c.name = $7)
      and i.ops & (case e.op when 'I' then 1 when 'U' then 2 when 'D' then 4 when 'T' then 8 else 16 end) <> 0
      and (e.op <> 'U' or i.columns is null or coalesce(i.columns && _system.event_changed(e), true))
) chosen`

	consumerKnownSQL = `select exists (select from _system.event_consumer where name = $1)`

	rescanSQL = `
update _system.event_consumer
set generation = generation + 1
where $1 = '' or name = $1`
)

func (f *Filter) args() []any {
	ids := f.IDs
	if ids == nil {
		ids = []int64{}
	}
	letter := ""
	if f.Op != "" {
		letter = string(f.Op)[:1]
	}
	return []any{ids, f.Entity, letter, moment(f.Since), moment(f.Until), f.Before}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Captured refuses a name by which no table that is captured and no CUSTOM event is called: what is misspelt would find nothing, and
// look as if nothing had happened. An empty name is all.
func (s *Store) Captured(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	rows, err := s.Pool.Query(ctx, sourcesSQL)
	if err != nil {
		return err
	}
	var names, tables []string
	var entity, schema, table string
	found := false
	_, err = pgx.ForEachRow(rows, []any{&entity, &schema, &table}, func() error {
		names = append(names, entity)
		if schema != "" {
			tables = append(tables, schema+"."+table)
		}
		found = found || name == entity || name == schema+"."+table
		return nil
	})
	if err != nil || found {
		return err
	}
	slices.Sort(names)
	names = slices.Compact(names)
	hint := "nothing is captured yet: observers and subscriptions say what is"
	if len(names) > 0 {
		hint = "there are: " + strings.Join(names, ", ")
		if near := diag.Nearest(name, append(names, tables...)); near != "" {
			hint = "did you mean \"" + near + "\"? There are: " + strings.Join(names, ", ")
		}
	}
	return fault.New(fault.NotFound, "events/no-entity", "no table that is captured and no CUSTOM event is called `"+name+"`").WithHint("%s", hint)
}

// List gives events, the newest first.
func (s *Store) List(ctx context.Context, f Filter) ([]*Event, error) {
	limit := f.Limit
	if limit == 0 {
		limit = 100
	}
	rows, err := s.Pool.Query(ctx, listSQL, append(f.args(), limit)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

// Emit tells of a CUSTOM event and gives its id. key names what it is about; nil for an event that stands alone.
func (s *Store) Emit(ctx context.Context, name string, data, key json.RawMessage) (int64, error) {
	var id int64
	err := s.Pool.QueryRow(ctx, emitSQL, name, text(data), text(key)).Scan(&id)
	return id, err
}

func text(j json.RawMessage) *string {
	if j == nil {
		return nil
	}
	s := string(j)
	return &s
}

// Replay delivers events again to who hears them now: each delivery is new, its event the same. With dry it only counts.
// It wants a filter, so that nobody replays a week by accident.
func (s *Store) Replay(ctx context.Context, f Filter, dry bool) (int64, error) {
	if len(f.IDs) == 0 && f.Since.IsZero() {
		return 0, fault.New(fault.Invalid, "events/replay-all", "a replay needs ids of events, or a time since when").WithHint("fraiseql events replay --since 1h --dry-run")
	}
	if f.Consumer != "" {
		var known bool
		if err := s.Pool.QueryRow(ctx, consumerKnownSQL, f.Consumer).Scan(&known); err != nil {
			return 0, err
		}
		if !known {
			return 0, fault.New(fault.NotFound, "events/no-consumer", "nobody who hears of events is called "+strings.TrimPrefix(f.Consumer, "observer:")).WithHint("fraiseql observers list")
		}
	}
	if dry {
		var count int64
		err := s.Pool.QueryRow(ctx, replayCountSQL, append(f.args(), f.Consumer)...).Scan(&count)
		return count, err
	}
	var count int64
	err := pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		var part int
		if err := tx.QueryRow(ctx, "select nextval('_system.event_replay')").Scan(&part); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, replaySQL, append(f.args(), f.Consumer, part)...)
		if err != nil {
			return err
		}
		count = tag.RowsAffected()
		_, err = tx.Exec(ctx, rescanSQL, f.Consumer)
		return err
	})
	return count, err
}

package events

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// Trail chooses events by what they came from. Empty fields are all. There are no indexes for it: it is for a person who
// asks, and reads what is kept from Since on.
type Trail struct {
	Since   time.Time
	Until   time.Time // the zero time is now
	XID     uint64
	Cause   string   // whole
	Request string   // whole
	Entity  string   // or schema.table, or the name of CUSTOM events
	Key     []string // the values of the key, in its order
	Limit   int
}

const (
	trailSQL = `
select ` + columns + `
from _system.event e
join _system.event_source s on s.id = e.source
where e.at >= $1 and e.at <= coalesce($2, 'infinity'::timestamptz)
  and ($3 = '' or e.xid = $3::xid8)
  and ($4 = '' or split_part(e.request, ' ', 3) = $4)
  and ($5 = '' or split_part(e.request, ' ', 1) = $5)
  and ($6 = '' or lower(s.entity) = lower($6) or s.schema_name || '.' || s.table_name = $6 or s.table_name = $6)
  and (cardinality($7::text[]) = 0 or (select array_agg(k.value) from json_each_text(e.key::json) k) = $7)
order by e.id desc
limit $8`

	openSQL = `
select c.name, d.step, d.attempt, d.due_at, coalesce(d.error, ''), false
from _system.event_consumer c
join _system.event_delivery d on d.consumer = c.id and d.event_id = $1
union all
select c.name, d.step, d.attempts, null, d.error, true
from _system.event_consumer c
join _system.event_dead d on d.consumer = c.id and d.event_id = $1
order by 1`
)

// Follow gives events of a trail, the newest first.
func (s *Store) Follow(ctx context.Context, t Trail) ([]*Event, error) {
	xid, key := "", t.Key
	if t.XID != 0 {
		xid = strconv.FormatUint(t.XID, 10)
	}
	if key == nil {
		key = []string{}
	}
	rows, err := s.Pool.Query(ctx, trailSQL, t.Since, moment(t.Until), xid, t.Cause, t.Request, t.Entity, key, t.Limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

// Unfinished is a delivery of an event that is still to be done, or was given up.
type Unfinished struct {
	Consumer string
	Step     int
	Attempts int
	Due      *time.Time
	Error    string
	Dead     bool
}

// Unfinished gives those of an event.
func (s *Store) Unfinished(ctx context.Context, id int64) ([]Unfinished, error) {
	rows, err := s.Pool.Query(ctx, openSQL, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Unfinished])
}

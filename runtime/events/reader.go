package events

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Position is up to where a reader has read: all that a snapshot sees, or a part of what it sees beyond an earlier one.
// The zero value is nowhere: Now gives where to begin.
type Position struct {
	seen  string // a pg_snapshot: all that it sees has been read
	until string // the snapshot that is being read up to; empty when that is done
	after int64  // what is new in until has been read up to this id
}

// String gives the position for keeping it; ParsePosition reads it.
func (p Position) String() string {
	if p.until == "" {
		return p.seen
	}
	return p.seen + "/" + p.until + "/" + strconv.FormatInt(p.after, 10)
}

// ParsePosition reads a position; that it is one, PostgreSQL judges.
func ParsePosition(text string) (Position, error) {
	parts := strings.Split(text, "/")
	bad := fault.New(fault.Invalid, "events/bad-position", "this is no position in the events").WithHint("take one that was given out, or none to begin now")
	for _, snapshot := range parts[:min(2, len(parts))] {
		if strings.Count(snapshot, ":") != 2 || strings.Trim(snapshot, "0123456789:,") != "" {
			return Position{}, bad
		}
	}
	switch len(parts) {
	case 1:
		return Position{seen: parts[0]}, nil
	case 3:
		after, err := strconv.ParseInt(parts[2], 10, 64)
		if err != nil {
			return Position{}, bad
		}
		return Position{seen: parts[0], until: parts[1], after: after}, nil
	}
	return Position{}, bad
}

const (
	nowSQL = `select pg_current_snapshot()::text`

	// The events that are new to $2 as seen by $1, at most $4 of them after $3, in the order of ids: in that order changes of one
	// row came about. pg_visible_in_snapshot keeps out what has become visible since.
	pageSQL = `
select ` + columns + `
from _system.event e
join _system.event_source s on s.id = e.source
where e.id > $3 and e.xid >= pg_snapshot_xmin($1::pg_snapshot) and not pg_visible_in_snapshot(e.xid, $1::pg_snapshot)
  and pg_visible_in_snapshot(e.xid, $2::pg_snapshot) and (cardinality($5::int4[]) = 0 or e.source = any ($5::int4[]))
order by e.id
limit $4`

	freshSQL = `select now, lowest from _system.event_fresh($1)`
)

// Reader goes through events as a log: each once, when it has become visible. It is for one goroutine.
type Reader struct {
	Pool    *pgxpool.Pool
	Sources []int // only these; none is all
	At      Position
	Last    Position // a whole one to stop at; the zero value is what is visible when it is asked

	page Position // that the last page is of
}

// Now gives the position behind all that is visible now.
func Now(ctx context.Context, pool *pgxpool.Pool) (Position, error) {
	var p Position
	err := pool.QueryRow(ctx, nowSQL).Scan(&p.seen)
	return p, err
}

// Next gives the events that come next, at most so many; none when there is nothing new. The position has moved behind
// them.
func (r *Reader) Next(ctx context.Context, most int) ([]*Event, error) {
	at := r.At
	if at.until == "" {
		var lowest *int64
		if err := r.Pool.QueryRow(ctx, freshSQL, at.seen).Scan(&at.until, &lowest); err != nil {
			return nil, err
		}
		if r.Last.seen != "" {
			at.until = r.Last.seen
		}
		if lowest == nil {
			r.At = Position{seen: at.until}
			return nil, nil
		}
		at.after = *lowest - 1
	}
	r.page = at
	sources := r.Sources
	if sources == nil {
		sources = []int{}
	}
	rows, err := r.Pool.Query(ctx, pageSQL, at.seen, at.until, at.after, most, sources)
	if err != nil {
		return nil, err
	}
	page, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, err
	}
	if len(page) < most {
		r.At = Position{seen: at.until}
	} else {
		at.after = page[len(page)-1].ID
		r.At = at
	}
	return page, nil
}

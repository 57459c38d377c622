package events

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Whole tells whether a position is that of a snapshot: nothing of it is left to be read.
func (p Position) Whole() bool { return p.until == "" }

// Behind gives the position behind an event of the page that Next has given last.
func (r *Reader) Behind(e *Event) Position {
	p := r.page
	p.after = e.ID
	return p
}

// Seen tells what has been read at a position, without asking the database.
type Seen struct {
	seen, until snapshot
	after       int64
}

// Seen reads a position; of what is none it has read nothing.
func (p Position) Seen() Seen {
	return Seen{seen: snapshotOf(p.seen), until: snapshotOf(p.until), after: p.after}
}

// Has tells whether an event has been read.
func (s Seen) Has(xid uint64, id int64) bool {
	return s.seen.sees(xid) || s.until.sees(xid) && id <= s.after
}

// snapshot is a pg_snapshot: all below most is visible, but for what was under way.
type snapshot struct {
	most     uint64
	underway []uint64 // in order
}

func snapshotOf(text string) (s snapshot) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return s
	}
	s.most, _ = strconv.ParseUint(parts[1], 10, 64) // PostgreSQL has written it, or judges it
	for part := range strings.SplitSeq(parts[2], ",") {
		if x, err := strconv.ParseUint(part, 10, 64); err == nil {
			s.underway = append(s.underway, x)
		}
	}
	return s
}

// Covers tells whether a whole position is not before another one, both of snapshots of one database.
func (p Position) Covers(other Position) bool {
	later, earlier := snapshotOf(p.seen), snapshotOf(other.seen)
	return later.most >= earlier.most && !slices.ContainsFunc(later.underway, earlier.sees)
}

func (s snapshot) sees(xid uint64) bool {
	_, underway := slices.BinarySearch(s.underway, xid)
	return xid < s.most && !underway
}

const judgeSQL = `select pg_snapshot_xmax($1::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot()) and pg_snapshot_xmax($2::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot())`

// Judge refuses a position that was not given out for this database, as far as can be told: it lies ahead of it.
func Judge(ctx context.Context, pool *pgxpool.Pool, p Position) error {
	until, possible := p.until, false
	if until == "" {
		until = p.seen
	}
	err := pool.QueryRow(ctx, judgeSQL, p.seen, until).Scan(&possible)
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && strings.HasPrefix(refused.Code, "22"), err == nil && !possible:
		return fault.New(fault.Invalid, "events/bad-position", "this is no position in the events of this database").WithHint("take one that was given out, or none to begin now")
	}
	return err
}

package postgres

import (
	"math"
	"strconv"
	"time"
)

// Position is a place in PostgreSQL's log of changes, in bytes. A replica that has replayed the log up to it has all that
// was committed before. 0 is before everything.
type Position uint64

// Nowhere is a place that no replica reaches: what is to be seen from there on, the primary alone can show.
const Nowhere = Position(math.MaxUint64)

// unsureFrom is where positions begin that are none. A log that gets there writes a gigabyte a second for three centuries.
const unsureFrom = Position(1) << 63

// never is a time in seconds that calendars can still count with.
const never = 1 << 40

// UnsureAt is the place of what was written at some time, if it was: nobody knows where. As a number it is further than
// any log.
func UnsureAt(when time.Time) Position { return unsureFrom | Position(when.Unix()) }

// Unsure gives the time of UnsureAt. Nowhere has none that will ever come.
func (p Position) Unsure() (when time.Time, unsure bool) {
	if p < unsureFrom {
		return time.Time{}, false
	}
	return time.Unix(int64(min(p&^unsureFrom, never)), 0), true
}

// The log has pages, which begin with a head.
const (
	pageSize = 8192
	pageHead = 24
)

// ParsePosition reads a number of bytes, as pg_wal_lsn_diff gives them. A place behind the head of a page is the one before
// the head: the end of a log that ends with a page is told as either, and replaying it ends before.
func ParsePosition(text []byte) Position {
	n, err := strconv.ParseUint(string(text), 10, 64)
	switch {
	case err != nil:
		return 0
	case n%pageSize == pageHead:
		n -= pageHead
	}
	return Position(n)
}

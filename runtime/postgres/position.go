package postgres

import (
	"math"
	"strconv"
)

// Position is a place in PostgreSQL's log of changes, in bytes. A replica that has replayed the log up to it has all that
// was committed before. 0 is before everything.
type Position uint64

// Nowhere is a place that no replica reaches: what is to be seen from there on, the primary alone can show.
const Nowhere = Position(math.MaxUint64)

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

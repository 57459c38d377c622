package catalog

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// estimate is about how many rows a table has. It changes with the data, and so is the one part of a catalog that
// may change: see Catalog.Count.
type estimate struct{ rows *atomic.Uint64 }

// unknown is the estimate of a table that nobody has counted.
func unknown() estimate {
	e := estimate{&atomic.Uint64{}}
	e.rows.Store(math.Float64bits(math.Inf(1)))
	return e
}

// Rows tells about how many rows a table has, by the planner's statistics or else by its size. It is +Inf where nobody
// knows, as of a view.
func (t *Table) Rows() float64 {
	if t.rows.rows == nil {
		return math.Inf(1)
	}
	return math.Float64frombits(t.rows.rows.Load())
}

// SetRows notes about how many rows a table has. One that was made by hand has no estimate yet, and nobody else sees it.
func (t *Table) SetRows(n float64) {
	if t.rows.rows == nil {
		t.rows = unknown()
	}
	t.rows.rows.Store(math.Float64bits(n))
}

// RowsQuerier is what Count needs of a pool or a connection.
type RowsQuerier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Count looks again how many rows the tables have, which no fingerprint tells. It may run while the catalog is used.
func (c *Catalog) Count(ctx context.Context, db RowsQuerier) error {
	rows, err := db.Query(ctx, sizesSQL, c.Schemas)
	if err != nil {
		return fmt.Errorf("count rows: %w", err)
	}
	tables := make(map[uint32]*Table, len(c.Tables))
	for _, t := range c.Tables {
		tables[t.OID] = t
	}
	return readSizes(rows, tables)
}

func readSizes(rows pgx.Rows, tables map[uint32]*Table) error {
	var oid uint32
	var n float64
	_, err := pgx.ForEachRow(rows, []any{&oid, &n}, func() error {
		if t := tables[oid]; t != nil {
			t.SetRows(n)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("count rows: %w", err)
	}
	return nil
}

package execute

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

// Explain gives PostgreSQL's plan of a statement with its values, a line each; to analyze is to run it, in a
// read-only transaction.
func (e *Executor) Explain(ctx context.Context, call plan.Call, analyze bool) ([]string, error) {
	tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("explain statement: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // it only read: nothing can be lost
	word := "explain "
	if analyze {
		word = "explain (analyze, buffers) "
	}
	result := tx.Conn().PgConn().ExecParams(ctx, word+call.SQL, call.Args, nil, nil, nil).Read()
	if result.Err != nil {
		return nil, fmt.Errorf("explain statement: %w", result.Err)
	}
	lines := make([]string, len(result.Rows))
	for i, row := range result.Rows {
		lines[i] = string(row[0])
	}
	return lines, nil
}

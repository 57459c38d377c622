package execute

import (
	"context"
	"fmt"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

// Explain gives PostgreSQL's plan of a statement with its values, a line each.
func (e *Executor) Explain(ctx context.Context, s *plan.Statement, analyze bool) ([]string, error) {
	conn, err := e.Pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("explain statement: %w", err)
	}
	defer conn.Release()
	word := "explain "
	if analyze {
		word = "explain (analyze, buffers) "
	}
	result := conn.Conn().PgConn().ExecParams(ctx, word+s.SQL, parameters(s), nil, nil, nil).Read()
	if result.Err != nil {
		return nil, fmt.Errorf("explain statement: %w", result.Err)
	}
	lines := make([]string, len(result.Rows))
	for i, row := range result.Rows {
		lines[i] = string(row[0])
	}
	return lines, nil
}

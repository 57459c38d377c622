package execute

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

// Explain gives PostgreSQL's plan of each statement with its values, a line each; to analyze is to run it. Nothing that
// is written then stays.
func (e *Executor) Explain(ctx context.Context, s *Session, calls []plan.Call, writes, analyze bool) ([][]string, error) {
	word := "explain "
	if analyze {
		word = "explain (analyze, buffers) "
	}
	all := make([][]string, 0, len(calls))
	err := e.explaining(ctx, s, writes, func(conn *pgconn.PgConn) error {
		for _, call := range calls {
			result := conn.ExecParams(ctx, word+call.SQL, call.Args, nil, nil, nil).Read()
			if result.Err != nil {
				return fmt.Errorf("explain statement: %w", result.Err)
			}
			lines := make([]string, len(result.Rows))
			for i, row := range result.Rows {
				lines[i] = string(row[0])
			}
			all = append(all, lines)
		}
		return nil
	})
	return all, err
}

// Plan gives PostgreSQL's plan of a statement that reads, as JSON. It is not run.
func (e *Executor) Plan(ctx context.Context, s *Session, call plan.Call) (text []byte, err error) {
	err = e.explaining(ctx, s, call.Effect != nil, func(conn *pgconn.PgConn) error {
		result := conn.ExecParams(ctx, "explain (verbose, format json) "+call.SQL, call.Args, nil, nil, nil).Read()
		if result.Err != nil {
			return fmt.Errorf("plan statement: %w", result.Err)
		}
		text = result.Rows[0][0]
		return nil
	})
	return text, err
}

// explaining calls f within a transaction of whoever asks that is undone.
func (e *Executor) explaining(ctx context.Context, s *Session, writes bool, f func(conn *pgconn.PgConn) error) error {
	mode := pgx.ReadOnly
	if writes {
		mode = pgx.ReadWrite
	}
	tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{AccessMode: mode})
	if err != nil {
		return fmt.Errorf("explain statement: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // what it wrote is to be lost
	conn := tx.Conn().PgConn()
	if s != nil {
		sql, role := sessionSQL, s.Role != ""
		if role {
			sql += roleSQL
		}
		if result := conn.ExecParams(ctx, sql, s.args(role), nil, nil, nil).Read(); result.Err != nil {
			return fmt.Errorf("explain statement: %w: %w", errSession, result.Err)
		}
	}
	return f(conn)
}

package deployment

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// lockKey is the advisory lock of whoever migrates: "fraiseql" in ASCII.
const lockKey = 0x6672616973_65716c

// locked runs work while no other process migrates the database. The lock is asked for again and again, not
// waited for: a session that waits within a statement would hold up `create index concurrently` of the one
// that works, and both would wait for ever.
func (m *Migrator) locked(ctx context.Context, work func() error) error {
	conn, err := m.db.Conn(ctx)
	if err != nil {
		return postgres.Explain(err)
	}
	defer func() { _ = conn.Close() }()
	if err := m.lock(ctx, conn); err != nil {
		return err
	}
	defer func() {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), "select pg_advisory_unlock($1)", lockKey)
		if err != nil {
			m.options.Log.Debug("the lock of migrations goes with its connection", slog.Any("error", err))
		}
	}()
	if err := m.schema(ctx, conn); err != nil {
		return err
	}
	return work()
}

func (m *Migrator) lock(ctx context.Context, conn *sql.Conn) error {
	deadline := time.Now().Add(m.options.Wait)
	for said := false; ; said = true {
		var got bool
		if err := conn.QueryRowContext(ctx, "select pg_try_advisory_lock($1)", lockKey).Scan(&got); err != nil {
			return postgres.Explain(err)
		}
		if got {
			return nil
		}
		if !said {
			m.options.Log.Info("another process migrates the database: waiting for it", slog.Duration("at_most", m.options.Wait))
		}
		if time.Now().After(deadline) {
			return fault.New(fault.Unavailable, "migrations/locked", fmt.Sprintf("another process has been migrating the database for more than %s", m.options.Wait)).
				WithHint("see who: select a.* from pg_stat_activity a join pg_locks l using (pid) where l.locktype = 'advisory'")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// schema makes the place of the version tables, once. `create schema if not exists` would want the right to
// create also where the schema is there.
func (m *Migrator) schema(ctx context.Context, conn *sql.Conn) error {
	var there bool
	if err := conn.QueryRowContext(ctx, "select to_regnamespace('_system') is not null").Scan(&there); err != nil {
		return postgres.Explain(err)
	}
	if there {
		return nil
	}
	if _, err := conn.ExecContext(ctx, "create schema _system"); err != nil {
		return postgres.Explain(err).WithHint("[migrations] url_env names the owner's address; or run as owner: create schema _system")
	}
	return nil
}

// grant gives the server's own role what it needs in _system when another role owns it: rows, no definitions.
func (m *Migrator) grant(ctx context.Context) error {
	if m.options.Login == "" {
		return nil
	}
	for _, statement := range []string{
		"grant usage on schema _system to ",
		"grant select, insert, update, delete on all tables in schema _system to ",
		"grant usage on all sequences in schema _system to ",
		"grant execute on all functions in schema _system to ",
	} {
		if _, err := m.db.ExecContext(ctx, statement+quote(m.options.Login)); err != nil {
			return postgres.Explain(err)
		}
	}
	var there bool
	if err := m.db.QueryRowContext(ctx, "select to_regclass('_system.event_filter') is not null").Scan(&there); err != nil || !there {
		return err
	}
	// What stands in it becomes code that runs as the owner.
	if _, err := m.db.ExecContext(ctx, "revoke insert, update, delete on _system.event_filter from "+quote(m.options.Login)); err != nil {
		return postgres.Explain(err)
	}
	return nil
}

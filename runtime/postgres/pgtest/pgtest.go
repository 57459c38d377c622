// Package pgtest gives tests a real PostgreSQL database of their own, in milliseconds.
//
// All test processes of an account share one private cluster below the temporary folder; it runs while
// any of them does. A database is cloned from a template that is made once from the SQL files it is
// asked for. FRAISEQL_TEST_DATABASE_URL, when set, names a server to use in place of the cluster; its
// role must be allowed to create databases.
package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/postgres/embedded"
)

// server starts the cluster once a process; it is let go when the process ends.
var server = sync.OnceValues(func() (func(database string) string, error) {
	if given := os.Getenv("FRAISEQL_TEST_DATABASE_URL"); given != "" {
		base, err := url.Parse(given)
		if err != nil {
			return nil, fmt.Errorf("read FRAISEQL_TEST_DATABASE_URL: %w", err)
		}
		return func(database string) string {
			u := *base
			u.Path = "/" + database
			return u.String()
		}, nil
	}
	dir := filepath.Join(os.TempDir(), "fraiseql-test-"+strconv.Itoa(os.Geteuid()), "postgres")
	c, err := embedded.Start(context.Background(), embedded.Options{ // for all tests of the process
		Dir: dir, Unsafe: true, Log: slog.New(slog.DiscardHandler),
		Settings: []string{"max_connections=300", "autovacuum=off", "wal_level=logical"}, // so that tests can replicate
	})
	if err != nil {
		return nil, err
	}
	return c.URL, nil
})

// Database gives the address of a fresh database that has what the SQL files make; it is dropped when
// the test ends. The files' statements run in one go, as a driver sends them.
func Database(t testing.TB, files ...string) string {
	t.Helper()
	parts := make([]part, len(files))
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("read test data: %v", err)
		}
		parts[i] = part{text: string(text)}
	}
	return database(t, parts)
}

// part is a piece of what a template is made of: SQL, or a step that its text names.
type part struct {
	text string
	step func(ctx context.Context, conn *pgx.Conn) error
}

func database(t testing.TB, parts []part) string {
	t.Helper()
	address, err := server()
	if err != nil {
		t.Fatalf("these tests need PostgreSQL: %v", err)
	}
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, address("postgres"))
	if err != nil {
		t.Fatalf("connect to the test cluster: %v", err)
	}
	defer func() { _ = conn.Close(context.Background()) }() // the test may be over
	template := "template1"
	if len(parts) > 0 {
		template = ensureTemplate(t, conn, address, parts)
	}
	var random [6]byte
	_, _ = rand.Read(random[:])
	name := "test_" + hex.EncodeToString(random[:])
	if err := clone(ctx, conn, name, template); err != nil {
		t.Fatalf("create test database: %v", err)
	}
	t.Cleanup(func() { drop(t, address, name) })
	return address(name)
}

// clone retries while somebody else is connected to the template, which PostgreSQL refuses.
func clone(ctx context.Context, conn *pgx.Conn, name, template string) error {
	for try := 0; ; try++ {
		_, err := conn.Exec(ctx, "create database "+name+" template "+template)
		if err == nil || try == 100 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// drop closes what is still connected, so that a test that leaks cannot keep the database.
func drop(t testing.TB, address func(string) string, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second) // the test is over
	defer cancel()
	conn, err := pgx.Connect(ctx, address("postgres"))
	if err == nil {
		_, err = conn.Exec(ctx, "drop database "+name+" with (force)")
		_ = conn.Close(ctx)
	}
	if err != nil {
		t.Errorf("drop test database: %v", err)
	}
}

// ensureTemplate makes the template of some parts once, whichever process comes first.
func ensureTemplate(t testing.TB, conn *pgx.Conn, address func(string) string, parts []part) string {
	t.Helper()
	sum := sha256.New()
	for _, p := range parts {
		sum.Write([]byte(p.text))
	}
	name := "template_" + hex.EncodeToString(sum.Sum(nil)[:8])
	if err := buildTemplate(t.Context(), conn, address, name, parts); err != nil {
		t.Fatalf("make test template %s: %v", name, err)
	}
	return name
}

func buildTemplate(ctx context.Context, conn *pgx.Conn, address func(string) string, name string, parts []part) error {
	if _, err := conn.Exec(ctx, "select pg_advisory_lock(hashtext($1))", name); err != nil {
		return err
	}
	defer func() { _, _ = conn.Exec(context.Background(), "select pg_advisory_unlock(hashtext($1))", name) }() // the test may be over
	var there bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name).Scan(&there); err != nil || there {
		return err
	}
	building := name + "_building"
	if _, err := conn.Exec(ctx, "drop database if exists "+building+" with (force)"); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "create database "+building); err != nil {
		return err
	}
	loader, err := pgx.Connect(ctx, address(building))
	if err != nil {
		return err
	}
	for _, p := range append(parts, part{text: "analyze"}) {
		if p.step == nil {
			_, err = loader.PgConn().Exec(ctx, p.text).ReadAll()
		} else {
			err = p.step(ctx, loader)
		}
		if err != nil {
			_ = loader.Close(ctx)
			return err
		}
	}
	if err := loader.Close(ctx); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "alter database "+building+" rename to "+name)
	return err
}

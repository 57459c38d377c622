package graphql_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// sql writes a script to a file, as the template of a database.
func sql(t testing.TB, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "schema.sql")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func exec(t testing.TB, pool *pgxpool.Pool, statement string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// code gives the extensions.code of the first error.
func code(r transport.Response) string {
	if len(r.Errors) == 0 {
		return ""
	}
	c, _ := r.Errors[0].Extensions["code"].(string)
	return c
}

func TestAStatementThatTakesTooLongIsCancelled(t *testing.T) {
	t.Parallel()
	s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{Timeout: time.Second}, sql(t, `
		create view slow as select 'a' as v, pg_sleep(60)::text as w;
		create table quick (id int primary key); insert into quick values (1);`))
	if got := s.Execute(t.Context(), transport.Request{Query: "{ slows { w } }"}); code(got) != "TIMEOUT" {
		t.Fatalf("answered %s %v", got.Data, got.Errors)
	}
	var running int
	for until := time.Now().Add(10 * time.Second); ; <-time.After(10 * time.Millisecond) {
		err := pool.QueryRow(t.Context(), "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and query like '%slow%' and pid <> pg_backend_pid()").Scan(&running)
		if err != nil {
			t.Fatal(err)
		}
		if running == 0 {
			break
		}
		if time.Now().After(until) {
			t.Fatal("the statement still runs in the server")
		}
	}
	if got := s.Execute(t.Context(), transport.Request{Query: "{ quicks { id } }"}); string(got.Data) != `{"quicks":[{"id":1}]}` {
		t.Errorf("the next request answered %s %v", got.Data, got.Errors)
	}
}

// TestSchemaChangesDropNoRequest changes the schema under load: columns and tables come, change and go.
// A request may only fail when what it names is not there.
func TestSchemaChangesDropNoRequest(t *testing.T) {
	t.Parallel()
	s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{Interval: 20 * time.Millisecond, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, sql(t, `
		create table item (id int primary key, name text not null, price int not null);
		insert into item select i, 'item ' || i, i from generate_series(1, 50) i;`))
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	var answered atomic.Int64
	for i := range 6 {
		query := []string{"{ items(limit: 3) { id name price } item(id: 7) { name } }", "{ item(id: 7) { price name } }", "{ items(offset: 6, limit: 1) { id price name } }"}[i%3]
		running.Go(func() {
			for ctx.Err() == nil {
				got := s.Execute(t.Context(), transport.Request{Query: query})
				if len(got.Errors) > 0 || !strings.Contains(string(got.Data), `"name":"item 7"}`) {
					t.Errorf("a request failed: %s %v", got.Data, got.Errors)
					stop()
				}
				answered.Add(1)
			}
		})
	}
	for _, change := range []string{
		"alter table item add column stock int not null default 3",
		"alter table item alter column price type bigint", // the type of a prepared result changes
		"alter table item alter column price type int",
		"create table other (id int primary key, item_id int references item)",
		"alter table item drop column stock",
		"drop table other",
		"comment on column item.name is 'What it is called.'",
	} {
		before := s.Schema("")
		exec(t, pool, change)
		for until := time.Now().Add(20 * time.Second); s.Schema("") == before && ctx.Err() == nil; <-time.After(time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("%s: the change was never seen", change)
			}
		}
		after := answered.Load()
		wait(t, func() bool { return answered.Load() >= after+20 || ctx.Err() != nil }) // each change has requests after it
	}
	stop()
	running.Wait()
	t.Logf("%d requests", answered.Load())
	if got := s.Execute(t.Context(), transport.Request{Query: `{ __type(name: "Item") { fields { name description } } }`}); !strings.Contains(string(got.Data), "What it is called.") {
		t.Errorf("the comment is not in the schema: %s", got.Data)
	}
}

package events_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/events"
)

// TestRowsOfAPublisher has a database that captures follow another one: what the publisher has acted on is told only where
// somebody asks for it.
func TestRowsOfAPublisher(t *testing.T) {
	t.Parallel()
	const table = "create table item (id integer primary key, name text);"
	_, publisher := captured(t, table, "item")
	s, subscriber := captured(t, table, "item")
	var level string
	if err := publisher.QueryRow(t.Context(), "show wal_level").Scan(&level); err != nil {
		t.Fatal(err)
	}
	if level != "logical" {
		if os.Getenv("FRAISEQL_TEST_DATABASE_URL") == "" || os.Getenv("FRAISEQL_TEST_SERVERS") == "required" {
			t.Fatalf("wal_level is %s", level)
		}
		t.Skip("NOT TESTED: the PostgreSQL of FRAISEQL_TEST_DATABASE_URL has wal_level = " + level + ": logical is needed to follow a publisher")
	}
	to := publisher.Config().ConnConfig
	name := "s" + strings.TrimPrefix(to.Database, "test_")
	address := url.URL{Scheme: "postgres", User: url.UserPassword(to.User, to.Password), Host: fmt.Sprintf("%s:%d", to.Host, to.Port), Path: to.Database}
	exec(t, publisher, "create publication items for table item")
	// A subscription that makes its slot in its own cluster would wait for itself.
	exec(t, publisher, "select pg_create_logical_replication_slot('"+name+"', 'pgoutput')")
	exec(t, subscriber, fmt.Sprintf("create subscription %s connection '%s' publication items with (create_slot = false, copy_data = false)", name, address.String()))
	defer exec(t, publisher, "select pg_drop_replication_slot('"+name+"')")
	defer exec(t, subscriber, fmt.Sprintf("alter subscription %s disable; alter subscription %[1]s set (slot_name = none); drop subscription %[1]s", name))

	arrives := func(sql, name string) {
		t.Helper()
		exec(t, publisher, sql)
		for until := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			var there bool
			if err := subscriber.QueryRow(t.Context(), "select exists (select from item where name = $1)", name).Scan(&there); err != nil {
				t.Fatal(err)
			}
			if there {
				return
			}
			if time.Now().After(until) {
				t.Fatalf("%s does not arrive", sql)
			}
		}
	}
	arrives("insert into item values (1, 'a')", "a")
	exec(t, subscriber, "set session_replication_role = replica; insert into item values (2, 'here'); reset session_replication_role") // pg_restore does so
	expect(t, told(t, s), `INSERT {"id":2} - {"id":2,"name":"here"} `)

	keep := func(replicated string) {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context())
		var keeping sync.WaitGroup
		defer keeping.Wait()
		defer stop()
		keeping.Go(func() {
			s.Keep(ctx, events.Config{CaptureReplicated: replicated == "true", Retention: time.Hour}, slog.New(slog.DiscardHandler))
		})
		for set := ""; set != replicated; time.Sleep(10 * time.Millisecond) {
			if err := subscriber.QueryRow(t.Context(), "select coalesce((select value from _system.event_setting where name = 'capture_replicated'), '')").Scan(&set); err != nil {
				t.Fatal(err)
			}
		}
	}
	keep("true")
	arrives("update item set name = 'b'", "b")
	arrives("truncate item; insert into item values (3, 'c')", "c")
	expect(t, told(t, s), `INSERT {"id":2} - {"id":2,"name":"here"} `, `UPDATE {"id":1} {"id":1,"name":"a"} {"id":1,"name":"b"} name`, "TRUNCATE - - - ", `INSERT {"id":3} - {"id":3,"name":"c"} `)
	keep("false")
	before := len(told(t, s))
	arrives("update item set name = 'd'; truncate item; insert into item values (4, 'e')", "e")
	if got := told(t, s)[before:]; len(got) > 0 {
		t.Errorf("told %q", got)
	}
}

//go:build unix

package app_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/postgres/embedded"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// TestReplicasAreJudged has one that is well, and others that are none, by validate --live and doctor.
func TestReplicasAreJudged(t *testing.T) {
	t.Parallel()
	primary := pgtest.Primary(t)
	standby := pgtest.Standby(t, primary)
	do := func(c *embedded.Cluster, sql string) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), c.URL(embedded.Database))
		if err == nil {
			_, err = conn.PgConn().Exec(t.Context(), sql).ReadAll()
			_ = conn.Close(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	do(primary, "create role api login password 'api'; create table item (id int primary key); grant select on item to api")
	api := func(c *embedded.Cluster) string {
		return "postgres://api:api@" + net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port)) + "/" + embedded.Database
	}
	for until := time.Now().Add(20 * time.Second); ; <-time.After(10 * time.Millisecond) { // what was done on the primary has to come over
		conn, err := pgx.Connect(t.Context(), api(standby))
		if err == nil {
			_, err = conn.PgConn().Exec(t.Context(), "select from item").ReadAll()
			_ = conn.Close(t.Context())
		}
		if err == nil {
			break
		}
		if time.Now().After(until) {
			t.Fatal(err)
		}
	}
	var file strings.Builder
	for _, address := range []string{api(standby), api(primary), pgtest.Database(t), "postgres://api:hunter2@127.0.0.1:1/none"} {
		fmt.Fprintf(&file, "[[database.replicas]]\nurl = %q\n", address)
	}
	path := filepath.Join(t.TempDir(), "fraiseql.toml")
	if err := os.WriteFile(path, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	a, source := open(t, path, api(primary))
	problems, err := a.Preflight(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, p := range problems {
		what, _, _ := strings.Cut(p.Message, " (")
		told = append(told, fmt.Sprintf("%d %s %s", p.Primary.Line, p.Code, what))
	}
	want := []string{"3 database/not-a-replica replica 2", "5 database/foreign-replica replica 3", "7 database/unreachable replica 4"}
	if !slices.Equal(told, want) {
		t.Errorf("it tells\n%s", strings.Join(told, "\n"))
	}
	if strings.Contains(fmt.Sprint(problems), "hunter2") {
		t.Error("the password is shown")
	}

	doctor := func() (lines []string) {
		t.Helper()
		for _, f := range a.Doctor(t.Context(), t.TempDir()) {
			if f.Check == "replicas" {
				lines = append(lines, string(f.State)+" "+f.Message)
			}
		}
		if len(lines) != 4 {
			t.Fatalf("doctor tells %s", strings.Join(lines, "\n"))
		}
		return lines
	}
	for i, want := range []string{"ok replica 1", "error replica 2", "error replica 3", "warning replica 4"} {
		if got := doctor()[i]; !strings.HasPrefix(got, want) || strings.Contains(got, "hunter2") {
			t.Errorf("doctor tells %s, want %s", got, want)
		}
	}
	do(standby, "select pg_wal_replay_pause()")
	do(primary, "insert into item select generate_series(1, 1000)")
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(50 * time.Millisecond) { // until the standby has heard of it
		got := doctor()[0]
		if strings.HasPrefix(got, "warning replica 1") && strings.Contains(got, "is told not to follow the primary, and is ") && strings.Contains(got, " bytes behind") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("doctor tells %s", got)
		}
	}
	do(standby, "select pg_wal_replay_resume()")
}

// TestReplicasAreRead serves with a replica, and one that is away.
func TestReplicasAreRead(t *testing.T) {
	t.Parallel()
	primary := pgtest.Primary(t)
	standby := pgtest.Standby(t, primary)
	address := func(c *embedded.Cluster) string { return c.URL(embedded.Database) }
	path := filepath.Join(t.TempDir(), "fraiseql.toml")
	text := fmt.Sprintf("[server]\nport = 0\n[lifecycle]\nshutdown_delay = \"0s\"\n[[database.replicas]]\nurl = %q\n[[database.replicas]]\nurl = \"postgres://api@127.0.0.1:1/none\"\n", address(standby))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), address(primary))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), "create table item (id int primary key); create view server as select pg_is_in_recovery() as replica"); err != nil {
		t.Fatal(err)
	}
	a, _ := open(t, path, address(primary))
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- a.Run(ctx, func(url string) { ready <- url }) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	url := <-ready
	ask := func(query, version string) (body, given string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/graphql", strings.NewReader(`{"query":"`+query+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if version != "" {
			r.Header.Set("x-fraiseql-version", version)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s %s %v", response.Status, text, err)
		}
		return string(text), response.Header.Get("x-fraiseql-version")
	}
	const read = "{ servers { replica } items { id } }"
	until := func(want string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; <-time.After(5 * time.Millisecond) {
			body, _ := ask(read, "")
			if body == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("it answers %s, and never %s", body, want)
			}
		}
	}
	until(`{"data":{"servers":[{"replica":true}],"items":[]}}`)
	_, version := ask("mutation { createItem(input: {id: 7}) { id } }", "")
	if version == "" {
		t.Error("a mutation has no version")
	}
	if body, given := ask(read, version); !strings.Contains(body, `"items":[{"id":7}]`) || given != "" {
		t.Errorf("it answers %s, version %s", body, given)
	}
	until(`{"data":{"servers":[{"replica":true}],"items":[{"id":7}]}}`)
	if body, _ := ask(read, "ffffffffffffffff"); body != `{"data":{"servers":[{"replica":false}],"items":[{"id":7}]}}` {
		t.Errorf("it answers %s", body)
	}
}

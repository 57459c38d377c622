//go:build unix

package app_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

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
	if got := doctor()[0]; !strings.HasPrefix(got, "warning replica 1") || !strings.Contains(got, "is told not to follow the primary, and is ") || !strings.Contains(got, " bytes behind") {
		t.Errorf("doctor tells %s", got)
	}
	do(standby, "select pg_wal_replay_resume()")
}

package execute

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

const room = 1 << 20

func connect(t *testing.T) *pgconn.PgConn {
	t.Helper()
	pool, err := postgres.Connect(t.Context(), pgtest.Database(t), postgres.PoolOptions{Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Release(); pool.Close() })
	return conn.Conn().PgConn()
}

// one is a statement whose only column is called v.
func one(sql string, args ...string) plan.Call {
	call := plan.Call{Statement: &plan.Statement{SQL: sql, Columns: []plan.Column{{Before: `{"v":`, Encoding: schema.Raw}}, End: "}"}}
	for _, a := range args {
		call.Args = append(call.Args, []byte(a))
	}
	return call
}

// rows runs SQL beside the executor and gives the first column.
func rows(t *testing.T, conn *pgconn.PgConn, sql string) []string {
	t.Helper()
	results, err := conn.Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, r := range results {
		for _, row := range r.Rows {
			list = append(list, string(row[0]))
		}
	}
	return list
}

// agree compares what a connection is taken to have prepared with what it has.
func agree(t *testing.T, conn *pgconn.PgConn) {
	t.Helper()
	var names []string
	for e := preparedOn(conn).order.Front(); e != nil; e = e.Next() {
		names = append(names, e.Value.(statement).name)
	}
	slices.Sort(names)
	if diff := cmp.Diff(rows(t, conn, `select name from pg_prepared_statements where name like 'fraiseql%' order by name collate "C"`), names); diff != "" {
		t.Errorf("the server has prepared something else (-server +list):\n%s", diff)
	}
}

// TestAFailureEndsARun fails at each point of the exchange, with each statement: what came before it is
// given, its place is told, and the connection can go on.
func TestAFailureEndsARun(t *testing.T) {
	t.Parallel()
	good := func(n int) plan.Call { return one(fmt.Sprintf("select %d", n)) }
	parse, bind := one("select nothing"), one("select $1::int", "x")
	execute, late := one("select 1 / (n - 3) from generate_series(1, 5) n"), one("insert into pairs values (1), (1) returning 7")
	locked := good(1)
	locked.Locks = []string{"absent"}
	writing := one("select nextval('numbers')")
	writing.Calls = true
	for name, c := range map[string]struct {
		statements []plan.Call
		at         int
		code       string
		out        []string
	}{
		"none":             {[]plan.Call{good(1)}, 0, "", []string{`[{"v":1}]`}},
		"none of two":      {[]plan.Call{good(1), good(2)}, 0, "", []string{`[{"v":1}]`, `[{"v":2}]`}},
		"twice the same":   {[]plan.Call{good(1), good(1)}, 0, "", []string{`[{"v":1}]`, `[{"v":1}]`}},
		"parse":            {[]plan.Call{parse}, 0, "42703", []string{""}},
		"parse, second":    {[]plan.Call{good(1), parse, good(2)}, 1, "42703", []string{`[{"v":1}]`, "", ""}},
		"bind":             {[]plan.Call{bind}, 0, "22P02", []string{""}},
		"bind, third":      {[]plan.Call{good(1), good(2), bind}, 2, "22P02", []string{`[{"v":1}]`, `[{"v":2}]`, ""}},
		"execute":          {[]plan.Call{execute}, 0, "22012", []string{""}},
		"execute, first":   {[]plan.Call{execute, good(1)}, 0, "22012", []string{"", ""}},
		"lock":             {[]plan.Call{locked, good(2)}, -1, "42P01", []string{"", ""}},
		"commit":           {[]plan.Call{good(1), late}, -1, "23505", []string{`[{"v":1}]`, `[{"v":7},{"v":7}]`}},
		"writing in reads": {[]plan.Call{writing}, 0, "25006", []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, unnamed := range []bool{false, true} {
				conn := connect(t)
				rows(t, conn, "create temporary table pairs (id int unique deferrable initially deferred); create sequence numbers")
				for range 2 { // the second time the good ones are prepared
					out := make([][]byte, len(c.statements))
					failed := run(t.Context(), conn, c.statements, unnamed, room, out)
					at, code := 0, ""
					if failed != nil {
						at, code = failed.at, strings.TrimSuffix(failed.err.Error()[strings.LastIndex(failed.err.Error(), " ")+1:], ")")
					}
					if at != c.at || code != c.code {
						t.Errorf("it failed at %d by %q: %v", at, code, failed)
					}
					for i, want := range c.out {
						if i == at && failed != nil {
							continue // of a statement that failed there may be a part
						}
						if string(out[i]) != want {
							t.Errorf("%d gave %s, want %s", i, out[i], want)
						}
					}
					if conn.IsClosed() || conn.TxStatus() != 'I' {
						t.Fatalf("the connection cannot go on: %c", conn.TxStatus())
					}
					agree(t, conn)
				}
			}
		})
	}
}

// TestWhatIsPreparedIsBounded runs many more statements than are kept, with failures in between.
func TestWhatIsPreparedIsBounded(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	for i := range 3 * maxPrepared {
		statements := []plan.Call{one(fmt.Sprintf("select %d", i)), one(fmt.Sprintf("select %d / $1::int", i), []string{"1", "0", "x"}[i%3])}
		if i%5 == 0 {
			statements = append(statements, one(fmt.Sprintf("select nothing%d", i)), one(fmt.Sprintf("select -%d", i)))
		}
		run(t.Context(), conn, statements, false, room, make([][]byte, len(statements)))
	}
	run(t.Context(), conn, []plan.Call{one("select 1" + strings.Repeat(" ", maxPreparedText))}, false, room, make([][]byte, 1))
	agree(t, conn)
	if kept := preparedOn(conn).order.Len(); kept != maxPrepared {
		t.Errorf("%d are kept", kept)
	}
}

// TestAnAnswerHasItsRoom stops at the bound, and leaves a connection that can go on.
func TestAnAnswerHasItsRoom(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	endless := one("select generate_series(1, 2000000000)")
	out := make([][]byte, 3)
	failed := run(t.Context(), conn, []plan.Call{one("select 5"), endless, one("select 6")}, false, room, out)
	if failed == nil || failed.at != 1 || !tooLarge(failed.err) {
		t.Fatalf("it failed by %v", failed)
	}
	if string(out[0]) != `[{"v":5}]` || out[1] != nil || out[2] != nil {
		t.Errorf("it gave %.100q", out)
	}
	if conn.IsClosed() {
		t.Fatal("the connection is closed")
	}
	agree(t, conn)
	if got := rows(t, conn, "select 8"); got[0] != "8" {
		t.Errorf("then it says %v", got)
	}
}

// TestABackendThatEnds is told as such, in whichever statement it happens.
func TestABackendThatEnds(t *testing.T) {
	t.Parallel()
	for _, at := range []int{0, 1} {
		conn := connect(t)
		statements := []plan.Call{one("select 1"), one("select 2")}
		statements[at] = one("select pg_terminate_backend(pg_backend_pid())::int")
		failed := run(t.Context(), conn, statements, false, room, make([][]byte, 2))
		if failed == nil || failed.at >= len(statements) || !isLostConnection(failed.err) || isStatementError(failed.err) {
			t.Errorf("it failed by %v", failed)
		}
	}
}

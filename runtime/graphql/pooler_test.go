//go:build unix

package graphql_test

import (
	"fmt"
	"net"
	"os"
	programs "os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// pooled starts PgBouncer in transaction mode, with two connections, before a database, and gives its address.
func pooled(t *testing.T, address string) string {
	t.Helper()
	program, err := programs.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; !exists(program) {
			if os.Getenv("FRAISEQL_TEST_SERVERS") == "required" {
				t.Fatal("this test needs PgBouncer")
			}
			t.Skip("NOT TESTED: PgBouncer is not installed (apt-get install pgbouncer)")
		}
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	_ = free.Close()
	dir, err := os.MkdirTemp("", "fraiseql-pooler-") // not below t.TempDir: another account has to pass
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := config.ConnConfig
	ini := filepath.Join(dir, "pgbouncer.ini")
	text := fmt.Sprintf("[databases]\n%s = host=%s port=%d dbname=%s user=%s password=%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n",
		c.Database, c.Host, c.Port, c.Database, c.User, c.Password, port)
	if err := os.WriteFile(ini, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := programs.Command(program, "-q", ini)
	if os.Geteuid() == 0 { // it refuses root
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		nobody, err := user.Lookup("nobody")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(nobody.Uid)
		gid, _ := strconv.Atoi(nobody.Gid)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	at := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for until := time.Now().Add(10 * time.Second); ; <-time.After(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", at)
		if err == nil {
			_ = conn.Close()
			return "postgres://" + c.User + "@" + at + "/" + c.Database + "?sslmode=disable"
		}
		if time.Now().After(until) {
			t.Fatalf("PgBouncer does not listen: %s", said.String())
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestBehindAPooler reads, writes and takes on roles over connections that change with each transaction.
func TestBehindAPooler(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t, sql(t, keysTable(t)+counters+`
		create table item (id serial primary key, owner text not null default current_setting('request.jwt.claims')::json ->> 'sub', span interval, at timestamptz);
		insert into item (owner, span, at) values ('x', '1 day 2 hours', '2020-01-01 00:00+02');`))
	pool, err := postgres.Connect(t.Context(), pooled(t, address), postgres.PoolOptions{Size: 2, Pooler: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := graphql.New(graphql.DefaultConfig(), graphql.Deps{Pool: pool, Connections: 6, Unnamed: true, Schemas: []string{"public"}, Dev: true, Log: quiet})
	t.Cleanup(s.Close)
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	for worker := range 6 {
		asking.Go(func() {
			subject := fmt.Sprint("s", worker)
			for i := range 20 {
				for query, want := range map[string]string{
					`{ items(limit: 1, orderBy: [{id: ASC}]) { span at } }`:                                                                 `{"items":[{"span":"P1DT2H","at":"2019-12-31T22:00:00+00:00"}]}`,
					`{ a: items(limit: 1, orderBy: [{id: ASC}]) { owner } b: counters(limit: 101, where: {id: {lte: 2}}) { id } }`:          `{"a":[{"owner":"x"}],"b":[{"id":1},{"id":2}]}`,
					`mutation { createItem(input: {}) { owner } }`:                                                                          `{"createItem":{"owner":"` + subject + `"}}`,
					`mutation { updateCounter(id: 1, set: {_inc: {n: 1}}) { id } again: updateCounter(id: 1, set: {_inc: {n: 1}}) { id } }`: `{"updateCounter":{"id":1},"again":{"id":1}}`,
				} {
					who := as("", subject)
					who.Role = ""
					got := s.Execute(t.Context(), transport.Request{Query: query, Principal: who})
					if len(got.Errors) > 0 || compact(t, got.Data) != want {
						t.Errorf("%s, %d: %s gave %s %s", subject, i, query, got.Data, firstError(got))
					}
				}
				got := s.Execute(t.Context(), transport.Request{Query: `mutation { createItem(input: {}) { owner } }`, Principal: as("", subject), IdempotencyKey: fmt.Sprint("key", i)})
				if len(got.Errors) > 0 || !strings.Contains(string(got.Data), subject) {
					t.Errorf("with a key: %s %s", got.Data, firstError(got))
				}
			}
		})
	}
	asking.Wait()
	if n := counted(t, pool, 1); n != 6*20*2 {
		t.Errorf("%d changes were made, want %d", n, 6*20*2)
	}
}

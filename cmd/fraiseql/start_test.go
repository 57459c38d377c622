//go:build unix

package main_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// output keeps what a program says while it runs.
type output struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

var listeningForm = regexp.MustCompile(`listening.*(http://[0-9.:]+)`)

// listening waits until the program has a listener, which may be long before it is ready.
func (o *output) listening(t *testing.T) string {
	t.Helper()
	var found []string
	eventually(t, "the log says where the server listens", func() bool {
		found = listeningForm.FindStringSubmatch(o.String())
		return found != nil
	})
	return found[1]
}

// start begins to serve and waits for nothing.
func start(t *testing.T, dir string, env []string, args ...string) (*exec.Cmd, *output) {
	t.Helper()
	cmd := exec.Command(program(t), append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	said := &output{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, said
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url) //nolint:gosec // an address of our own
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// run runs the program to its end and wants an exit code.
func run(t *testing.T, dir string, code int, args ...string) string {
	t.Helper()
	cmd := exec.Command(program(t), args...)
	cmd.Dir = dir
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("fraiseql %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	return string(out)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const tablesMigration = `-- +goose Up
create table ran (id int generated always as identity primary key, at timestamptz default now());
insert into ran default values;
select pg_sleep(0.5);
-- +goose Down
drop table ran;
`

func TestTwoProcessesMigrateOnce(t *testing.T) {
	t.Parallel()
	dir, url := project(t), pgtest.Database(t)
	write(t, dir, "fraiseql.toml", "version = 1\n")
	write(t, dir, "migrations/00001_ran.sql", tablesMigration)
	var said [4]string
	var running sync.WaitGroup
	for i := range said {
		running.Go(func() { said[i] = run(t, dir, 0, "migrate", "up", "--database-url", url) })
	}
	running.Wait()
	all := strings.Join(said[:], "\n")
	if n := strings.Count(all, "applied  migrations/00001_ran.sql"); n != 1 {
		t.Errorf("the migration was applied by %d of 4 processes:\n%s", n, all)
	}
	if n := strings.Count(all, "nothing to do"); n != 3 {
		t.Errorf("%d of 3 said that there was nothing to do:\n%s", n, all)
	}
	if got := run(t, dir, 0, "query", "--database-url", url, "{ rans { id } }"); strings.Count(got, `"id"`) != 1 {
		t.Errorf("the table has other rows than one run of the migration makes: %s", got)
	}
}

// TestAMigrationThatIsKilledLetsOthersOn kills a process in the middle of a statement that takes long.
func TestAMigrationThatIsKilledLetsOthersOn(t *testing.T) {
	t.Parallel()
	dir, url := project(t), pgtest.Database(t)
	write(t, dir, "fraiseql.toml", "version = 1\n")
	write(t, dir, "migrations/00001_ran.sql", "-- +goose Up\ncreate table half (id int primary key);\nselect pg_sleep(600);\n-- +goose Down\ndrop table half;\n")
	cmd := exec.Command(program(t), "migrate", "up", "--database-url", url)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	eventually(t, "the migration is at work", func() bool {
		var at bool
		err := conn.QueryRow(t.Context(), "select exists (select from pg_stat_activity where datname = current_database() and query like '%pg_sleep(600)%' and pid <> pg_backend_pid())").Scan(&at)
		return err == nil && at
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	write(t, dir, "migrations/00001_ran.sql", tablesMigration)
	run(t, dir, 0, "migrate", "up", "--database-url", url)
	if got := run(t, dir, 0, "schema", "print", "--database-url", url); strings.Contains(got, "type Half") || !strings.Contains(got, "type Ran") {
		t.Errorf("the half of the migration that was killed is there, or the other is not:\n%s", got)
	}
}

// TestServersMigrateAtStart starts two at once on a database that has nothing yet.
func TestServersMigrateAtStart(t *testing.T) {
	t.Parallel()
	dir, url := project(t), pgtest.Database(t)
	write(t, dir, "fraiseql.toml", "[migrations]\n")
	write(t, dir, "migrations/00001_ran.sql", tablesMigration)
	addresses := make(chan string, 2)
	for range 2 {
		go func() {
			_, address := serve(t, dir, nil, "--database-url", url)
			addresses <- address
		}()
	}
	for range 2 {
		status, body, err := ask(http.DefaultClient, <-addresses, "{ rans { id } }")
		if err != nil || status != 200 || strings.Count(body, `"id"`) != 1 {
			t.Errorf("a server that is ready answers %d %s %v", status, body, err)
		}
	}
}

func TestAServerRefusesPendingMigrations(t *testing.T) {
	t.Parallel()
	dir, url := project(t), pgtest.Database(t)
	write(t, dir, "fraiseql.toml", "[migrations]\non_start = \"refuse\"\n")
	write(t, dir, "migrations/00001_ran.sql", tablesMigration)
	serve := []string{"serve", "--listen", "127.0.0.1:0", "--database-url", url}
	if got := run(t, dir, 7, serve...); !strings.Contains(got, "try: fraiseql migrate up") {
		t.Errorf("it does not say what to do:\n%s", got)
	}
	write(t, dir, "migrations/00001_ran.sql", "-- +goose Up\ncreate table ran (id inxt);\n")
	write(t, dir, "fraiseql.toml", "[migrations]\n")
	if got := run(t, dir, 3, serve...); !strings.Contains(got, "00001_ran.sql:2:") || !strings.Contains(got, `type "inxt" does not exist`) {
		t.Errorf("it does not say what is wrong, and where:\n%s", got)
	}
}

func TestWhatInitMakesServes(t *testing.T) {
	t.Parallel()
	dir := project(t)
	run(t, dir, 0, "init", "shop")
	run(t, filepath.Join(dir, "shop"), 0, "validate")
	t.Cleanup(func() {
		eventually(t, "the private server has ended", func() bool {
			_, err := os.Stat(filepath.Join(dir, "shop", ".fraiseql", "postgres", "keeper.pid"))
			return err != nil
		})
	})
	_, url := serve(t, filepath.Join(dir, "shop"), nil, "--dev")
	if status, body, err := ask(http.DefaultClient, url, "{ __schema { queryType { fields { name } } } }"); err != nil || status != 200 {
		t.Errorf("it answers %d %s %v", status, body, err)
	}
}

func TestAPortThatIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	said := run(t, project(t), 1, "serve", "--listen", taken.Addr().String(), "--database-url", pgtest.Database(t))
	if !strings.Contains(said, "error:") || !strings.Contains(said, taken.Addr().String()) || !strings.Contains(said, "try:") {
		t.Errorf("it says:\n%s", said)
	}
}

// TestTheSecondSignalLeavesAtOnce sends it during the delay that the first one begins.
func TestTheSecondSignalLeavesAtOnce(t *testing.T) {
	t.Parallel()
	cmd, said := start(t, project(t), []string{"FRAISEQL_LIFECYCLE_SHUTDOWN_DELAY=1h"}, "--database-url", pgtest.Database(t))
	url := said.listening(t)
	eventually(t, "it is ready", func() bool { status, _ := get(t, url+"/ready"); return status == 200 })
	for _, step := range []string{"draining", ""} {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if step != "" {
			eventually(t, "it drains", func() bool { return strings.Contains(said.String(), step) })
		}
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d", code)
	}
}

// TestDevelopmentFollowsTheConfiguration changes the file under a server: well, badly, and well again.
func TestDevelopmentFollowsTheConfiguration(t *testing.T) {
	t.Parallel()
	dir := project(t)
	write(t, dir, "fraiseql.toml", "version = 1\n")
	_, said := start(t, dir, nil, "--dev", "--database-url", pgtest.Database(t)) // on a free port, which stays
	address := said.listening(t)
	answers := func(path string) func() bool {
		return func() bool {
			response, err := http.Post(address+path, "application/json", strings.NewReader(`{"query":"{ __typename }"}`)) //nolint:gosec // an address of our own
			if err != nil {
				return false
			}
			_ = response.Body.Close()
			return response.StatusCode == http.StatusOK
		}
	}
	eventually(t, "it answers", answers("/graphql"))
	write(t, dir, "fraiseql.toml", "[graphql]\npath = \"/api\"\n")
	eventually(t, "it answers where the file says", answers("/api"))
	write(t, dir, "fraiseql.toml", "[graphql]\npth = \"/api\"\n")
	eventually(t, "it tells what is wrong", func() bool {
		return strings.Contains(said.String(), "config/unknown-key") && strings.Contains(said.String(), "what was served before goes on")
	})
	if !answers("/api")() {
		t.Error("what was served before is gone")
	}
	// What the database has no part for is found out before anything is changed.
	const late = "[graphql]\npath = \"/late\"\n[graphql.entities.Late]\nomit = true\n"
	write(t, dir, "fraiseql.toml", late)
	eventually(t, "it tells what the database lacks", func() bool {
		return strings.Contains(said.String(), "Late") && strings.Count(said.String(), "what was served before goes on") == 2
	})
	if !answers("/api")() || answers("/late")() {
		t.Error("what was served before is gone, or what cannot be served is there")
	}
	// What migrations make first is no reason against it.
	if err := os.Mkdir(filepath.Join(dir, "migrations"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "migrations/00001_late.sql", "-- +goose Up\ncreate table late (id int primary key);\n-- +goose Down\ndrop table late;\n")
	write(t, dir, "fraiseql.toml", late+"[migrations]\n")
	eventually(t, "it answers where the file says then", answers("/late"))
	write(t, dir, "fraiseql.toml", "[graphql]\npath = \"/graph\"\n")
	eventually(t, "it answers where the file says now", answers("/graph"))
}

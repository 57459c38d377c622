package deployment_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/fraiseql/fraiseql/migrations"
	"github.com/fraiseql/fraiseql/runtime/deployment"
	"github.com/fraiseql/fraiseql/runtime/deployment/doctor"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

var both = []deployment.Set{deployment.System, deployment.Project}

// folder writes migrations; a name's text is what stands below `goose Up`, then `goose Down`, parted by "--".
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "migrations")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		up, down, _ := strings.Cut(text, "--")
		if err := os.WriteFile(filepath.Join(dir, name), []byte("-- +goose Up\n"+up+"\n-- +goose Down\n"+down+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func migrator(t *testing.T, address, dir string) *deployment.Migrator {
	t.Helper()
	m, err := deployment.New(deployment.Options{Address: address, Dir: dir, Log: slog.New(slog.DiscardHandler), Wait: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// column gives the first column of a query's rows as text.
func column(t *testing.T, address, query string, args ...any) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func states(t *testing.T, m *deployment.Migrator) string {
	t.Helper()
	all, err := m.Status(t.Context(), both...)
	if err != nil {
		t.Fatal(err)
	}
	words := make([]string, 0, len(all))
	for i, one := range all {
		word := string(one.Set) + " " + one.State
		if i > 0 && one.Set == deployment.System && words[len(words)-1] == word { // ours become more and more
			continue
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// ours is how many migrations the program has.
func ours(t *testing.T) int {
	t.Helper()
	files, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("the program has no migrations: %v", err)
	}
	return len(files) + len(migrations.Steps)
}

func TestUpDownRedoAndStatus(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	m := migrator(t, address, folder(t, map[string]string{
		"00001_a.sql": "create table a (id int);--drop table a;", "00002_b.sql": "create table b (id int);--drop table b;",
	}))
	tables := "select tablename::text from pg_tables where schemaname = 'public' order by 1"
	expect := func(what, state string, want ...string) {
		t.Helper()
		if got := states(t, m); got != state {
			t.Errorf("%s: %s, want %s", what, got, state)
		}
		if got := column(t, address, tables); !slices.Equal(got, want) {
			t.Errorf("%s: tables %v, want %v", what, got, want)
		}
	}
	expect("before", "system pending, project pending, project pending")
	if got := column(t, address, "select nspname::text from pg_namespace where nspname = '_system'"); len(got) > 0 {
		t.Error("looking has made the schema _system")
	}
	steps, err := m.Up(t.Context(), 0, both...)
	if err != nil || len(steps) != ours(t)+2 {
		t.Fatalf("up ran %v: %v", steps, err)
	}
	expect("up", "system applied, project applied, project applied", "a", "b")
	if steps, err := m.Up(t.Context(), 0, both...); err != nil || len(steps) != 0 {
		t.Errorf("a second up ran %v: %v", steps, err)
	}
	if _, err := m.Redo(t.Context(), deployment.Project); err != nil {
		t.Error(err)
	}
	expect("redo", "system applied, project applied, project applied", "a", "b")
	if _, err := m.Down(t.Context(), deployment.Project, -1); err != nil {
		t.Error(err)
	}
	expect("down", "system applied, project applied, project pending", "a")
	if _, err := m.Down(t.Context(), deployment.Project, 0); err != nil {
		t.Error(err)
	}
	expect("down to 0", "system applied, project pending, project pending")
	if _, err := m.Down(t.Context(), deployment.Project, -1); fault.KindOf(err) != fault.NotFound {
		t.Errorf("down with nothing to undo: %v", err)
	}
	if steps, err := m.Up(t.Context(), 1, deployment.Project); err != nil || len(steps) != 1 {
		t.Errorf("up to 1 ran %v: %v", steps, err)
	}
	if _, err := m.Down(t.Context(), deployment.System, -1); err != nil {
		t.Error(err)
	}
	expect("down of the system", "system applied, system pending, project applied, project pending", "a")
}

func TestTheTablesOfTheSystem(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	if _, err := migrator(t, address, "").Up(t.Context(), 0, both...); err != nil {
		t.Fatal(err)
	}
	for table, columns := range map[string]string{
		"observers":          "id entity event_type name enabled config created_at",
		"observer_logs":      "id observer_id event_data status error_message executed_at",
		"notifications":      "id user_id channel recipient subject template data status error_message created_at sent_at",
		"notification_queue": "id notification_id attempt next_retry created_at",
	} {
		got := column(t, address, "select column_name::text from information_schema.columns where table_schema = '_system' and table_name = $1 order by ordinal_position", table)
		if !strings.HasPrefix(strings.Join(got, " ")+" ", columns+" ") {
			t.Errorf("%s has the columns %v, want at least %s", table, got, columns)
		}
	}
	indexes := strings.Join(column(t, address, "select indexdef from pg_indexes where schemaname = '_system'"), "\n")
	for _, want := range []string{"_system.notifications USING btree (user_id)", "_system.notification_queue USING btree (next_retry)"} {
		if !strings.Contains(indexes, want) {
			t.Errorf("there is no index on %s among\n%s", want, indexes)
		}
	}
}

func TestSeveralMigrateAtOnceAndOnce(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	dir := folder(t, map[string]string{"1_a.sql": "create table a (id int); select pg_sleep(0.2);--drop table a;", "2_b.sql": "create table b (id int);--drop table b;"})
	var all errgroup.Group
	ran := make([]int, 6)
	for i := range ran {
		m := migrator(t, address, dir)
		all.Go(func() error {
			steps, err := m.Up(t.Context(), 0, both...)
			ran[i] = len(steps)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(ran)
	if !slices.Equal(ran, []int{0, 0, 0, 0, 0, ours(t) + 2}) {
		t.Errorf("the processes ran %v migrations, want one that runs all %d", ran, ours(t)+2)
	}
}

func TestAFailureSaysWhereAndKeepsNothingOfTheFile(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	m := migrator(t, address, folder(t, map[string]string{
		"1_a.sql": "create table a (id int);--drop table a;",
		"2_b.sql": "create table b (id int);\n\n/* why */\ncreate table c (\n    né text,\n    id intt\n);",
	}))
	steps, err := m.Up(t.Context(), 0, both...)
	e, ok := fault.As(err)
	if !ok || e.Kind != fault.Invalid || e.Message != "PostgreSQL refused migrations/2_b.sql:7:8" || !strings.Contains(e.Cause.Error(), `type "intt" does not exist (SQLSTATE 42704)`) {
		t.Errorf("the error says %v", err)
	}
	if last := ours(t); len(steps) != last+1 || steps[last].Name != "migrations/1_a.sql" {
		t.Errorf("it told to have run %v", steps)
	}
	if got := column(t, address, "select tablename::text from pg_tables where schemaname = 'public'"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("the tables are %v", got)
	}
}

// TestABodyThatIsCutIsExplained: PostgreSQL sees half a function, and says nothing that helps.
func TestABodyThatIsCutIsExplained(t *testing.T) {
	t.Parallel()
	m := migrator(t, pgtest.Database(t), folder(t, map[string]string{
		"1_f.sql": "create function f() returns int language plpgsql as $$\nbegin\n  return 1;\nend $$;--drop function f;",
	}))
	_, err := m.Up(t.Context(), 0, both...)
	if e, ok := fault.As(err); !ok || !strings.Contains(e.Hint, "line 2: ") || !strings.Contains(e.Hint, "goose StatementBegin") {
		t.Errorf("the error is %v", err)
	}
}

func TestAnOlderFileAndAFileThatIsGone(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	if _, err := migrator(t, address, folder(t, map[string]string{"5_a.sql": "select 1;--"})).Up(t.Context(), 0, both...); err != nil {
		t.Fatal(err)
	}
	m := migrator(t, address, folder(t, map[string]string{"3_b.sql": "select 1;--"}))
	if got := states(t, m); got != "system applied, project pending, project missing" {
		t.Errorf("the states are %s", got)
	}
	if _, err := m.Up(t.Context(), 0, both...); fault.CodeOf(err) != "migrations/out-of-order" {
		t.Errorf("an older file is answered by %v", err)
	}
}

func TestWhoHoldsTheLockIsWaitedForOnlySoLong(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	slow := migrator(t, address, folder(t, map[string]string{"1_a.sql": "select pg_sleep(60);--"}))
	var running errgroup.Group
	running.Go(func() error {
		_, err := slow.Up(t.Context(), 0, deployment.Project)
		return err
	})
	for len(column(t, address, "select pid::text from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())")) == 0 {
		<-time.After(10 * time.Millisecond)
	}
	m, err := deployment.New(deployment.Options{Address: address, Log: slog.New(slog.DiscardHandler), Wait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	if _, err := m.Up(t.Context(), 0, deployment.System); fault.CodeOf(err) != "migrations/locked" {
		t.Errorf("the second one is told %v", err)
	}
	column(t, address, "select pg_terminate_backend(pid)::text from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
	if err := running.Wait(); err == nil {
		t.Error("the first one did not notice that its connection is gone")
	}
	if _, err := m.Up(t.Context(), 0, deployment.System); err != nil {
		t.Errorf("the lock of the one that died is still there: %v", err)
	}
}

func TestPrepareAtTheStartOfAServer(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	m := migrator(t, address, folder(t, map[string]string{"1_a.sql": "create table a (id int);--drop table a;"}))
	if steps, err := m.Prepare(t.Context(), "ignore", deployment.Project); err != nil || steps != nil {
		t.Errorf("ignore: %v %v", steps, err)
	}
	if _, err := m.Prepare(t.Context(), "refuse", deployment.Project); fault.KindOf(err) != fault.ActionNeeded {
		t.Errorf("refuse: %v", err)
	}
	if steps, err := m.Prepare(t.Context(), "apply", deployment.Project); err != nil || len(steps) != 1 {
		t.Errorf("apply: %v %v", steps, err)
	}
	if steps, err := m.Prepare(t.Context(), "refuse", deployment.Project); err != nil || steps != nil {
		t.Errorf("refuse with nothing pending: %v %v", steps, err)
	}
}

func TestTheServersRoleGetsRowsAndNoMore(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	login := "login_" + strings.ToLower(t.Name()[len(t.Name())-6:])
	column(t, address, "select 'made'") // the database is there
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), "drop role if exists "+login+"; create role "+login); err != nil {
		t.Fatal(err)
	}
	m, err := deployment.New(deployment.Options{Address: address, Login: login, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	if _, err := m.Up(t.Context(), 0, both...); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "set role "+login+"; insert into _system.observers (entity, event_type, name, config) values ('a', 'INSERT', 'n', '{}'); delete from _system.observers"); err != nil {
		t.Error(err)
	}
	// One that was given nothing is told what to do.
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "reset role; create role "+login+"_other login password 'other'"); err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(login+"_other", "other")
	other, err := deployment.New(deployment.Options{Address: u.String(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if found := doctor.Run(t.Context(), other.Check(nil, both...)); len(found) != 1 || found[0].State != doctor.Error || !strings.Contains(found[0].Fix, "[migrations] url_env") {
		t.Errorf("doctor finds %+v", found)
	}
	if _, err := conn.Exec(t.Context(), "drop role "+login+"_other; set role "+login); err != nil {
		t.Error(err)
	}
	if _, err := conn.Exec(t.Context(), "create table _system.mine (id int)"); err == nil {
		t.Error("the server's role can make tables in _system")
	}
	if _, err := conn.Exec(t.Context(), "reset role; drop owned by "+login+"; drop role "+login); err != nil {
		t.Error(err)
	}
}

func TestAnAddressThatCannotBeReadIsNotShown(t *testing.T) {
	t.Parallel()
	_, err := deployment.New(deployment.Options{Address: "postgres://u:hunter2@:x/y"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error says %v", err)
	}
	var e *fault.Error
	if !errors.As(err, &e) || e.Hint == "" {
		t.Error("it gives no hint")
	}
}

func TestAStepBackThatFailsTellsWhatWasUndone(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	m := migrator(t, address, folder(t, map[string]string{
		"00001_one.sql":   "create table one (id int);--drop table one;",
		"00002_two.sql":   "create table two (id int);--drop table twoo;",
		"00003_three.sql": "create table three (id int);--drop table three;",
	}))
	if _, err := m.Up(t.Context(), 0, both...); err != nil {
		t.Fatal(err)
	}
	steps, err := m.Down(t.Context(), deployment.Project, 0)
	known, ok := fault.As(err)
	if !ok || !strings.Contains(known.Message, "00002_two.sql:") || !strings.Contains(known.Hint, "migrate down again") {
		t.Errorf("the error is %v", err)
	}
	if len(steps) != 1 || steps[0].Version != 3 || !steps[0].Down {
		t.Errorf("it says that it undid %+v", steps)
	}
}

func TestWhatUpAndDownRefuse(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"00001_one.sql": "create table one (id int);--drop table one;"})
	m := migrator(t, pgtest.Database(t), dir)
	if _, err := m.Up(t.Context(), 99, deployment.Project); fault.CodeOf(err) != "migrations/no-version" {
		t.Errorf("a version that is not there: %v", err)
	}
	path, err := deployment.Create(dir, "empty")
	if err != nil {
		t.Fatal(err)
	}
	if steps, err := m.Up(t.Context(), 0, deployment.Project); fault.CodeOf(err) != "migrations/empty" || len(steps) != 0 {
		t.Errorf("an empty file: %v %v", steps, err)
	}
	if _, err := m.Up(t.Context(), 1, deployment.Project); err != nil {
		t.Errorf("up to the one before it: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "00001_one.sql")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "00005_five.sql"), []byte("-- +goose Up\nselect 1;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Down(t.Context(), deployment.Project, -1); fault.CodeOf(err) != "migrations/no-file" {
		t.Errorf("a file that is gone: %v", err)
	}
}

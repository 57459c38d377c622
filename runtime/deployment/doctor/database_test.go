package doctor_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/deployment/doctor"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

const tables = `
create table open (id int primary key);
create table closed (id int primary key);
create table guarded (id int primary key);
alter table guarded enable row level security;
create policy everyone on guarded using (true);
create schema hidden;
create table hidden.thing (id int primary key);
`

// site is a database with a role of its own, whose name no other test has.
type site struct {
	t     *testing.T
	admin *pgx.Conn
	role  string
	roles []string
	url   string
}

func newSite(t *testing.T, attributes string) *site {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tables.sql")
	if err := os.WriteFile(file, []byte(tables), 0o600); err != nil {
		t.Fatal(err)
	}
	address := pgtest.Database(t, file)
	admin, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, admin: admin, role: "app_" + admin.Config().Database}
	s.exec("create role " + s.role + " login password 'secret' " + attributes)
	t.Cleanup(func() {
		s.exec("reassign owned by " + s.role + " to current_user; drop owned by " + s.role + "; drop role " + s.role)
		_ = admin.Close(context.WithoutCancel(t.Context()))
	})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(s.role, "secret")
	s.url = u.String()
	return s
}

func (s *site) exec(sql string) {
	s.t.Helper()
	if _, err := s.admin.Exec(context.WithoutCancel(s.t.Context()), sql); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
}

// examine asks everything and gives what was found of one check.
func (s *site) examine(check string, schemas ...string) string {
	s.t.Helper()
	pool, err := postgres.Connect(s.t.Context(), s.url, postgres.PoolOptions{Size: 2})
	if err != nil {
		s.t.Fatal(err)
	}
	defer pool.Close()
	d := doctor.Database{Pool: pool, Schemas: schemas, Roles: s.roles, PoolSize: 2}
	return told(doctor.Run(s.t.Context(), d.Reach(), d.Checks()...), check, s.role)
}

func told(all []doctor.Finding, check, role string) string {
	var lines []string
	for _, f := range all {
		if f.Check == check {
			line := string(f.State) + ": " + f.Message
			if f.Fix != "" {
				line += " -> " + f.Fix
			}
			lines = append(lines, strings.ReplaceAll(line, role, "app"))
		}
	}
	return strings.Join(lines, "\n")
}

func TestALoginAsItShouldBe(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.exec("grant select on all tables in schema public to " + s.role)
	for check, want := range map[string]string{
		"login":      "ok: app is neither superuser nor owner of the tables",
		"grants":     "ok: the login may read all 3 tables in public",
		"rls":        "ok: policies hold for the login on guarded",
		"encryption": "ok: the connection stays on this machine",
	} {
		if got := s.examine(check, "public"); got != want {
			t.Errorf("%s\n got %s\nwant %s", check, got, want)
		}
	}
	for _, check := range []string{"database", "connections", "clocks", "extensions"} {
		if got := s.examine(check, "public"); !strings.HasPrefix(got, "ok: ") {
			t.Errorf("%s: %s", check, got)
		}
	}
}

func TestWhatALoginMayTooMuchOrTooLittle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		attributes, sql string // $role is the login
		check, want     string
	}{
		"superuser":    {"superuser", "", "login", "warning: app is a superuser: grants and row security mean nothing to it -> create role app login password '…';\ngrant usage on schema \"public\" to app; grant select, insert, update, delete on all tables in schema \"public\" to app;"},
		"bypass":       {"bypassrls", "", "login", "warning: app has BYPASSRLS: row security means nothing to it -> alter role \"app\" nobypassrls;"},
		"owner":        {"", "alter table open owner to $role", "login", "warning: app owns 1 table: it may change and drop them, and row security does not hold for it -> create role app login password '…';\ngrant usage on schema \"public\" to app; grant select, insert, update, delete on all tables in schema \"public\" to app;"},
		"nothing":      {"", "", "grants", "error: the login may read none of the 3 tables in public -> grant select on all tables in schema \"public\" to \"app\";"},
		"one closed":   {"", "grant select on open, guarded to $role", "grants", "warning: 1 of the 3 tables in public cannot be read and are not shown: closed -> grant select on \"public\".\"closed\" to \"app\"; leave it, if that is meant"},
		"passed by":    {"bypassrls", "", "rls", "warning: the policies of guarded do not hold for the login: requests see every row -> use a login that neither owns the tables nor has BYPASSRLS"},
		"few sessions": {"connection limit 1", "", "connections", "warning: a server may open 2 connections"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, c.attributes)
			if c.sql != "" {
				s.exec(strings.ReplaceAll(c.sql, "$role", s.role))
			}
			if got := s.examine(c.check, "public"); got != c.want && (name != "few sessions" || !strings.HasPrefix(got, c.want)) {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestViewsThatPassByPolicies are told with the tables that they show. A view passes by them with the rights of its owner,
// or with those of the owner of a view below it.
func TestViewsThatPassByPolicies(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.exec("grant select on all tables in schema public to " + s.role)
	other := s.role + "_other"
	s.exec("create role " + other)
	t.Cleanup(func() {
		s.exec("reassign owned by " + other + " to current_user; drop owned by " + other + "; drop role " + other)
	})
	const ok = "ok: policies hold for the login on guarded"
	const told = "warning: views show all rows of tables with row security, as they read with the rights of their owners: "
	const leave = "; leave one that itself leaves out what is not to be seen\n" + ok
	for _, c := range []struct{ sql, want string }{
		{"create view plain as select * from open", ok},
		{"create view passing as select * from guarded", ok}, // nobody may read it
		{"grant select on passing to $role", told + `passing (guarded, as postgres) -> alter view "public"."passing" set (security_invoker = true); from PostgreSQL 15 on` + leave},
		{"alter view passing set (security_invoker = true)", ok},
		{"create view above with (security_invoker = true) as select * from passing; grant select on above to $role", ok},
		{"alter view passing set (security_invoker = false)", told + `above (guarded, as postgres), passing (guarded, as postgres) -> alter view "public"."above" set (security_invoker = true); from PostgreSQL 15 on` + leave},
		{"drop view above; alter view passing owner to $role", ok}, // the login itself, which owns no table
		{"drop view passing; create materialized view copy as select * from guarded join open using (id); grant select on copy to $role", told + `copy (guarded, as postgres) -> revoke select on "public"."copy" from whom it is not for` + leave},
		{
			"drop materialized view copy; create view hidden.inner_one as select id from guarded; create view outer_one as select o.id from open o where exists (select from hidden.inner_one i where i.id = o.id); grant select on outer_one to $role",
			told + `outer_one (guarded, as postgres) -> alter view "public"."outer_one" set (security_invoker = true); from PostgreSQL 15 on` + leave,
		},
		{
			"drop view outer_one; alter table guarded owner to $other; create view owned as select * from guarded; alter view owned owner to $other; grant select on owned to $role",
			told + `owned (guarded, as app_other) -> alter view "public"."owned" set (security_invoker = true); from PostgreSQL 15 on` + leave,
		},
		{"alter table guarded force row level security", ok}, // for its owner as well
	} {
		s.exec(strings.NewReplacer("$role", s.role, "$other", other).Replace(c.sql))
		if got := s.examine("rls", "public"); got != c.want {
			t.Errorf("after %q\n got %s\nwant %s", c.sql, got, c.want)
		}
	}
}

// TestALoginThatTakesOnRoles may nothing itself: it is what its roles may that counts.
func TestALoginThatTakesOnRoles(t *testing.T) {
	t.Parallel()
	s := newSite(t, "noinherit")
	member, guest := s.role+"_member", s.role+"_guest"
	s.roles = []string{guest, member}
	s.exec("create role " + member + "; create role " + guest + "; grant " + member + ", " + guest + " to " + s.role)
	t.Cleanup(func() {
		s.exec("reassign owned by " + member + " to current_user; drop owned by " + member + ", " + guest + "; drop role " + member + ", " + guest)
	})
	s.exec("revoke usage on schema public from public; grant usage on schema public to " + member)
	for _, c := range []struct{ sql, check, want string }{
		{"", "grants", `error: the roles of the API together may read none of the 3 tables in public -> grant select on all tables in schema "public" to "app_guest", "app_member";`},
		{"grant select on open, guarded to $member; grant select on closed to $guest", "grants", `warning: 1 of the 3 tables in public cannot be read and are not shown: closed -> grant select on "public"."closed" to "app_guest", "app_member"; leave it, if that is meant`},
		{"grant usage on schema public to $guest", "grants", "ok: the roles of the API together may read all 3 tables in public"},
		{"", "login", "ok: app is neither superuser nor owner of the tables"},
		{"", "rls", "ok: policies hold for every role of the API on guarded"},
		{"alter table guarded owner to $member", "rls", `warning: the policies of guarded do not hold for every role of the API: requests see every row -> use roles that neither own the tables nor have BYPASSRLS, or: alter table "guarded" force row level security;`},
		{"alter table guarded force row level security", "rls", "ok: policies hold for every role of the API on guarded"},
		{"alter role $guest bypassrls", "rls", "warning: the policies of guarded do not hold for every role of the API: requests see every row -> use roles that neither own the tables nor have BYPASSRLS"},
		{"alter table closed owner to $login", "login", "warning: app owns 1 table: it may change and drop them, and row security does not hold for it -> create role app login noinherit password '…';\ngrant \"app_guest\", \"app_member\" to app;"},
	} {
		s.exec(strings.NewReplacer("$member", member, "$guest", guest, "$login", s.role).Replace(c.sql))
		if got := s.examine(c.check, "public"); got != c.want {
			t.Errorf("after %q\n got %s\nwant %s", c.sql, got, c.want)
		}
	}
}

func TestSchemasThatCannotBeSeen(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	got := strings.Split(s.examine("grants", "hidden", "nowhere"), "\n")
	want := []string{
		`error: the login may not use the schema hidden -> grant usage on schema "hidden" to "app";`,
		`error: the database has no schema nowhere -> create schema "nowhere"; or correct [database] schemas`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %q", got)
	}
	s.exec("create schema bare; grant usage on schema bare to " + s.role)
	if got, want := s.examine("grants", "bare"), "ok: the login may read all 0 tables in bare"; got != want {
		t.Errorf("of a schema without tables: %s, not %s", got, want)
	}
}

func TestADatabaseThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "postgres://nobody:hunter2@127.0.0.1:1/x")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	d := doctor.Database{Pool: pool, Schemas: []string{"public"}}
	all := doctor.Run(t.Context(), d.Reach(), d.Checks()...)
	if all[0].State != doctor.Error || all[0].Kind != fault.Unavailable || all[1].State != doctor.Skipped {
		t.Errorf("found %+v", all)
	}
	if strings.Contains(fmt.Sprint(all), "hunter2") {
		t.Error("the password is told")
	}
}

func TestTheRoomOnADisk(t *testing.T) {
	t.Parallel()
	all := doctor.Run(t.Context(), doctor.Disk("this disk", t.TempDir()), doctor.Disk("that disk", filepath.Join(t.TempDir(), "nowhere")))
	if all[0].State == doctor.Skipped || !strings.Contains(all[0].Message, "GB of room") || all[1].State != doctor.Skipped {
		t.Errorf("found %+v", all)
	}
}

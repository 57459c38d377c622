package app_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// open reads a file and builds the program on a database, as validate --live does.
func open(t *testing.T, path, address string) (*app.App, *config.File) {
	t.Helper()
	c, file, problems := app.Load(config.Options{Path: path, Env: empty, Flags: map[string]string{"database.url": address}, Live: true})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	a, err := app.Open(t.Context(), c, app.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(t.Context()) })
	return a, file
}

func TestPreflightTellsWhatTheDatabaseLacks(t *testing.T) {
	t.Parallel()
	const dir = "../../testdata/config/live"
	a, file := open(t, filepath.Join(dir, "fraiseql.toml"), pgtest.Database(t, filepath.Join(dir, "database.sql")))
	problems, err := a.Preflight(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := problems.Text(&b, file.Source, false); err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join(dir, "expected.txt"), strings.ReplaceAll(b.String(), file.Path, "fraiseql.toml")+"\n"+problems.Summary()+"\n")
}

// TestPreflightOfALoginThatTakesOnRoles has a login that may nothing itself: what the roles see counts.
func TestPreflightOfALoginThatTakesOnRoles(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	owner, err := postgres.Connect(t.Context(), address, postgres.PoolOptions{Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(owner.Close)
	name := owner.Config().ConnConfig.Database // roles are of the whole cluster
	in := func(text string) string { return strings.ReplaceAll(text, "_DB", "_"+name) }
	for _, sql := range []string{
		`create table account (id int primary key, name text, secret text); create schema apart; revoke usage on schema public from public`,
		`create role api_DB login noinherit password 'api'; create role member_DB; create role guest_DB; create role stranger_DB; create role over_DB bypassrls`,
		`grant member_DB, guest_DB, over_DB to api_DB; grant usage on schema public to member_DB, guest_DB; grant select (id, name) on account to member_DB`,
	} {
		if _, err := owner.Exec(t.Context(), in(sql)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := owner.Exec(context.WithoutCancel(t.Context()), in(`drop owned by member_DB, guest_DB; drop role member_DB, guest_DB, stranger_DB, over_DB, api_DB`)); err != nil {
			t.Error(err)
		}
	})
	login, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	login.User = url.UserPassword(in("api_DB"), "api")
	preflight := func(text string) string {
		path := filepath.Join(t.TempDir(), "fraiseql.toml")
		if err := os.WriteFile(path, []byte(in(text)), 0o600); err != nil {
			t.Fatal(err)
		}
		a, file := open(t, path, login.String())
		problems, err := a.Preflight(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, p := range problems {
			told = append(told, fmt.Sprintf("%d %s: %s", p.Primary.Line, p.Code, strings.ReplaceAll(p.Message, "_"+name, "_DB")))
		}
		return strings.Join(told, "\n")
	}
	const roles = "[auth]\nanonymous_role = \"guest\"\n[graphql.roles.member]\nrole = \"member_DB\"\n[graphql.roles.guest]\nrole = \"guest_DB\"\n"
	if got := preflight(roles + "[graphql.entities.Account.fields.name]\nname = \"called\"\n"); got != "" {
		t.Errorf("it tells of what is well: %s", got)
	}
	want := strings.Join([]string{
		"8 graphql/not-a-member: the login may not take on the role `stranger_DB`",
		"10 graphql/role-bypasses: the role `over_DB` is a superuser or has BYPASSRLS: none of the database's rules would hold for its requests",
		"12 graphql/no-role: the database has no role `none_DB`, which [graphql.roles.nobody] means",
		"14 database/no-privilege: none of the roles in [graphql.roles] may use the schema `apart`",
		"15 database/no-column: public.account has no column `secret` that may be read",
	}, "\n")
	got := preflight(roles + "[graphql.roles.stranger]\nrole = \"stranger_DB\"\n[graphql.roles.over]\nrole = \"over_DB\"\n[graphql.roles.nobody]\nrole = \"none_DB\"\n" +
		"[database]\nschemas = [\"public\", \"apart\"]\n[graphql.entities.Account.fields.secret]\nname = \"s\"\n")
	if got != want {
		t.Errorf("it tells\n%s\nwant\n%s", got, want)
	}
}

func TestPreflightOfADatabaseThatIsDown(t *testing.T) {
	t.Parallel()
	a, file := open(t, "", "postgres://app:hunter2@127.0.0.1:1/app")
	_, err := a.Preflight(t.Context(), file)
	if fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("the error is %v", err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the password is shown: %v", err)
	}
}

package app_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// TestColumnsOfEventsByAnyName calls a table one way in an observer and another way where its columns are left out: it is the
// same table, and what has no such table or column is refused before anything is captured.
func TestColumnsOfEventsByAnyName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ heard, columns, told, code string }{
		"by its type":      {"public.member", "[events.columns.Member]\nomit = ['ssn']", `Member {"id":1,"token":"geheim"}`, ""},
		"by its table":     {"Member", "[events.columns.'public.member']\nomit = ['ssn']", `Member {"id":1,"token":"geheim"}`, ""},
		"nothing left out": {"Member", "[events.columns.Member]\nomit = []", `Member {"id":1,"ssn":"078-05","token":"geheim"}`, ""},
		"by default":       {"public.member", "", `Member {"id":1,"ssn":"078-05"}`, ""},
		"hashed":           {"public.member", "[events.columns.Member]\nhash = ['ssn']", `Member {"id":1,"ssn":"sha256:%s"}`, ""},
		"no column":        {"Member", "[events.columns.Member]\nomit = ['snn']", "", "events/no-column"},
		"none to hash":     {"Member", "[events.columns.Member]\nhash = ['snn']", "", "events/no-column"},
		"no type":          {"Member", "[events.columns.Membre]\nomit = ['ssn']", "", "events/no-entity"},
		"no table":         {"Member", "[events.columns.'public.membre']\nomit = ['ssn']", "", "events/no-entity"},
		"named twice":      {"Member", "[events.columns.Member]\nomit = ['ssn']\n[events.columns.'public.member']\nhash = ['ssn']", "", "events/named-twice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "fraiseql.toml")
			text := fmt.Sprintf("[observers.one]\nevent = 'INSERT'\nentity = %q\nactions = { type = 'log' }\n%s\n", c.heard, c.columns)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			address := pgtest.System(t, "create table member (id integer primary key, ssn text, token text);")
			a, file := open(t, path, address)
			problems, err := a.Preflight(t.Context(), file)
			if err != nil || problems.HasErrors() != (c.code != "") || c.code != "" && problems[0].Code != c.code {
				t.Errorf("before: %v %v", problems, err)
			}
			if err := a.Capture(t.Context()); (err != nil) != (c.code != "") || err != nil && fault.CodeOf(err) != c.code {
				t.Fatalf("captured: %v", err)
			}
			conn, err := pgx.Connect(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close(t.Context()) }()
			var told string
			if _, err := conn.Exec(t.Context(), "insert into member values (1, '078-05', 'geheim')"); err != nil {
				t.Fatal(err)
			}
			if err := conn.QueryRow(t.Context(), "select coalesce(string_agg(s.entity || ' ' || e.new::text, ' '), '') from _system.event e join _system.event_source s on s.id = e.source").Scan(&told); err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(c.told, "%s", fmt.Sprintf("%x", sha256.Sum256([]byte("078-05"))), 1)
			if told = strings.NewReplacer(" : ", ":", ", ", ",").Replace(told); told != want {
				t.Errorf("told %s, want %s", told, want)
			}
		})
	}
}

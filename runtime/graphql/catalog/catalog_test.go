package catalog_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

func connect(t testing.TB, files ...string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pgtest.Database(t, files...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func exec(t testing.TB, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(context.WithoutCancel(t.Context()), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// describe writes a table in one line a thing, for comparison.
func describe(c *catalog.Catalog) string {
	var b strings.Builder
	for _, t := range c.Tables {
		fmt.Fprintf(&b, "%c %s %q\n", t.Kind, t.Name, t.Comment)
		for _, c := range t.Columns {
			fmt.Fprintf(&b, "  %s %s %c", c.Name, c.Type.SQL, c.Type.Kind)
			if c.NotNull {
				b.WriteString(" not-null")
			}
			if c.Identity {
				b.WriteString(" identity")
			}
			if c.Generated {
				b.WriteString(" generated")
			}
			if c.Comment != "" {
				fmt.Fprintf(&b, " %q", c.Comment)
			}
			b.WriteString("\n")
		}
		for _, k := range t.Keys {
			fmt.Fprintf(&b, "  key %s primary=%t %s\n", k.Name, k.Primary, names(k.Columns))
		}
		for _, k := range t.ForeignKeys {
			fmt.Fprintf(&b, "  to %s %s -> %s\n", k.Target.Name, names(k.Columns), names(k.References))
		}
	}
	return b.String()
}

func names(columns []*catalog.Column) string {
	var list []string
	for _, c := range columns {
		list = append(list, c.Name)
	}
	return strings.Join(list, ",")
}

const kinds = `r closed ""
  id integer b not-null
  key closed_pkey primary=true id
r country "A country."
  code pg_catalog.bpchar b not-null
  name text b not-null "In English."
  key country_pkey primary=true code
  key country_name_key primary=false name
m moods ""
  mood public.mood e
  people bigint b
v people ""
  tenant integer b
  id integer b
  email public.email d
r person ""
  tenant integer b not-null
  id integer b not-null identity
  email public.email d not-null
  mood public.mood e
  home public.address c
  nicknames text[] a
  born public.span r
  country_code pg_catalog.bpchar b
  boss_tenant integer b
  boss_id integer b
  shout text b generated
  key person_pkey primary=true tenant,id
  key person_mail primary=false email
  key person_wide primary=false country_code,tenant
  to person boss_tenant,boss_id -> tenant,id
  to country country_code -> code
p reading ""
  at timestamp with time zone b not-null
  value double precision b
  key reading_pkey primary=true at
r secret ""
  id integer b not-null
  shown text b
  hidden text b
  secret_key integer b
  key secret_pkey primary=true id
  key secret_secret_key_key primary=false secret_key
`

func TestEveryKindOfThing(t *testing.T) {
	t.Parallel()
	conn := connect(t, "../../../testdata/catalog/kinds.sql")
	c, err := catalog.Load(t.Context(), conn, []string{"public"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kinds, describe(c)); diff != "" {
		t.Errorf("the catalog differs (-want +got):\n%s", diff)
	}
	if len(c.Functions) != 1 { // twice: neither touch, a trigger, nor the constructors of span
		t.Errorf("found %d functions", len(c.Functions))
	}
	person := c.Tables[4]
	if got := person.Column("mood").Type.Labels; cmp.Diff([]string{"sad", "ok", "glad"}, got) != "" {
		t.Errorf("the labels of mood are %v", got)
	}
	if got := names(person.Column("home").Type.Fields); got != "street,zip" {
		t.Errorf("the fields of address are %s", got)
	}
	if got := person.Column("email").Type.Resolve().Name; got != "text" {
		t.Errorf("email is made of %s", got)
	}
}

// TestOnlyWhatTheLoginMayRead looks with the eyes of a role that has a few grants.
func TestOnlyWhatTheLoginMayRead(t *testing.T) {
	t.Parallel()
	conn := connect(t, "../../../testdata/catalog/kinds.sql")
	role := "reader_" + filepath.Base(conn.Config().Database)
	exec(t, conn, "create role "+role)
	t.Cleanup(func() { exec(t, conn, "reset role; drop owned by "+role+"; drop role "+role) })
	exec(t, conn, "grant select on country, people to "+role+"; grant select (id, shown) on secret to "+role+"; set role "+role)
	c, err := catalog.Load(t.Context(), conn, []string{"public"}, "")
	if err != nil {
		t.Fatal(err)
	}
	want := `r country "A country."
  code pg_catalog.bpchar b not-null
  name text b not-null "In English."
  key country_pkey primary=true code
  key country_name_key primary=false name
v people ""
  tenant integer b
  id integer b
  email public.email d
r secret ""
  id integer b not-null
  shown text b
  key secret_pkey primary=true id
`
	if diff := cmp.Diff(want, describe(c)); diff != "" {
		t.Errorf("the role sees something else (-want +got):\n%s", diff)
	}
	for _, closed := range []catalog.Closed{{Schema: "public", Table: "closed"}, {Schema: "public", Table: "reading_2025"}, {Schema: "public", Table: "secret", Column: "hidden"}} {
		if !slices.Contains(c.Closed, closed) {
			t.Errorf("%v is not among what is closed: %v", closed, c.Closed)
		}
	}
	for _, closed := range c.Closed {
		if closed.Table == "country" || closed.Column == "shown" || closed.Table == "secret" && closed.Column == "" {
			t.Errorf("%v is closed", closed)
		}
	}
}

// TestTheFingerprintFollowsTheSchemaOnly changes this and that, and asks whether it was noticed.
func TestTheFingerprintFollowsTheSchemaOnly(t *testing.T) {
	t.Parallel()
	conn := connect(t, "../../../testdata/catalog/kinds.sql")
	read := func() string {
		sum, err := catalog.Fingerprint(t.Context(), conn, []string{"public"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	for statement, noticed := range map[string]bool{
		"insert into country values ('fr', 'France')": false,
		"analyze country":                                            false,
		"vacuum country":                                             false,
		"create index on country (name, code)":                       true,
		"alter table country add column area int":                    true,
		"comment on table country is 'Another word'":                 true,
		"alter type mood add value 'fine'":                           true,
		"grant select on country to public":                          true,
		"create view v as select 1 as one":                           true,
		"alter table person alter column mood set not null":          true,
		"create function f() returns int language sql as 'select 1'": true,
		"truncate person, country":                                   false,
		"refresh materialized view moods":                            false,
		"reindex table country":                                      false,
		"create unique index on country (name)":                      true,
		"alter table country enable row level security":              true,
		"create schema elsewhere create table t (id int)":            false,
	} {
		before := read()
		exec(t, conn, statement)
		if (read() != before) != noticed {
			t.Errorf("%s: noticed is %t, want %t", statement, !noticed, noticed)
		}
	}
	for _, statement := range []string{ // one after another
		"create policy few on country using (code = 'fr')",
		"alter policy few on country using (code = 'de')",
		"alter policy few on country rename to other",
		"drop policy other on country",
	} {
		before := read()
		exec(t, conn, statement)
		if read() == before {
			t.Errorf("%s: was not noticed", statement)
		}
	}
}

// TestTheFingerprintFollowsTheRolesOfRequestsOnly changes roles of the cluster, as others do who share it.
func TestTheFingerprintFollowsTheRolesOfRequestsOnly(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	name := func(role string) string { return catalog.QuoteIdent(conn.Config().Database + "_" + role) }
	read := func() string {
		sum, err := catalog.Fingerprint(t.Context(), conn, []string{"public"}, []string{conn.Config().Database + "_web"})
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	web, above, other := name("web"), name("above"), name("other")
	t.Cleanup(func() {
		for _, role := range []string{web, above, other} {
			_, _ = conn.Exec(context.Background(), "drop role if exists "+role)
		}
	})
	for _, step := range []struct {
		statement string
		noticed   bool
	}{
		{"create role " + other, false},
		{"create role " + web, true},
		{"create role " + above, false},
		{"grant " + above + " to " + other, false},
		{"alter role " + above + " bypassrls", false},
		{"grant " + above + " to " + web, true},
		{"alter role " + above + " nobypassrls", true},
		{"alter role " + other + " bypassrls", false},
		{"alter role " + web + " bypassrls", true},
		{"revoke " + above + " from " + web, true},
	} {
		before := read()
		exec(t, conn, step.statement)
		if (read() != before) != step.noticed {
			t.Errorf("%s: noticed is %t, want %t", step.statement, !step.noticed, step.noticed)
		}
	}
}

// TestKeysOverChildren has tables that others inherit from: their keys hold for their own rows only, and so do their
// references.
func TestKeysOverChildren(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	exec(t, conn, `create table owner (id int primary key);
		create table parent (id int primary key, owner_id int references owner); create table child () inherits (parent);
		create table barren (id int primary key); create table gone () inherits (barren); drop table gone;`)
	c, err := catalog.Load(t.Context(), conn, []string{"public"}, "")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]int{}
	for _, table := range c.Tables {
		keys[table.Name] = len(table.Keys)
	}
	if diff := cmp.Diff(map[string]int{"owner": 1, "parent": 0, "child": 0, "barren": 1}, keys); diff != "" {
		t.Errorf("the keys differ (-want +got):\n%s", diff)
	}
	if key := c.Find("public", "parent").ForeignKeys[0]; key.Validated {
		t.Error("the rows of a child are taken for checked")
	}
	before, err := catalog.Fingerprint(t.Context(), conn, []string{"public"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, conn, "create schema elsewhere; create table elsewhere.child () inherits (owner)")
	if after, err := catalog.Fingerprint(t.Context(), conn, []string{"public"}, nil); err != nil || after == before {
		t.Errorf("a child in another schema is not noticed: %v", err)
	}
}

// TestForeignKeysOverPeriods has one that names no single row: any number of rows together cover its period.
func TestForeignKeysOverPeriods(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	var version int
	if err := conn.QueryRow(t.Context(), "select current_setting('server_version_num')::int").Scan(&version); err != nil {
		t.Fatal(err)
	}
	if version < 180000 {
		t.Skip("NOT TESTED: PostgreSQL has foreign keys over periods since 18")
	}
	exec(t, conn, `create table rate (id int4range, valid_at daterange, primary key (id, valid_at without overlaps));
		create table bill (no int primary key, rate_id int4range, valid_at daterange, foreign key (rate_id, period valid_at) references rate (id, period valid_at))`)
	c, err := catalog.Load(t.Context(), conn, []string{"public"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if keys := c.Find("public", "bill").ForeignKeys; len(keys) != 0 {
		t.Errorf("there are %d foreign keys", len(keys))
	}
}

// TestCountingBesideChanges counts while a picture is read, also of tables that had no size when it was taken, and of
// one that is dropped after the count has begun.
func TestCountingBesideChanges(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	exec(t, conn, "create table one (id int); create view more as select 1 as id")
	c, err := catalog.Load(t.Context(), conn, []string{"public"}, "")
	if err != nil {
		t.Fatal(err)
	}
	more := c.Find("public", "more")
	var reading sync.WaitGroup
	reading.Go(func() { _ = more.Rows() })
	more.SetRows(7)
	reading.Wait()
	if more.Rows() != 7 {
		t.Errorf("there are %v rows", more.Rows())
	}
	tx, err := conn.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "select 1"); err != nil {
		t.Fatal(err)
	}
	other, err := pgx.Connect(t.Context(), conn.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	exec(t, other, "drop table one")
	_ = other.Close(t.Context())
	if err := c.Count(t.Context(), tx); err != nil {
		t.Error(err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Error(err)
	}
}

// wide writes 500 tables of 20 columns that refer to each other.
func wide(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	for i := range 500 {
		fmt.Fprintf(&b, "create table thing_%d (id int primary key", i)
		for c := range 18 {
			fmt.Fprintf(&b, ", c%d %s", c, []string{"int", "text", "timestamptz", "numeric", "uuid", "jsonb"}[c%6])
		}
		fmt.Fprintf(&b, ", other_id int references thing_%d);\n", max(i-1, 0))
	}
	path := filepath.Join(t.TempDir(), "wide.sql")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFiveHundredTables(t *testing.T) {
	t.Parallel()
	c, err := catalog.Load(t.Context(), connect(t, wide(t)), []string{"public"}, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := schema.Build(c, schema.Options{DefaultLimit: 100, MaxLimit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Tables) != 500 || len(c.Tables[499].Columns) != 20 || s.AST.Types["Thing499"] == nil {
		t.Errorf("read %d tables", len(c.Tables))
	}
}

// TestSharedPicturesAreWhatTheyWouldBeAlone has roles with other rights, and a type and a table that change between two.
func TestSharedPicturesAreWhatTheyWouldBeAlone(t *testing.T) {
	t.Parallel()
	conn := connect(t, "../../../testdata/catalog/kinds.sql")
	role := conn.Config().Database + "_some"
	exec(t, conn, "create role "+catalog.QuoteIdent(role)+"; grant select (code), update (name) on country to "+catalog.QuoteIdent(role)+"; grant select, insert on person to "+catalog.QuoteIdent(role))
	t.Cleanup(func() {
		exec(t, conn, "drop owned by "+catalog.QuoteIdent(role)+"; drop role "+catalog.QuoteIdent(role))
	})
	shared := catalog.NewShared()
	for _, change := range []string{"", "alter type mood add value 'new'", "alter table country add column more int; comment on column person.mood is 'x'"} {
		if change != "" {
			exec(t, conn, change)
		}
		for _, name := range []string{"", role, ""} {
			got, err := shared.Load(t.Context(), conn, []string{"public"}, name)
			if err != nil {
				t.Fatal(err)
			}
			want, err := catalog.Load(t.Context(), conn, []string{"public"}, name)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Tables) != len(want.Tables) {
				t.Fatalf("%d tables, want %d", len(got.Tables), len(want.Tables))
			}
			for i, table := range want.Tables {
				if diff := cmp.Diff([][]*catalog.Column{table.Columns, table.Unread}, [][]*catalog.Column{got.Tables[i].Columns, got.Tables[i].Unread}); diff != "" {
					t.Errorf("%q after %q, %s differs (-alone +shared):\n%s", name, change, table.Name, diff)
				}
			}
		}
	}
}

// TestSchemasShareWhatTheyHaveInCommon measures what 500 tables of 20 columns take: for the first role, and for each more.
//
//nolint:paralleltest // others would be counted as well
func TestSchemasShareWhatTheyHaveInCommon(t *testing.T) {
	conn := connect(t, wide(t))
	living := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc >> 10)
	}
	var schemas []*schema.Schema
	before := living()
	three := func(catalogs *catalog.Shared, shared *schema.Shared) (taken [3]int) {
		for i := range taken {
			c, err := catalogs.Load(t.Context(), conn, []string{"public"}, "")
			if err != nil {
				t.Fatal(err)
			}
			s, err := schema.Build(c, schema.Options{DefaultLimit: 100, MaxLimit: 1000, Shared: shared})
			if err != nil {
				t.Fatal(err)
			}
			schemas = append(schemas, s)
			taken[i] = living() - before
		}
		return taken
	}
	taken := three(catalog.NewShared(), schema.NewShared())
	further := (taken[2] - taken[0]) / 2
	first := living() - before - 2*further // what sharing takes is needed no longer
	if t.Logf("the first takes %d KB, each more %d KB", first, further); first > 25_000 || further > 5_000 {
		t.Errorf("at most 25,000 and 5,000 KB are allowed")
	}
	runtime.KeepAlive(schemas)
}

// BenchmarkFiveHundredTables is what a start costs on a large database: 500 tables of 20 columns.
func BenchmarkFiveHundredTables(b *testing.B) {
	conn := connect(b, wide(b))
	public := []string{"public"}
	b.Run("catalog", func(b *testing.B) {
		for b.Loop() {
			if _, err := catalog.Load(b.Context(), conn, public, ""); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("fingerprint", func(b *testing.B) {
		for b.Loop() {
			if _, err := catalog.Fingerprint(b.Context(), conn, public, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("schema", func(b *testing.B) {
		c, err := catalog.Load(b.Context(), conn, public, "")
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := schema.Build(c, schema.Options{DefaultLimit: 100, MaxLimit: 1000}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

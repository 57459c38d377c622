package events_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func connect(t testing.TB, address string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// exec runs statements in one go, as psql -c does.
func exec(t testing.TB, pool *pgxpool.Pool, sql string) {
	t.Helper()
	if err := try(t.Context(), pool, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func try(ctx context.Context, pool *pgxpool.Pool, sql string) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	_, err = conn.Conn().PgConn().Exec(ctx, sql).ReadAll()
	return err
}

// captured makes a database with some tables of which somebody hears everything.
func captured(t testing.TB, sql string, tables ...string) (*events.Store, *pgxpool.Pool) {
	t.Helper()
	pool := connect(t, pgtest.System(t, sql))
	s := &events.Store{Pool: pool}
	capture(t, s, nil, tables...)
	return s, pool
}

func capture(t testing.TB, s *events.Store, columns map[events.Relation]events.Columns, tables ...string) {
	t.Helper()
	var all []events.Interest
	for _, table := range tables {
		all = append(all, events.Interest{
			Relation: events.Relation{Schema: "public", Table: table}, Entity: table, Consumer: "all", Delivers: true,
			Ops: events.SetOf(events.Insert, events.Update, events.Delete, events.Truncate),
		})
	}
	if err := s.Declare(t.Context(), columns, nil, all); err != nil {
		t.Fatal(err)
	}
	install(t, s)
}

func install(t testing.TB, s *events.Store) []events.Captured {
	t.Helper()
	all, err := s.Drift(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), s.Pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	done, err := events.Install(t.Context(), conn, all)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// told gives the events so far, the oldest first, in short: op, key, old, new, changed.
func told(t testing.TB, s *events.Store) []string {
	t.Helper()
	all, err := s.List(t.Context(), events.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]string, len(all))
	for i, e := range all {
		var changed []string // as people are told in SQL
		if err := s.Pool.QueryRow(t.Context(), "select changed from _system.events where id = $1 and at = $2", e.ID, e.At).Scan(&changed); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(changed, e.Changed) || (changed == nil) != (e.Changed == nil) {
			t.Errorf("event %d: changed %q, in SQL %q", e.ID, e.Changed, changed)
		}
		var parts []string
		for _, j := range []json.RawMessage{e.Key, e.Old, e.New} {
			if j == nil {
				parts = append(parts, "-")
				continue
			}
			var v any
			if err := json.Unmarshal(j, &v); err != nil {
				t.Fatalf("%s: %v", j, err)
			}
			text, _ := json.Marshal(v)
			parts = append(parts, string(text))
		}
		lines[len(all)-1-i] = fmt.Sprint(e.Op, " ", strings.Join(parts, " "), " ", strings.Join(e.Changed, ","))
	}
	return lines
}

func expect(t testing.TB, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestConditionsAreJudgedByTheTrigger(t *testing.T) {
	t.Parallel()
	pool := connect(t, pgtest.System(t, "create type state as enum ('new', 'paid'); create domain amount as numeric(10, 2); create table item (id integer primary key, status text, n bigint, s state, a amount, note text);"))
	s := &events.Store{Pool: pool}
	item := events.Relation{Schema: "public", Table: "item"}
	all := []events.Interest{{
		Relation: item, Entity: "Item", Consumer: "a", Delivers: true, Ops: events.SetOf(events.Insert, events.Update, events.Delete),
		When: "(new.status == 'paid' || new.s == 'paid') && new.n > 9007199254740993 && new.a >= 1.5 && upper(new.note) == 'X' && changed('note')",
	}}
	declare := func() {
		t.Helper()
		if err := s.Declare(t.Context(), nil, []string{"a"}, all); err != nil {
			t.Fatal(err)
		}
		conn, err := pgx.Connect(t.Context(), pool.Config().ConnString())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.Background()) }()
		if err := events.Filters(t.Context(), conn, all); err != nil {
			t.Fatal(err)
		}
		install(t, s)
	}
	declare()
	exec(t, pool, `insert into item values (1, 'paid', 9007199254740994, null, 1.5, 'x'), (2, 'paid', 9007199254740993, null, 1.5, 'x'), (3, null, 9007199254740994, 'paid', 1.49, 'x'),
		(4, null, 9007199254740994, 'paid', 9, null), (5, null, 9007199254740994, 'paid', 9, 'y'); update item set note = 'z' where id = 1; update item set a = 7 where id = 1; delete from item where id = 1`)
	if got := deliveries(t, s); got != "a 1, a 2, a 3" { // upper() is not said in SQL: what it is about is let through
		t.Errorf("delivered %s", got)
	}
	all[0].When = "new.status == 'x'"
	if err := s.Declare(t.Context(), nil, []string{"a"}, all); err != nil { // without the owner nobody is shut out
		t.Fatal(err)
	}
	exec(t, pool, "delete from _system.event_delivery; insert into item (id, status) values (10, 'x'), (11, 'y')")
	if got := deliveries(t, s); got != "a 4, a 5" {
		t.Errorf("without the owner: %s", got)
	}
	declare()
	exec(t, pool, "delete from _system.event_delivery; insert into item (id, status) values (12, 'x'), (13, 'y'); alter table item alter column status type integer using null; insert into item (id, status) values (14, 1)")
	if got := deliveries(t, s); got != "a 6, a 7" {
		t.Errorf("with another type: %s", got)
	}
	var filters int
	if err := pool.QueryRow(t.Context(), "select count(*) from _system.event_filter").Scan(&filters); err != nil || filters != 1 {
		t.Errorf("%d filters are kept: %v", filters, err)
	}
}

package events_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

func deliveries(t testing.TB, s *events.Store) string {
	t.Helper()
	var all string
	err := s.Pool.QueryRow(t.Context(), `select coalesce(string_agg(c.name || ' ' || d.event_id || case when part > 0 then ' again' else '' end, ', ' order by c.name, d.event_id, part), '')
		from _system.event_delivery d join _system.event_consumer c on c.id = d.consumer`).Scan(&all)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWhoHears(t *testing.T) {
	t.Parallel()
	pool := connect(t, pgtest.System(t, "create table item (id integer primary key, n integer, note text); create table other (id integer primary key);"))
	s := &events.Store{Pool: pool}
	item := events.Relation{Schema: "public", Table: "item"}
	declare := func(all ...events.Interest) {
		t.Helper()
		if err := s.Declare(t.Context(), nil, []string{"a", "b", "reader"}, all); err != nil {
			t.Fatal(err)
		}
	}
	declare(
		events.Interest{Relation: item, Entity: "Item", Consumer: "a", Delivers: true, Ops: events.SetOf(events.Insert)},
		events.Interest{Relation: item, Entity: "Item", Consumer: "b", Delivers: true, Ops: events.SetOf(events.Update), Columns: []string{"n"}},
		events.Interest{Relation: item, Entity: "Item", Consumer: "reader", Ops: events.SetOf(events.Delete)},
		events.Interest{Relation: events.Relation{Table: "paid"}, Entity: "paid", Consumer: "b", Delivers: true, Ops: events.SetOf(events.Custom)},
	)
	if done := install(t, s); len(done) != 1 || done[0].Table != "item" {
		t.Fatalf("installed %+v", done)
	}
	if done := install(t, s); len(done) != 0 {
		t.Fatalf("installed again %+v", done)
	}
	exec(t, pool, "insert into item values (1, 1, 'a'); update item set note = 'b'; update item set n = 2; delete from item; insert into other values (1)")
	if _, err := s.Emit(t.Context(), "paid", json.RawMessage(`{"n": 1}`), json.RawMessage(`{"id": 1}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Emit(t.Context(), "unheard", nil, nil); err != nil {
		t.Fatal(err)
	}
	if got := deliveries(t, s); got != "a 1, b 2, b 4" {
		t.Errorf("delivered to %s", got)
	}
	expect(t, told(t, s), `INSERT {"id":1} - {"id":1,"n":1,"note":"a"} `, `UPDATE {"id":1} {"id":1,"n":1,"note":"b"} {"id":1,"n":2,"note":"b"} n`,
		`DELETE {"id":1} {"id":1,"n":2,"note":"b"} - `, `CUSTOM {"id":1} - {"n":1} `, `CUSTOM - - - `)
	declare(events.Interest{Relation: item, Entity: "Item", Consumer: "a", Delivers: true, Ops: events.SetOf(events.Insert, events.Update), Columns: []string{"note"}})
	exec(t, pool, "delete from _system.event_delivery; insert into item values (2, 1, 'a'); update item set n = 3; update item set note = 'c'; delete from item")
	if got := deliveries(t, s); got != "a 6, a 7" {
		t.Errorf("delivered to %s", got)
	}
	declare()
	if done := install(t, s); len(done) != 1 {
		t.Fatalf("removed %+v", done)
	}
	var left int
	if err := pool.QueryRow(t.Context(), "select count(*) from pg_trigger where tgname ~ '^fraiseql'").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d triggers are left: %v", left, err)
	}
}

// TestHeardAsDeclared changes rows under interests of all sorts: the capturing functions that are made of them differ much.
func TestHeardAsDeclared(t *testing.T) {
	t.Parallel()
	pool := connect(t, pgtest.System(t, "create table item (id integer primary key, n integer, note text);"))
	s := &events.Store{Pool: pool}
	item := events.Relation{Schema: "public", Table: "item"}
	changes := []struct {
		op      events.Op
		sql     string
		changed []string
		two     bool // new.n is 2
	}{
		{events.Insert, "insert into item values (1, 1, 'a')", nil, false},
		{events.Update, "update item set note = 'b'", []string{"note"}, false},
		{events.Update, "update item set n = 2", []string{"n"}, true},
		{events.Update, "update item set n = 3, note = 'c'", []string{"n", "note"}, false},
		{events.Update, "update item set id = 7", []string{"id"}, false},
		{events.Delete, "delete from item", nil, false},
		{events.Insert, "insert into item values (2, 2, 'a')", nil, true},
		{events.Delete, "delete from item", nil, false},
	}
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		var all []events.Interest
		for _, name := range []string{"a", "b", "c"}[:1+random.IntN(3)] {
			i := events.Interest{Relation: item, Entity: "Item", Consumer: name, Delivers: random.IntN(3) > 0, Ops: events.Ops(1 + random.IntN(7))}
			if random.IntN(4) == 0 {
				i.Columns = [][]string{{"n"}, {"note", "id"}, {"gone"}}[random.IntN(3)]
			}
			if random.IntN(4) == 0 {
				i.When = "new.n == 2"
			}
			all = append(all, i)
		}
		if err := s.Declare(t.Context(), nil, []string{"a", "b", "c"}, all); err != nil {
			t.Fatal(err)
		}
		conn, err := pgx.Connect(t.Context(), pool.Config().ConnString())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(events.Filters(t.Context(), conn, all), conn.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
		install(t, s)
		exec(t, pool, "truncate _system.event, _system.event_delivery; alter sequence _system.event_id restart")
		var delivered []string
		heard := 0
		for _, c := range changes {
			exec(t, pool, c.sql)
			var to []string
			some := false
			for _, i := range all {
				hears := i.Ops.Has(c.op) && (i.When == "" || c.two) &&
					(c.op != events.Update || i.Columns == nil || slices.Contains(i.Columns, "gone") || slices.ContainsFunc(c.changed, func(name string) bool { return slices.Contains(i.Columns, name) }))
				some = some || hears
				if hears && i.Delivers {
					to = append(to, i.Consumer)
				}
			}
			if some {
				heard++
			}
			for _, name := range to {
				delivered = append(delivered, fmt.Sprint(name, " ", heard))
			}
		}
		slices.Sort(delivered)
		if got := deliveries(t, s); got != strings.Join(delivered, ", ") {
			t.Errorf("round %d, %+v:\ndelivered %s\nwant      %s", round, all, got, strings.Join(delivered, ", "))
		}
		if got := told(t, s); len(got) != heard {
			t.Errorf("round %d, %+v: told %q, want %d", round, all, got, heard)
		}
	}
}

func TestReplayAndDeadLetters(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, "create table item (id integer primary key, n integer);", "item")
	exec(t, pool, "insert into item values (1, 1), (2, 1); update item set n = 2 where id = 1; update item set id = 3 where id = 2; truncate item; create table before as table _system.event_delivery")
	if _, err := s.Replay(t.Context(), events.Filter{}, false); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a replay of everything: %v", err)
	}
	hour := events.Filter{Since: time.Now().Add(-time.Hour)}
	if n, err := s.Replay(t.Context(), hour, true); err != nil || n != 5 || strings.Contains(deliveries(t, s), "again") {
		t.Errorf("a dry run counts %d: %v", n, err)
	}
	if n, err := s.Replay(t.Context(), hour, false); err != nil || n != 5 {
		t.Errorf("replayed %d: %v", n, err)
	}
	if n, err := s.Replay(t.Context(), events.Filter{IDs: []int64{3}, Op: events.Update, Entity: "public.item", Consumer: "all"}, false); err != nil || n != 1 {
		t.Errorf("replayed %d: %v", n, err)
	}
	for _, none := range []events.Filter{{IDs: []int64{3}, Op: events.Insert}, {IDs: []int64{3}, Entity: "x"}, {IDs: []int64{3}, Since: time.Now().Add(time.Hour)}} {
		if n, err := s.Replay(t.Context(), none, false); err != nil || n != 0 {
			t.Errorf("%+v replayed %d: %v", none, n, err)
		}
	}
	if _, err := s.Replay(t.Context(), events.Filter{IDs: []int64{3}, Consumer: "nobody"}, true); fault.KindOf(err) != fault.NotFound {
		t.Errorf("to nobody: %v", err)
	}
	if got := deliveries(t, s); got != "all 1, all 1 again, all 2, all 2 again, all 3, all 3 again, all 3 again, all 4, all 4 again, all 5, all 5 again" {
		t.Errorf("deliveries: %s", got)
	}
	var alike bool
	if err := pool.QueryRow(t.Context(), `select bool_and(a.key = b.key and a.lane = b.lane) from _system.event_delivery a join before b using (consumer, event_id)`).Scan(&alike); err != nil || !alike {
		t.Errorf("a replay has other keys: %v", err)
	}
	exec(t, pool, `with d as (delete from _system.event_delivery where part = 0 and event_id in (1, 3) returning *)
		insert into _system.event_dead (consumer, event_id, event_at, part, key, other, step, attempts, error) select consumer, event_id, event_at, part, key, other, 1, 10, 'no' from d`)
	dead, err := s.Dead(t.Context(), "all", 0, 10)
	if err != nil || len(dead) != 2 || dead[0].Error != "no" {
		t.Fatalf("%+v %v", dead, err)
	}
	if n, err := s.Revive(t.Context(), dead[0].ID, ""); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	if n, err := s.Revive(t.Context(), 0, "all"); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	var same bool
	if err := pool.QueryRow(t.Context(), `select count(*) = 2 and bool_and(a.key = b.key and a.lane = b.lane and a.step = 1 and a.attempt = 0) from _system.event_delivery a join before b using (consumer, event_id, part) where event_id in (1, 3)`).Scan(&same); err != nil || !same {
		t.Errorf("what came back is not as it was: %v", err)
	}
	all, err := s.Backlogs(t.Context())
	if err != nil || len(all) != 1 || all[0].Open != 11 || all[0].Dead != 0 || all[0].Oldest == nil {
		t.Errorf("%+v %v", all, err)
	}
}

// TestDaysThatAreNeeded drops the days that are over, unless somebody still needs them, while a transaction that wrote events
// is open.
func TestDaysThatAreNeeded(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, "create table item (id integer primary key);", "item")
	exec(t, pool, `insert into item select generate_series(1, 6); delete from _system.event_delivery where event_id not in (2, 3);
		create table _system.event_20200101 partition of _system.event for values from ('2020-01-01Z') to ('2020-01-02Z');
		create table _system.event_20200102 partition of _system.event for values from ('2020-01-02Z') to ('2020-01-03Z');
		create table _system.event_20200103 partition of _system.event for values from ('2020-01-03Z') to ('2020-01-04Z');
		update _system.event set at = ('2020-01-01 12:00Z'::timestamptz + interval '1 day' * (id - 1));
		update _system.event_delivery set event_at = ('2020-01-01 12:00Z'::timestamptz + interval '1 day' * (event_id - 1))`)
	exec(t, pool, "create table ids as select id, at from _system.event")
	parts := func() string {
		var names string
		if err := pool.QueryRow(t.Context(), "select string_agg(right(tableoid::regclass::text, 8) || ' ' || id, ', ' order by id) from _system.event").Scan(&names); err != nil {
			t.Fatal(err)
		}
		return names
	}
	if got := parts(); got != "20200101 1, 20200102 2, 20200103 3, _default 4, _default 5, _default 6" {
		t.Fatalf("before: %s", got)
	}
	tx := begin(t, s)
	if _, err := tx.Exec(t.Context(), "insert into item values (7)"); err != nil {
		t.Fatal(err)
	}
	forget := func() {
		t.Helper()
		exec(t, pool, "select _system.event_forget('2020-01-05'); select _system.event_forget('2020-01-05'); select _system.event_forget('2020-01-05')")
	}
	forget()
	if got := parts(); got != "20200102 2, 20200103 3, _default 5, _default 6" {
		t.Errorf("first: %s", got)
	}
	exec(t, pool, "delete from _system.event_delivery where event_id = 2; with d as (delete from _system.event_delivery where event_id = 3 returning *) insert into _system.event_dead (consumer, event_id, event_at, part, key, step, attempts, error) select consumer, event_id, event_at, part, key, 0, 1, '' from d")
	exec(t, pool, "insert into _system.event_reader (name, position) select 'slow', format('%1$s:%1$s:', (select xid from _system.event where id = 2))::pg_snapshot")
	forget()
	if got := parts(); got != "20200102 2, 20200103 3, _default 5, _default 6" {
		t.Errorf("with a reader: %s", got)
	}
	exec(t, pool, "update _system.event_reader set position = pg_current_snapshot()")
	forget()
	if got := parts(); got != "20200103 3, _default 5, _default 6" {
		t.Errorf("with a dead letter: %s", got)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	exec(t, pool, "delete from _system.event_dead")
	forget()
	var left string
	if err := pool.QueryRow(t.Context(), "select coalesce(string_agg(c.relname, ' ' order by c.relname), '') from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = '_system.event'::regclass and c.relname < 'event_2021'").Scan(&left); err != nil || left != "" {
		t.Errorf("left: %s (%v)", left, err)
	}
}

// TestDaysAreMadeWhileOthersWrite attaches partitions beside an open transaction.
func TestDaysAreMadeWhileOthersWrite(t *testing.T) {
	t.Parallel()
	s, pool := captured(t, "create table item (id integer primary key);", "item")
	tx := begin(t, s)
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "insert into item values (1)"); err != nil {
		t.Fatal(err)
	}
	exec(t, pool, "set lock_timeout = '1s'; select _system.event_days(12); reset lock_timeout")
	var missing, beyond int // the database may be one of yesterday
	err := pool.QueryRow(t.Context(), `select (select count(*) from generate_series(0, 11) d where to_regclass('_system.event_' || to_char(now() at time zone 'UTC' + d * interval '1 day', 'YYYYMMDD')) is null),
		(select count(*) from generate_series(14, 20) d where to_regclass('_system.event_' || to_char(now() at time zone 'UTC' + d * interval '1 day', 'YYYYMMDD')) is not null)`).Scan(&missing, &beyond)
	if err != nil || missing != 0 || beyond != 0 {
		t.Errorf("%d of the days ahead are missing, %d are too many: %v", missing, beyond, err)
	}
}

// TestATableInUse is waited for a while only, and told by name.
func TestATableInUse(t *testing.T) {
	t.Parallel()
	pool := connect(t, pgtest.System(t, "create table item (id integer primary key); create view items as select * from item;"))
	s := &events.Store{Pool: pool}
	declare := func(table string) []events.Captured {
		t.Helper()
		if err := s.Declare(t.Context(), nil, []string{"a"}, []events.Interest{{Relation: events.Relation{Schema: "public", Table: table}, Entity: table, Consumer: "a", Ops: events.SetOf(events.Insert)}}); err != nil {
			t.Fatal(err)
		}
		all, err := s.Drift(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	all := declare("item")
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "lock table item in share mode"); err != nil {
		t.Fatal(err)
	}
	owner, err := pgx.Connect(t.Context(), pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = owner.Close(context.Background()) }()
	_, err = events.Install(t.Context(), owner, all)
	if told, _ := fault.As(err); told == nil || told.Code != "events/table-busy" || !strings.Contains(told.Message, "public.item") {
		t.Errorf("a table in use: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if done, err := events.Install(t.Context(), owner, all); err != nil || len(done) != 1 {
		t.Errorf("%v %v", done, err)
	}
	_, err = events.Install(t.Context(), owner, declare("items"))
	if fault.CodeOf(err) != "events/no-table" {
		t.Errorf("a view: %v", err)
	}
	if all := declare("absent"); all[0].There || len(all[0].Statements()) != 0 {
		t.Errorf("a table that is not there: %+v", all)
	}
}

func TestEmitRefuses(t *testing.T) {
	t.Parallel()
	pool := connect(t, pgtest.System(t))
	s := &events.Store{Pool: pool}
	for _, c := range []struct{ name, data, key string }{{"", "null", "{}"}, {"a b", "null", "{}"}, {strings.Repeat("a", 129), "null", "{}"}, {"a", "null", "[1]"}, {"a", "null", `"x"`}, {"a", fmt.Sprintf(`{"x": %q}`, strings.Repeat("äö1", 400000)), "{}"}} {
		if _, err := s.Emit(t.Context(), c.name, json.RawMessage(c.data), json.RawMessage(c.key)); err == nil {
			t.Errorf("%.40q with %.40s of %s was taken", c.name, c.data, c.key)
		}
	}
	if id, err := s.Emit(t.Context(), "order.paid", json.RawMessage(`{"n": 1}`), nil); err != nil || id != 1 {
		t.Errorf("%d %v", id, err)
	}
}

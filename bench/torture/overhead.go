package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// notifies has each change notify somebody, which takes a lock of the whole server until after the commit.
const notifies = `create function tell() returns trigger language plpgsql as $$ begin perform pg_notify('changes', new.id::text); return null; end $$;
create trigger tell after update on captured for each row execute function tell();`

// byHand is the least that anybody would write in place of capture: a row of both images, without deliveries, days, columns that
// are left out, or care for a table that was altered.
const byHand = `create table outbox (id bigint generated always as identity primary key, at timestamptz not null default clock_timestamp(), op text not null, tab name not null, key jsonb, old jsonb, new jsonb);
create function outbox() returns trigger language plpgsql as $$ begin
  insert into outbox (op, tab, key, old, new) values (tg_op, tg_table_name, jsonb_build_object('id', new.id), to_jsonb(old), to_jsonb(new));
  return null;
end $$;
create trigger outbox after update on byhand for each row execute function outbox();`

// slowDisk has a commit take 10 ms, as it does where a disk spins or is far away.
const slowDisk = "set commit_delay = 10000; set commit_siblings = 0"

// overhead writes to tables that are alike: one is captured, one has a trigger of the usual sort. No server runs: it is what
// writing costs.
func overhead(ctx context.Context, w *world) (string, error) {
	const rows = 20000
	const config = "[observers.captured]\nevent = \"UPDATE\"\nentity = \"public.captured\"\nactions = { type = \"log\" }\n"
	tables := []string{"plain", "captured", "byhand"}
	for _, name := range tables {
		if err := w.exec(ctx, fmt.Sprintf("create table %s (id int primary key, n bigint not null default 0, a text, b text, c text, d numeric, e timestamptz default now(), f boolean, g int, h jsonb);\n"+
			"insert into %[1]s (id, a, b, c, d, f, g, h) select i, repeat('a', 20), repeat('b', 40), repeat('c', 40), i / 7.0, i %% 2 = 0, i, '{\"x\": 1, \"y\": [1, 2, 3]}' from generate_series(1, %d) i", name, rows)); err != nil {
			return "", err
		}
	}
	if err := errors.Join(w.exec(ctx, byHand), w.prepare(ctx, config, "select 1"), w.exec(ctx, "vacuum analyze")); err != nil {
		return "", err
	}
	told, err := w.count(ctx, "select count(*) from pg_proc p join pg_trigger t on t.tgfoid = p.oid where prosrc ~* 'notify' and not t.tgisinternal")
	if err != nil {
		return "", err
	}
	var rates [2]map[string]float64 // on a disk that syncs at once, and on a slow one
	for i, disk := range []string{"", slowDisk} {
		if rates[i], err = w.rates(ctx, tables, disk, rows); err != nil {
			return "", err
		}
	}
	costs, err := w.costs(ctx, tables, w.amount(10000, 50000), rows)
	if err != nil {
		return "", err
	}
	base, with, hand := costs["plain"], costs["captured"], costs["byhand"]
	cpu, usual := with.cpu-base.cpu, hand.cpu-base.cpu
	ratio, slow := rates[0]["captured"]/rates[0]["plain"], rates[1]["captured"]/rates[1]["plain"]
	seen := fmt.Sprintf("32 clients: %.0f of %.0f writes/s, %.2f, by hand %.2f; on a disk of 10 ms %.0f of %.0f, %.2f; a row more than %.0f µs of CPU and %.0f bytes of log: one by one %.0f µs and %.0f bytes, by hand %.0f µs; many at once %.0f µs, by hand %.0f µs; %d triggers notify",
		rates[0]["captured"], rates[0]["plain"], ratio, rates[0]["byhand"]/rates[0]["plain"], rates[1]["captured"], rates[1]["plain"], slow,
		base.cpu, base.wal, cpu, with.wal-base.wal, usual, with.bulk-base.bulk, hand.bulk-base.bulk, told)
	switch {
	case told > 0:
		return seen, errors.New("somebody notifies in users' transactions")
	case w.timed && slow < 0.7:
		return seen, errors.New("wanted: 0.70 of what is written without capture, where the disk is the bound")
	case w.timed && (cpu > 2.2*usual || with.bulk-base.bulk > 60 || with.wal-base.wal > 1536):
		return seen, errors.New("wanted: 2.2 times the work of a trigger by hand, 60 µs where many rows change, and 1.5 KB at most")
	}
	return seen, nil
}

// rates gives the writes a second of 32 clients to each table: the middle one of three rounds.
func (w *world) rates(ctx context.Context, tables []string, disk string, rows int) (map[string]float64, error) {
	seconds := time.Duration(w.amount(1, 15)) * time.Second
	all := map[string][]float64{}
	for range 3 {
		for _, name := range tables {
			rate, err := w.writes(ctx, name, disk, 32, rows, seconds)
			if err != nil {
				return nil, err
			}
			all[name] = append(all[name], rate)
		}
	}
	middle := map[string]float64{}
	for name, some := range all {
		slices.Sort(some)
		middle[name] = some[1]
	}
	return middle, nil
}

// writes has clients change random rows, one a transaction, and gives how many a second.
func (w *world) writes(ctx context.Context, table, disk string, clients, rows int, length time.Duration) (float64, error) {
	var all sync.WaitGroup
	var done atomic.Int64
	failures := make(chan error, clients)
	until := time.Now().Add(length)
	for range clients {
		all.Go(func() {
			conn, err := pgx.Connect(ctx, w.address(w.port))
			if err != nil {
				failures <- err
				return
			}
			defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
			if _, err := conn.PgConn().Exec(ctx, disk).ReadAll(); err != nil {
				failures <- err
				return
			}
			for time.Now().Before(until) {
				if _, err := conn.Exec(ctx, "update "+table+" set n = n + 1 where id = $1", 1+rand.IntN(rows)); err != nil {
					failures <- err
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	select {
	case err := <-failures:
		return 0, err
	default:
	}
	return float64(done.Load()) / length.Seconds(), nil
}

// cost is what a change of one row takes.
type cost struct {
	cpu, wal float64 // µs, bytes, of a transaction of one row
	bulk     float64 // µs, of a row of a statement that changes all
}

// costs changes rows of each table one by one, and all at once, without waiting for the disk. The tables take turns, and the
// middle of five rounds counts.
func (w *world) costs(ctx context.Context, tables []string, count, rows int) (map[string]cost, error) {
	conns := map[string]*pgx.Conn{}
	for _, name := range tables {
		conn, err := pgx.Connect(ctx, w.address(w.port))
		if err != nil {
			return nil, err
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		if _, err := conn.Exec(ctx, "set synchronous_commit = off"); err != nil {
			return nil, err
		}
		conns[name] = conn
	}
	one := func(name string) error {
		for range count / 5 {
			if _, err := conns[name].Exec(ctx, "update "+name+" set n = n + 1 where id = $1", 1+rand.IntN(rows)); err != nil {
				return err
			}
		}
		return nil
	}
	all := func(name string) error {
		_, err := conns[name].Exec(ctx, "update "+name+" set n = n + 1")
		return err
	}
	if _, err := w.pool.Exec(ctx, "checkpoint"); err != nil {
		return nil, err
	}
	for _, name := range tables { // it is warm then, and whole pages are in the log
		if err := errors.Join(all(name), one(name)); err != nil {
			return nil, err
		}
	}
	var taken [3]map[string][]float64
	for i := range taken {
		taken[i] = map[string][]float64{}
	}
	for range 5 {
		for _, name := range tables {
			cpu, wal, err := spent(ctx, conns[name], func() error { return one(name) })
			if err != nil {
				return nil, err
			}
			bulk, _, err := spent(ctx, conns[name], func() error { return all(name) })
			if err != nil {
				return nil, err
			}
			for i, figure := range []float64{cpu / float64(count/5), wal / float64(count/5), bulk / float64(rows)} {
				taken[i][name] = append(taken[i][name], figure)
			}
		}
	}
	made := map[string]cost{}
	for _, name := range tables {
		for i := range taken {
			slices.Sort(taken[i][name])
		}
		made[name] = cost{cpu: taken[0][name][2], wal: taken[1][name][2], bulk: taken[2][name][2]}
	}
	return made, nil
}

// spent tells how many µs a session's server process was at work for something, and how many bytes of log were written.
func spent(ctx context.Context, conn *pgx.Conn, do func() error) (cpu, wal float64, err error) {
	state := func() (busy time.Duration, at int64, err error) {
		if err = conn.QueryRow(ctx, "select (pg_current_wal_insert_lsn() - '0/0')::int8").Scan(&at); err == nil {
			busy, err = processorTime(int(conn.PgConn().PID()))
		}
		return busy, at, err
	}
	before, from, err := state()
	if err != nil {
		return 0, 0, err
	}
	if err := do(); err != nil {
		return 0, 0, err
	}
	after, to, err := state()
	return float64((after - before).Microseconds()), float64(to - from), err
}

// processorTime tells how long a process has been at work.
func processorTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/schedstat")
	if err != nil {
		return 0, fmt.Errorf("this needs Linux: %w", err)
	}
	busy, _, _ := strings.Cut(string(text), " ")
	ns, err := strconv.ParseInt(busy, 10, 64)
	return time.Duration(ns), err
}

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

// overhead writes to two tables that are alike, one of which is captured. No server runs: it is what writing costs.
func overhead(ctx context.Context, w *world) (string, error) {
	const rows = 20000
	table := func(name string) string {
		return fmt.Sprintf("create table %s (id int primary key, n bigint not null default 0, a text, b text, c text, d numeric, e timestamptz default now(), f boolean, g int, h jsonb);\n"+
			"insert into %[1]s (id, a, b, c, d, f, g, h) select i, repeat('a', 20), repeat('b', 40), repeat('c', 40), i / 7.0, i %% 2 = 0, i, '{\"x\": 1, \"y\": [1, 2, 3]}' from generate_series(1, %d) i;\nvacuum analyze %[1]s;\n", name, rows)
	}
	const config = "[observers.captured]\nevent = \"UPDATE\"\nentity = \"public.captured\"\nactions = { type = \"log\" }\n"
	for _, name := range []string{"plain", "captured"} {
		for statement := range strings.SplitSeq(table(name), ";\n") {
			if err := w.exec(ctx, statement); err != nil {
				return "", err
			}
		}
	}
	if err := w.prepare(ctx, config, "select 1"); err != nil {
		return "", err
	}
	told, err := w.count(ctx, "select count(*) from pg_proc p join pg_trigger t on t.tgfoid = p.oid where prosrc ~* 'notify' and not t.tgisinternal")
	if err != nil {
		return "", err
	}
	seconds := time.Duration(w.amount(3, 15)) * time.Second
	rates := map[string][]float64{}
	for range 3 {
		for _, name := range []string{"plain", "captured"} {
			rate, err := w.writes(ctx, name, 32, rows, seconds)
			if err != nil {
				return "", err
			}
			rates[name] = append(rates[name], rate)
		}
	}
	for _, all := range rates {
		slices.Sort(all)
	}
	ratio := rates["captured"][1] / rates["plain"][1]
	count := w.amount(10000, 50000)
	base, err := w.cost(ctx, "plain", count, rows)
	if err != nil {
		return "", err
	}
	with, err := w.cost(ctx, "captured", count, rows)
	if err != nil {
		return "", err
	}
	cpu, wal := with.cpu-base.cpu, with.wal-base.wal
	seen := fmt.Sprintf("32 clients: %.0f of %.0f writes/s, %.2f; one: %.0f µs of CPU and %.0f bytes of log a row more than %.0f µs and %.0f bytes; %d triggers notify",
		rates["captured"][1], rates["plain"][1], ratio, cpu, wal, base.cpu, base.wal, told)
	switch {
	case told > 0:
		return seen, errors.New("somebody notifies in users' transactions")
	case w.timed && ratio < 0.7:
		return seen, errors.New("wanted: 0.70 of what is written without capture")
	case w.timed && (cpu > 60 || wal > 1536):
		return seen, errors.New("wanted: 60 µs and 1.5 KB at most")
	}
	return seen, nil
}

// writes has clients change random rows, one a transaction, and gives how many a second.
func (w *world) writes(ctx context.Context, table string, clients, rows int, length time.Duration) (float64, error) {
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
type cost struct{ cpu, wal float64 } // µs, bytes

// cost changes rows one by one, without waiting for the disk.
func (w *world) cost(ctx context.Context, table string, count, rows int) (cost, error) {
	conn, err := pgx.Connect(ctx, w.address(w.port))
	if err != nil {
		return cost{}, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var pid int
	var from, to int64
	const position = "select pg_backend_pid(), (pg_current_wal_insert_lsn() - '0/0')::int8"
	if _, err := conn.Exec(ctx, "set synchronous_commit = off"); err != nil {
		return cost{}, err
	}
	change := func(times int) error {
		for range times {
			if _, err := conn.Exec(ctx, "update "+table+" set n = n + 1 where id = $1", 1+rand.IntN(rows)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := change(count / 10); err != nil { // it is warm then
		return cost{}, err
	}
	if _, err := w.pool.Exec(ctx, "checkpoint"); err != nil {
		return cost{}, err
	}
	if err := change(count); err != nil { // whole pages are in the log then
		return cost{}, err
	}
	if err := conn.QueryRow(ctx, position).Scan(&pid, &from); err != nil {
		return cost{}, err
	}
	before, err := processorTime(pid)
	if err != nil {
		return cost{}, err
	}
	if err := change(count); err != nil {
		return cost{}, err
	}
	after, err := processorTime(pid)
	if err != nil {
		return cost{}, err
	}
	if err := conn.QueryRow(ctx, position).Scan(&pid, &to); err != nil {
		return cost{}, err
	}
	return cost{cpu: float64((after - before).Microseconds()) / float64(count), wal: float64(to-from) / float64(count)}, nil
}

// processorTime tells how long a process has been at work, as Linux counts it in hundredths of a second.
func processorTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, fmt.Errorf("this needs Linux: %w", err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// command runs the program.
func (w *world) command(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, w.program, append([]string{"--config", w.config()}, args...)...)
	cmd.Env = append(os.Environ(), "DATABASE_URL="+w.address(w.port), "ADMIN="+token)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", args, err, text)
	}
	return nil
}

// halt signals a process and its children.
func (w *world) halt(pid int, signal syscall.Signal) error {
	all := append(children(pid), pid)
	for _, id := range all {
		if err := syscall.Kill(id, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	if len(all) < 2 {
		return errors.New("the processes of PostgreSQL were not found")
	}
	return nil
}

// children finds the processes that a process has made, in /proc, or by ps where there is none.
func children(pid int) []int {
	var found []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ") // what stands before is a name, which may have anything in it
		fields := strings.Fields(rest)
		if id, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			found = append(found, id)
		}
	}
	if len(stats) > 0 {
		return found
	}
	out, _ := exec.Command("ps", "-axo", "pid=,ppid=").Output()
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if id, err := strconv.Atoi(fields[0]); err == nil && len(fields) == 2 && fields[1] == strconv.Itoa(pid) {
			found = append(found, id)
		}
	}
	return found
}

func idle(ctx context.Context, w *world) (string, error) {
	if err := w.wrote(ctx, 2, 50); err != nil {
		return "", err
	}
	tx, err := w.pool.Begin(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	var pid int
	if err := tx.QueryRow(ctx, "insert into account (id, n) values (1000, 1) returning pg_backend_pid()").Scan(&pid); err != nil {
		return "", err
	}
	for until := time.Now().Add(time.Duration(w.amount(40, 600)) * time.Second); time.Now().Before(until) && ctx.Err() == nil; {
		if _, err := w.pool.Exec(ctx, "insert into account (id, n) select greatest(max(id), 2000) + i, 1 from account, generate_series(1, 20) i group by i"); err != nil {
			return "", err
		}
		time.Sleep(100 * time.Millisecond) // a steady stream
	}
	if err := w.settled(ctx); err != nil {
		return "", err
	}
	p99 := percentile(w.delays(0, func(e event) bool { return e.Op == "INSERT" }), 0.99)
	told := 0
	for until := time.Now().Add(20 * time.Second); told < len(w.nodes) && time.Now().Before(until); time.Sleep(100 * time.Millisecond) { // each looks every ten seconds
		told = 0
		for i := range w.nodes {
			text, _ := os.ReadFile(fmt.Sprintf("%s/node%d.log", w.dir, i))
			if strings.Contains(string(text), fmt.Sprintf(`"pid":%d`, pid)) {
				told++
			}
		}
	}
	before := w.sink.count()
	if err := tx.Commit(ctx); err != nil {
		return "", err
	}
	if err := w.settled(ctx); err != nil {
		return "", err
	}
	seen := fmt.Sprintf("%d changes beside it, p99 %d ms; %d of %d servers name the session; its own change came %d time", before, p99.Milliseconds(), told, len(w.nodes), w.sink.count()-before)
	switch {
	case w.timed && p99 > time.Second:
		return seen, errors.New("changes waited for it")
	case told != len(w.nodes):
		return seen, errors.New("nobody is told which session it is")
	case w.sink.count() != before+1:
		return seen, errors.New("its own change was not delivered once")
	}
	return seen, nil
}

const backlogConfiguration = `
[observers.account]
event = "INSERT"
entity = "public.account"
concurrency = 100
actions = { type = "webhook", url = "SINK" }
[observers.item]
event = "INSERT"
entity = "public.item"
actions = { type = "database", function = "public.book" }
`

// backlog lets changes pile up, and then starts one server.
func backlog(ctx context.Context, w *world) (string, error) {
	count := w.amount(20000, 1000000)
	if err := w.prepare(ctx, backlogConfiguration, tables+"create table booked (id bigint); create function book(e jsonb) returns void language sql as $$ insert into booked values ((e->'new'->>'id')::bigint) $$;"); err != nil {
		return "", err
	}
	drained := func(table string) (up, took time.Duration, memory int, err error) {
		if err := w.exec(ctx, fmt.Sprintf("insert into %s (id, n) overriding system value select i, 0 from generate_series(1, %d) i; analyze _system.event_delivery", table, count)); err != nil {
			return 0, 0, 0, err
		}
		began := time.Now()
		n, err := w.start(w.port)
		if err != nil {
			return 0, 0, 0, err
		}
		up = time.Since(began)
		done := make(chan error, 1)
		go func() { done <- w.settled(ctx) }()
		for {
			select {
			case err = <-done:
				took = time.Since(began)
				_, stopped := n.stop() // in order: the next one does not wait for its leases
				return up, took, memory, errors.Join(err, stopped)
			case <-time.After(200 * time.Millisecond):
				memory = max(memory, n.memory())
			}
		}
	}
	w.sink.answers(func(event) int { time.Sleep(5 * time.Millisecond); return 0 })
	up, hooks, memory, err := drained("account")
	if err != nil {
		return "", err
	}
	_, functions, more, err := drained("item")
	if err != nil {
		return "", err
	}
	var booked int
	if err := w.pool.QueryRow(ctx, "select count(distinct id) from booked having count(*) = count(distinct id)").Scan(&booked); err != nil {
		return "", err
	}
	seen := fmt.Sprintf("%d each: ready in %.1f s, %.0f webhooks/s, %.0f functions/s, %d MB at most", count, up.Seconds(), float64(count)/hooks.Seconds(), float64(count)/functions.Seconds(), max(memory, more))
	switch {
	case w.sink.count() != count || booked != count:
		return seen, fmt.Errorf("%d webhooks, %d functions", w.sink.count(), booked)
	case w.timed && up > 5*time.Second || max(memory, more) > 300:
		return seen, errors.New("wanted: ready within 5 s, 300 MB at most")
	}
	return seen, nil
}

func scaled(ctx context.Context, w *world) (string, error) {
	if err := w.wrote(ctx, 1, 200); err != nil {
		return "", err
	}
	t := &writers{count: 8, accounts: 200, total: int64(w.amount(4000, 40000)), pause: 20 * time.Millisecond}
	done := make(chan error, 1)
	go func() { done <- t.run(ctx, w) }()
	time.Sleep(2 * time.Second) // one alone
	if err := w.starts(2); err != nil {
		return "", err
	}
	balanced := time.Now()
	for {
		var least, most int
		if err := w.pool.QueryRow(ctx, "select coalesce(min(n), 0), coalesce(max(n), 0) from (select count(*) as n from _system.lease where holder is not null group by holder having count(*) > 0) l where (select count(distinct holder) from _system.lease) = 3").Scan(&least, &most); err != nil {
			return "", err
		}
		if least >= 4 && most <= 6 || time.Since(balanced) > 20*time.Second {
			break
		}
		time.Sleep(50 * time.Millisecond) // until lanes are divided
	}
	took := time.Since(balanced)
	time.Sleep(2 * time.Second) // three together
	var slowest time.Duration
	for _, n := range w.nodes[:2] {
		stopped, err := n.stop()
		if err != nil {
			return "", fmt.Errorf("a server does not end in order: %w", err)
		}
		slowest = max(slowest, stopped)
	}
	if err := errors.Join(<-done, w.settled(ctx)); err != nil {
		return "", err
	}
	seen, duplicates, err := compare(ctx, w)
	switch {
	case err != nil:
	case duplicates > 0:
		err = errors.New("something was done twice though all ended in order")
	case w.timed && slowest > 10*time.Second:
		err = errors.New("a server took longer than 10 s to end")
	case w.timed && took > 5*time.Second:
		err = errors.New("lanes were not divided within 5 s")
	}
	return fmt.Sprintf("1-3-1 servers: divided in %.1f s, ended in %.1f s; %s", took.Seconds(), slowest.Seconds(), seen), err
}

// wire is a way to PostgreSQL that can be cut: what is sent then arrives when it is whole again, as TCP has it behind a switch
// that was broken for a while.
type wire struct {
	listener net.Listener
	cut      atomic.Bool
	all      sync.WaitGroup
}

func newWire(to int) (*wire, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	x := &wire{listener: l}
	x.all.Go(func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", to))
			if err != nil {
				_ = a.Close()
				continue
			}
			x.all.Go(func() { x.carry(a, b) })
			x.all.Go(func() { x.carry(b, a) })
		}
	})
	return x, nil
}

func (x *wire) carry(from, to net.Conn) {
	defer func() { _, _ = from.Close(), to.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		for x.cut.Load() {
			time.Sleep(10 * time.Millisecond)
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func partitioned(ctx context.Context, w *world) (string, error) {
	if err := w.wrote(ctx, 0, 400); err != nil {
		return "", err
	}
	x, err := newWire(w.port)
	if err != nil {
		return "", err
	}
	defer func() { _ = x.listener.Close() }()
	alone, err := w.start(x.listener.Addr().(*net.TCPAddr).Port)
	if err != nil {
		return "", err
	}
	if err := w.starts(1); err != nil {
		return "", err
	}
	time.Sleep(4 * time.Second) // lanes are divided
	x.cut.Store(true)
	cut := time.Now()
	// Every row changes: those of the lanes that are cut off wait for the other server.
	if err := w.exec(ctx, "with c as (update account set n = n + 1, at = clock_timestamp() returning id, n) insert into truth select 'UPDATE', 'account', id, n from c"); err != nil {
		return "", err
	}
	wait, cancel := context.WithTimeout(ctx, 40*time.Second)
	defer cancel()
	if err := w.settled(wait); err != nil {
		return "", err
	}
	taken := time.Since(cut)
	x.cut.Store(false)
	time.Sleep(3 * time.Second) // it comes back, and must not act on what it knew
	x.cut.Store(true)           // and is cut off for good: it has to end all the same
	ended, stopped := alone.stop()
	x.cut.Store(false)
	seen, _, err := compare(ctx, w)
	seen = fmt.Sprintf("taken over within %.1f s, the server that was cut off ended in %.1f s; %s", taken.Seconds(), ended.Seconds(), seen)
	switch {
	case err != nil:
		return seen, err
	case w.timed && taken > 20*time.Second:
		return seen, errors.New("it took longer than 20 s")
	case stopped != nil:
		return seen, fmt.Errorf("the server that was cut off does not end in order: %w", stopped)
	case ended > 30*time.Second: // [lifecycle] drain_timeout
		return seen, errors.New("the server that was cut off takes long to end")
	}
	return seen, nil
}

func latency(ctx context.Context, w *world) (string, error) {
	if err := w.wrote(ctx, 1, 20); err != nil {
		return "", err
	}
	count := w.amount(30, 500)
	time.Sleep(time.Second) // it is at rest
	for i := range count {
		if err := w.exec(ctx, fmt.Sprintf("insert into account (id, n) values (%d, 1)", 1000+i)); err != nil {
			return "", err
		}
		time.Sleep(time.Duration(150+w.random.IntN(250)) * time.Millisecond) // at rest again
	}
	if err := w.settled(ctx); err != nil {
		return "", err
	}
	outside := w.delays(0, func(e event) bool { return e.Key.ID >= 1000 })
	from := w.sink.count()
	for i := range count {
		if err := w.nodes[0].post(ctx, fmt.Sprintf(`{"query":"mutation { createAccount(input: {id: \"%d\", n: \"1\"}) { id } }"}`, 100000+i)); err != nil {
			return "", err
		}
		time.Sleep(time.Duration(150+w.random.IntN(100)) * time.Millisecond) // at rest again
	}
	if err := w.settled(ctx); err != nil {
		return "", err
	}
	inside := w.delays(from, func(e event) bool { return e.Key.ID >= 100000 })
	var before, after int64
	const statements = "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
	time.Sleep(12 * time.Second) // statistics come late
	if err := w.pool.QueryRow(ctx, statements).Scan(&before); err != nil {
		return "", err
	}
	time.Sleep(20 * time.Second) // it is at rest
	if err := w.pool.QueryRow(ctx, statements).Scan(&after); err != nil {
		return "", err
	}
	load := float64(after-before) / 20
	o50, o99, i50 := percentile(outside, 0.5), percentile(outside, 0.99), percentile(inside, 0.5)
	seen := fmt.Sprintf("by psql p50 %d ms, p99 %d ms; by a mutation p50 %.1f ms; at rest %.1f transactions/s", o50.Milliseconds(), o99.Milliseconds(), float64(i50.Microseconds())/1000, load)
	if len(outside) != count || len(inside) != count {
		return seen, fmt.Errorf("%d of %d were delivered", len(outside)+len(inside), 2*count)
	}
	if w.timed && (o50 > 150*time.Millisecond || o99 > 400*time.Millisecond || i50 > 20*time.Millisecond || load > 20) {
		return seen, errors.New("wanted: p50 below 150 ms, p99 below 400 ms, by a mutation below 20 ms, below 20 transactions/s")
	}
	return seen, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// byEvent makes each change a key of its own: the order of rows is gone.
const byEvent = `create function scatter() returns trigger language plpgsql as $$ begin new.key := new.event_id; new.lane := new.event_id & 15; return new; end $$;
create trigger scatter before insert on _system.event_delivery for each row execute function scatter();`

// notHeld lets the mark be written before the server is killed.
const notHeld = "select 'the row is not held'"

// oneIsLost takes a few deliveries away.
const oneIsLost = `create function lose() returns trigger language plpgsql as $$ begin if new.event_id % 300 = 77 then return null; end if; return new; end $$;
create trigger lose before insert on _system.event_delivery for each row execute function lose();`

var scenarios = []scenario{
	{"kill", "kill -9 at random while clients write, three servers", killed, oneIsLost},
	{"mark", "kill -9 between the receiver's answer and the mark", betweenAnswerAndMark, notHeld},
	{"commits", "slow, rolled back and partly rolled back transactions", commits, oneIsLost},
	{"order", "order of rows, a receiver that fails now and then", ordered, byEvent},
	{"poison", "a key that always fails", poisoned, byEvent},
	{"postgres", "PostgreSQL restarted in the middle of it, and halted", restarted, oneIsLost},
	{"idle", "a session that idles in its transaction", idle, `create function late() returns trigger language plpgsql as $$ begin perform pg_sleep(1.5); return null; end $$;
		create constraint trigger late after insert on account deferrable initially deferred for each row execute function late();`},
	{"backlog", "a backlog, with a receiver that takes 5 ms", backlog, oneIsLost},
	{"overhead", "what writing to a captured table costs", overhead, notifies},
	{"scale", "servers come and go", scaled, oneIsLost},
	{"partition", "a server that cannot reach PostgreSQL", partitioned, `create function hold() returns trigger language plpgsql as $$ begin if old.holder is not null and new.holder is distinct from old.holder and new.holder is not null then return null; end if; return new; end $$;
		create trigger hold before update on _system.lease for each row execute function hold();`},
	{"latency", "how long a change takes to be heard, and what waiting costs", latency, `create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.5); return null; end $$;
		create constraint trigger slow after insert on account deferrable initially deferred for each row execute function slow();`},
}

// amount is a number for the short form and one for the long.
func (w *world) amount(short, long int) int {
	if w.long {
		return long
	}
	return short
}

// wrote prepares tables and servers.
func (w *world) wrote(ctx context.Context, servers, accounts int) error {
	if err := w.prepare(ctx, configuration, tables+fmt.Sprintf("insert into account (id, n) select i, 0 from generate_series(1, %d) i;", accounts)); err != nil {
		return err
	}
	return w.starts(servers)
}

func killed(ctx context.Context, w *world) (string, error) {
	if err := w.wrote(ctx, 3, 200); err != nil {
		return "", err
	}
	t := &writers{count: 8, accounts: 200, total: int64(w.amount(12000, 70000)), pause: 20 * time.Millisecond, rollback: 0.1}
	kills := w.amount(6, 50)
	done := make(chan error, 1)
	go func() { done <- t.run(ctx, w) }()
	killed, ended := 0, false
	var writing error
	for killed < kills && writing == nil && (!ended || killed < kills/2) {
		select {
		case writing = <-done:
			ended = true
		case <-time.After(time.Duration(300+w.random.IntN(1200)) * time.Millisecond):
		}
		i := w.random.IntN(len(w.nodes))
		for w.nodes[i].cmd.ProcessState != nil {
			i = w.random.IntN(len(w.nodes))
		}
		w.nodes[i].kill()
		killed++
		if _, err := w.start(w.port); err != nil {
			return "", err
		}
	}
	if !ended {
		writing = <-done
	}
	if err := errors.Join(writing, w.settled(ctx)); err != nil {
		return "", err
	}
	seen, duplicates, err := compare(ctx, w)
	if err == nil && duplicates > 100*killed {
		err = errors.New("more was delivered again than can have been on its way")
	}
	return fmt.Sprintf("%d kills, %s", killed, seen), err
}

// betweenAnswerAndMark holds the row of a delivery, so that its mark cannot be written after the receiver has answered.
func betweenAnswerAndMark(ctx context.Context, w *world) (string, error) {
	const config = `
[observers.account]
event = "INSERT"
entity = "public.account"
actions = { type = "webhook", url = "SINK" }
[observers.booked]
event = "INSERT"
entity = "public.account"
actions = { type = "database", function = "public.book" }
`
	if err := w.prepare(ctx, config, tables+"create table booked (id bigint); create function book(e jsonb) returns void language sql as $$ insert into booked values ((e->'new'->>'id')::bigint) $$;"); err != nil {
		return "", err
	}
	first, err := w.start(w.port)
	if err != nil {
		return "", err
	}
	rounds := w.amount(3, 30)
	for i := range rounds {
		before := w.sink.count()
		hold := make(chan func())
		w.sink.answers(func(event) int { // the row is locked before the answer leaves
			tx, err := w.pool.Begin(ctx)
			if err == nil {
				if w.sabotage != notHeld {
					_, err = tx.Exec(ctx, "select from _system.event_delivery for update")
				}
			}
			if err != nil {
				return http.StatusInternalServerError
			}
			hold <- func() { _ = tx.Rollback(ctx) }
			return 0
		})
		if err := w.exec(ctx, fmt.Sprintf("insert into account (id, n) values (%d, 1)", i)); err != nil {
			return "", err
		}
		var release func()
		select {
		case release = <-hold:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		for w.sink.count() == before && ctx.Err() == nil {
			time.Sleep(time.Millisecond) // until the answer is on its way
		}
		if w.sabotage == notHeld {
			time.Sleep(time.Second) // time for the mark
		}
		first.kill()
		release()
		w.sink.answers(nil)
		if first, err = w.start(w.port); err != nil {
			return "", err
		}
		if err := w.settled(ctx); err != nil {
			return "", err
		}
	}
	ids := map[string]int{}
	for _, d := range w.sink.all() {
		ids[d.id]++
	}
	twice := 0
	for _, n := range ids {
		if n == 2 {
			twice++
		}
	}
	var booked, distinct int
	if err := w.pool.QueryRow(ctx, "select count(*), count(distinct id) from booked").Scan(&booked, &distinct); err != nil {
		return "", err
	}
	seen := fmt.Sprintf("%d rounds: %d webhooks twice by one id, %d functions, each once", rounds, twice, booked)
	if twice != rounds || len(ids) != rounds || booked != rounds || distinct != rounds {
		return seen, fmt.Errorf("%d ids, %d functions run for %d rows", len(ids), booked, distinct)
	}
	return seen, nil
}

func commits(ctx context.Context, w *world) (string, error) {
	if err := w.wrote(ctx, 3, 300); err != nil {
		return "", err
	}
	t := &writers{count: 16, accounts: 300, total: int64(w.amount(1500, 20000)), pause: 500 * time.Millisecond, rollback: 0.1}
	if err := errors.Join(t.run(ctx, w), w.settled(ctx)); err != nil {
		return "", err
	}
	seen, duplicates, err := compare(ctx, w)
	if err == nil && duplicates > 0 {
		err = errors.New("nothing failed, and something was delivered again")
	}
	return seen, err
}

func ordered(ctx context.Context, w *world) (string, error) {
	keys, each := w.amount(200, 1000), w.amount(20, 100)
	if err := w.wrote(ctx, 3, keys); err != nil {
		return "", err
	}
	w.sink.answers(func(event) int {
		if rand.IntN(20) == 0 {
			return http.StatusInternalServerError
		}
		return 0
	})
	var all sync.WaitGroup
	failures := make(chan error, 8)
	for i := range 8 {
		all.Go(func() {
			for range each {
				if _, err := w.pool.Exec(ctx, "with c as (update account set n = n + 1 where id % 8 = $1 returning id, n) insert into truth select 'UPDATE', 'account', id, n from c", i); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-failures:
		return "", err
	default:
	}
	if err := w.settled(ctx); err != nil {
		return "", err
	}
	seen, _, err := compare(ctx, w)
	old := map[int64]int64{}
	broken := 0
	for _, d := range w.sink.all() {
		if e := d.event; e.New.N == old[e.Key.ID]+1 {
			if e.Old.N != old[e.Key.ID] {
				broken++
			}
			old[e.Key.ID] = e.New.N
		}
	}
	if err == nil && broken > 0 {
		err = fmt.Errorf("%d times what a row was is not what it had become", broken)
	}
	return fmt.Sprintf("%d rows x %d updates, %s", keys, each, seen), err
}

const poisonConfiguration = `
[observers.account]
event = "UPDATE"
entity = "public.account"
concurrency = 20
retry = { max_attempts = 4, initial = "200ms", max = "1s" }
actions = { type = "webhook", url = "SINK" }
`

func poisoned(ctx context.Context, w *world) (string, error) {
	if err := w.prepare(ctx, poisonConfiguration, tables+"insert into account (id, n) select i, 0 from generate_series(1, 100) i;"); err != nil {
		return "", err
	}
	if err := w.starts(2); err != nil {
		return "", err
	}
	var bad atomic.Bool
	w.sink.answers(func(e event) int {
		if bad.Load() && e.Key.ID == 1 {
			return http.StatusInternalServerError
		}
		return 0
	})
	rounds := w.amount(25, 400)
	measure := func(wanted int) (time.Duration, error) {
		from := w.sink.count()
		for range rounds {
			if err := w.exec(ctx, "update account set n = n + 1, at = clock_timestamp() where id <= 20"); err != nil {
				return 0, err
			}
		}
		for deadline := time.Now().Add(20 * time.Second); w.sink.count() < from+wanted*rounds && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond) // until the healthy ones are there
		}
		return percentile(w.delays(from, func(e event) bool { return e.Key.ID != 1 }), 0.99), nil
	}
	well, err := measure(20)
	if err != nil {
		return "", err
	}
	bad.Store(true)
	ill, err := measure(19)
	if err != nil {
		return "", err
	}
	if err := w.settled(ctx); err != nil {
		return "", err
	}
	var dead int
	if err := w.pool.QueryRow(ctx, "select count(*) from _system.event_dead where attempts = 4").Scan(&dead); err != nil {
		return "", err
	}
	bad.Store(false)
	from := w.sink.count()
	if err := w.exec(ctx, "select 1"); err != nil {
		return "", err
	}
	if err := w.command(ctx, "observers", "retry", "--all"); err != nil {
		return "", err
	}
	if err := w.settled(ctx); err != nil {
		return "", err
	}
	var values []int64
	for _, d := range w.sink.all()[from:] {
		values = append(values, d.event.New.N)
	}
	seen := fmt.Sprintf("others' p99 %d ms, with a poison %d ms; %d dead letters, %d delivered when mended", well.Milliseconds(), ill.Milliseconds(), dead, len(values))
	switch {
	case dead != rounds || len(values) != rounds:
		return seen, errors.New("not every change of the poison became a dead letter and came back")
	case !sort.SliceIsSorted(values, func(i, j int) bool { return values[i] < values[j] }):
		return seen, errors.New("they came back out of order")
	case w.timed && ill > 2*well+50*time.Millisecond:
		return seen, errors.New("others waited for the poison")
	}
	return seen, nil
}

// delays gives how long after the change each was delivered, from a place in the sink on.
func (w *world) delays(from int, of func(event) bool) []time.Duration {
	var all []time.Duration
	for _, d := range w.sink.all()[from:] {
		if d.event.New == nil || !of(d.event) {
			continue
		}
		if at, err := time.Parse(time.RFC3339Nano, d.event.New.At); err == nil {
			all = append(all, d.at.Sub(at))
		}
	}
	return all
}

func percentile(all []time.Duration, p float64) time.Duration {
	if len(all) == 0 {
		return time.Hour
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	return all[min(len(all)-1, int(float64(len(all))*p))]
}

func restarted(ctx context.Context, w *world) (string, error) {
	if err := w.wrote(ctx, 3, 200); err != nil {
		return "", err
	}
	t := &writers{count: 8, accounts: 200, total: int64(w.amount(3000, 30000)), pause: 20 * time.Millisecond, rollback: 0.1}
	done := make(chan error, 1)
	go func() { done <- t.run(ctx, w) }()
	var slowest time.Duration
	restarts := w.amount(2, 5)
	for range restarts {
		time.Sleep(2 * time.Second) // some work in between
		if err := w.control(ctx, "restart", "-m", "immediate"); err != nil {
			return "", err
		}
		back, from := time.Now(), w.sink.count()
		if _, err := w.pool.Exec(ctx, "insert into item default values"); err == nil {
			_, err = w.pool.Exec(ctx, "insert into truth select 'INSERT', 'item', id, n from item where not exists (select from truth where relation = 'item' and truth.id = item.id)")
			if err != nil {
				return "", err
			}
		}
		for w.sink.count() == from && ctx.Err() == nil {
			time.Sleep(10 * time.Millisecond) // until something is delivered again
		}
		slowest = max(slowest, time.Since(back))
	}
	halt := time.Duration(w.amount(15, 30)) * time.Second
	p, err := w.postmaster()
	if err != nil {
		return "", err
	}
	if err := w.halt(p.Pid, syscall.SIGSTOP); err != nil {
		return "", err
	}
	time.Sleep(halt) // PostgreSQL is halted
	if err := w.halt(p.Pid, syscall.SIGCONT); err != nil {
		return "", err
	}
	if err := errors.Join(<-done, w.settled(ctx)); err != nil {
		return "", err
	}
	seen, _, err := compare(ctx, w)
	if err == nil && w.timed && slowest > 10*time.Second {
		err = errors.New("it took longer than 10 s until changes were delivered again")
	}
	return fmt.Sprintf("%d restarts, delivered again within %.1f s, %s halted; %s", restarts, slowest.Seconds(), halt, seen), err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

func clock(ctx context.Context, w *world) (string, error) {
	libraries, _ := filepath.Glob("/usr/lib/*/faketime/libfaketime.so.1")
	if len(libraries) == 0 {
		return "", errors.New("this needs libfaketime: apt-get install faketime (Debian)")
	}
	if err := w.control(ctx, "stop", "-m", "fast"); err != nil {
		return "", err
	}
	w.env = []string{"LD_PRELOAD=" + libraries[0], "FAKETIME=+10m", "FAKETIME_DONT_FAKE_MONOTONIC=1"} // other worlds have their own time
	err := w.control(ctx, "start", "-o", w.options())
	w.env = nil
	if err != nil {
		return "", err
	}
	w.pool.Reset()
	var failed atomic.Int64
	times := map[string][]time.Time{}
	var mu sync.Mutex
	stop, address := listen(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		id := r.Header.Get("Webhook-Id")
		if times[id] = append(times[id], time.Now()); len(times[id]) < 3 {
			failed.Add(1)
			rw.Header().Set("Retry-After", "2")
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer stop()
	if err := w.works(ctx, "[jobs.handlers.call]\ntype = \"http\"\nurl = \""+address+"\"\nretry = { initial = \"1s\" }\n[jobs.schedules.tick]\nevery = \"1s\"\nkind = \"note\"\n"+noteHandler, 2); err != nil {
		return "", err
	}
	count := w.amount(10, 100)
	for range count {
		if _, err := w.nodes[0].enqueue(ctx, map[string]any{"kind": "call"}); err != nil {
			return "", err
		}
	}
	if err := w.awaits(ctx, time.Minute, count, "select count(*) from _system.river_job where kind = 'call' and state = 'completed'"); err != nil {
		return "", err
	}
	if err := w.exec(ctx, "select _system.enqueue('note', '{\"job\": \"later\"}', '{\"delay\": \"2 seconds\"}')"); err != nil {
		return "", err
	}
	if err := w.awaits(ctx, 30*time.Second, 1, "select count(*) from ledger where job = 'later'"); err != nil {
		return "", err
	}
	early := 0
	for _, all := range times {
		for i := 1; i < len(all); i++ {
			if all[i].Sub(all[i-1]) < 1500*time.Millisecond { // of 2 s: how far clocks differ is known to half of a beat's way
				early++
			}
		}
	}
	ticks, err := w.count(ctx, "select count(distinct scheduled_at) from _system.river_job where kind = 'note' and metadata -> 'cause' ->> 'schedule' = 'tick' and scheduled_at > clock_timestamp() - interval '1 minute'")
	if err != nil {
		return "", err
	}
	seen := fmt.Sprintf("%d jobs with two failures each: %d begun too early; %d times of the schedule by the database's clock", count, early, ticks)
	if early > 0 || ticks < 3 {
		return seen, errors.New("times are not told by the database's clock")
	}
	return seen, nil
}

func unique(ctx context.Context, w *world) (string, error) {
	if err := w.works(ctx, "concurrency = 0\n"+noteHandler, 3); err != nil {
		return "", err
	}
	var all sync.WaitGroup
	var calls, made atomic.Int64
	until := time.Now().Add(time.Duration(w.amount(4, 10)) * time.Second)
	failures := make(chan error, 64)
	for i := range 64 {
		all.Go(func() {
			for time.Now().Before(until) {
				duplicate, err := w.nodes[i%3].enqueue(ctx, map[string]any{"kind": "note", "unique_key": "one"})
				if err != nil {
					failures <- err
					return
				}
				calls.Add(1)
				if !duplicate {
					made.Add(1)
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
	jobs, err := w.count(ctx, "select count(*) from _system.river_job")
	if err != nil {
		return "", err
	}
	seen := fmt.Sprintf("%d calls by 64 clients made %d job", calls.Load(), jobs)
	if jobs != 1 || made.Load() != 1 {
		return seen, fmt.Errorf("%d were told that they made one", made.Load())
	}
	for _, n := range w.nodes {
		n.kill()
	}
	if n, err := w.start(w.port); err != nil {
		return seen, err
	} else if duplicate, err := n.enqueue(ctx, map[string]any{"kind": "note", "unique_key": "one"}); err != nil || !duplicate {
		return seen, fmt.Errorf("after a restart the key is free: %w", err)
	}
	if err := w.exec(ctx, "update _system.river_job set state = 'completed', finalized_at = now()"); err != nil {
		return seen, err
	}
	if duplicate, err := w.nodes[len(w.nodes)-1].enqueue(ctx, map[string]any{"kind": "note", "unique_key": "one"}); err != nil || duplicate {
		return seen, fmt.Errorf("when the job is over the key is still taken: %w", err)
	}
	return seen, nil
}

func transacted(ctx context.Context, w *world) (string, error) {
	if err := w.works(ctx, "concurrency = 20\n"+noteHandler, 3); err != nil {
		return "", err
	}
	if err := w.exec(ctx, "create table wanted (n bigint primary key)"); err != nil {
		return "", err
	}
	total := int64(w.amount(3000, 30000))
	var next, rolled atomic.Int64
	var all sync.WaitGroup
	failures := make(chan error, 8)
	for range 8 {
		all.Go(func() {
			for {
				n := next.Add(1)
				if n > total {
					return
				}
				end := "commit"
				if n%10 < 3 {
					end = "rollback"
					rolled.Add(1)
				}
				if _, err := w.pool.Exec(ctx, fmt.Sprintf("do $$ begin insert into wanted values (%d); perform _system.enqueue('note', '{\"n\": %d}'); %s; end $$", n, n, end)); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { all.Wait(); close(written) }()
	kills := 0
	live := slices.Clone(w.nodes)
	for ended := false; !ended && kills < w.amount(4, 30); kills++ {
		select {
		case <-written:
			ended = true
		case <-time.After(time.Duration(300+w.random.IntN(700)) * time.Millisecond):
		}
		i := w.random.IntN(len(live))
		live[i].kill()
		var err error
		if live[i], err = w.start(w.port); err != nil {
			return "", err
		}
	}
	<-written
	select {
	case err := <-failures:
		return "", err
	default:
	}
	if err := w.jobsSettled(ctx, 2*time.Minute); err != nil {
		return "", err
	}
	wrong, err := w.count(ctx, "select count(*) from (select n from wanted full join (select n, count(*) as c from ledger group by n) l using (n) where l.c is distinct from 1 or wanted.n is null) x")
	if err != nil {
		return "", err
	}
	done, err := w.count(ctx, "select count(*) from ledger")
	if err != nil {
		return "", err
	}
	seen := fmt.Sprintf("%d kills; %d committed and %d rolled back: %d functions run, %d not exactly once", kills, total-rolled.Load(), rolled.Load(), done, wrong)
	if wrong > 0 || int64(done) != total-rolled.Load() {
		return seen, errors.New("a job was lost, invented or done twice")
	}
	return seen, nil
}

func fair(ctx context.Context, w *world) (string, error) {
	const config = `concurrency = 50
[jobs.queues.tenant-a]
concurrency = 10
[jobs.queues.tenant-b]
concurrency = 10
[jobs.queues.slow]
rate_limit = "50/s"
`
	if err := w.works(ctx, config+noteHandler, 3); err != nil {
		return "", err
	}
	many := w.amount(20000, 100000)
	if err := w.exec(ctx, fmt.Sprintf("select count(_system.enqueue('note', '{\"job\": \"a\"}', '{\"queue\": \"tenant-a\"}')) from generate_series(1, %d)", many)); err != nil {
		return "", err
	}
	began := time.Now()
	if err := w.exec(ctx, "select count(_system.enqueue('note', '{\"job\": \"b\"}', '{\"queue\": \"tenant-b\"}')) from generate_series(1, 10)"); err != nil {
		return "", err
	}
	if err := w.awaits(ctx, time.Minute, 10, "select count(*) from ledger where job = 'b'"); err != nil {
		return "", err
	}
	took := time.Since(began)
	left, err := w.count(ctx, "select count(*) from _system.river_job where queue = 'tenant-a' and state = 'available'")
	if err != nil {
		return "", err
	}
	if err := w.exec(ctx, "delete from _system.river_job where queue = 'tenant-a' and state = 'available'"); err != nil {
		return "", err
	}
	seconds := w.amount(12, 60)
	if err := w.exec(ctx, fmt.Sprintf("select count(_system.enqueue('note', '{\"job\": \"slow\"}', '{\"queue\": \"slow\"}')) from generate_series(1, %d)", 50*(seconds+10))); err != nil {
		return "", err
	}
	if err := w.awaits(ctx, time.Minute, 100, "select count(*) from ledger where job = 'slow'"); err != nil { // past the burst
		return "", err
	}
	before, err := w.count(ctx, "select count(*) from _system.river_job where queue = 'slow' and attempt > 0")
	if err != nil {
		return "", err
	}
	from := time.Now()
	time.Sleep(time.Duration(seconds) * time.Second) // the rate holds
	after, err := w.count(ctx, "select count(*) from _system.river_job where queue = 'slow' and attempt > 0")
	if err != nil {
		return "", err
	}
	lasted := time.Since(from).Seconds()
	rate := float64(after-before) / lasted
	seen := fmt.Sprintf("beside %d jobs of another queue 10 were done in %.1f s (%d were left); %.1f a second begun on three servers, of 50", many, took.Seconds(), left, rate)
	switch {
	case float64(after-before) > 50*lasted+50 || w.timed && rate < 47.5: // a second's worth may have been saved up
		return seen, errors.New("the rate does not hold")
	case left < many/10 || w.timed && took > 2*time.Second:
		return seen, errors.New("one queue waited for the other")
	}
	return seen, nil
}

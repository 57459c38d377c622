package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// token is that of the management routes.
const token = "torture-torture-torture-torture-torture"

// The scenarios of jobs.
var jobScenarios = []scenario{
	{name: "rescue", what: "kill -9 with jobs at work", run: rescued, sabotage: "drop function _system.job_rescue(interval, text); create function _system.job_rescue(interval, text) returns integer language sql as 'select 0'"},
	{name: "deaf", what: "jobs that do not end when they are told to", run: deaf, sabotage: `create function dies() returns trigger language plpgsql as $$ begin if old.state = 'running' and new.state in ('available', 'retryable') then new.state := 'discarded'; new.finalized_at := now(); end if; return new; end $$;
		create trigger dies before update on _system.river_job for each row execute function dies();`},
	{name: "schedules", what: "schedules on three servers that are killed, and times that were missed", run: scheduled, sabotage: `create function again() returns trigger language plpgsql as $$ begin if random() < 0.3 then new.next_at := old.next_at; end if; return new; end $$;
		create trigger again before update on _system.job_schedule for each row execute function again();`},
	{name: "clock", what: "a database whose clock is ten minutes ahead", run: clock, sabotage: `create function early() returns trigger language plpgsql as $$ begin if old.state = 'running' and new.state <> 'completed' then new.scheduled_at := now(); new.state := 'available'; end if; return new; end $$;
		create trigger early before update on _system.river_job for each row execute function early();`},
	{name: "unique", what: "64 clients with one key", run: unique, sabotage: `create function keyless() returns trigger language plpgsql as $$ begin new.unique_key := null; return new; end $$;
		create trigger keyless before insert on _system.river_job for each row execute function keyless();`},
	{name: "transaction", what: "jobs that are enqueued in transactions, and servers that are killed", run: transacted, sabotage: `create function lose() returns trigger language plpgsql as $$ begin if new.id % 50 = 7 then return null; end if; return new; end $$;
		create trigger lose before insert on _system.river_job for each row execute function lose();`},
	{name: "fairness", what: "a queue beside a full one, and a rate on three servers", run: fair, sabotage: `create function more() returns trigger language plpgsql as $$ begin new.tokens := greatest(new.tokens, 60); return new; end $$;
		create trigger more before update on _system.job_limit for each row execute function more();`},
}

// works prepares tables and a configuration of jobs, with one table that handlers write to.
func (w *world) works(ctx context.Context, configuration string, servers int) error {
	const tables = `create table ledger (job text, n bigint, at timestamptz not null default clock_timestamp());
create function note(args jsonb) returns void language sql as $$ insert into ledger values (args ->> 'job', (args ->> 'n')::bigint) $$;`
	if err := w.prepare(ctx, "[server]\nadmin_token_env = \"ADMIN\"\n[jobs]\npoll_interval = \"200ms\"\n"+configuration, tables); err != nil {
		return err
	}
	return w.starts(servers)
}

const noteHandler = `
[jobs.handlers.note]
type = "function"
function = "public.note"
retry = { max_attempts = 100, initial = "50ms", max = "500ms" }
`

// enqueue makes a job by a server's route, and tells whether it was there already.
func (n *node) enqueue(ctx context.Context, job map[string]any) (duplicate bool, err error) {
	body, err := json.Marshal(job)
	if err != nil {
		return false, err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url+"/jobs", bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	q.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return false, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusAccepted {
		return false, fmt.Errorf("POST /jobs: %s %s, %w", answer.Status, text, err)
	}
	var receipt struct {
		Duplicate bool
	}
	return receipt.Duplicate, json.Unmarshal(text, &receipt)
}

// count asks for one number.
func (w *world) count(ctx context.Context, sql string, args ...any) (n int, err error) {
	err = w.pool.QueryRow(ctx, sql, args...).Scan(&n)
	return n, err
}

// awaits waits until a count is reached.
func (w *world) awaits(ctx context.Context, limit time.Duration, want int, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		n, err := w.count(ctx, sql)
		if err == nil && n >= want {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d after %s", n, want, limit)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

const open = "select count(*) from _system.river_job where state not in ('completed', 'cancelled', 'discarded')"

// jobsSettled waits until all jobs are over.
func (w *world) jobsSettled(ctx context.Context, limit time.Duration) error {
	return w.awaits(ctx, limit, 1, "select case when ("+open+") = 0 then 1 else 0 end")
}

// calls is a receiver that remembers the ids of calls, and holds the first one of each.
type calls struct {
	mu   sync.Mutex
	seen map[string]int
}

func (c *calls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // else nobody notices that the caller is gone
	c.mu.Lock()
	c.seen[r.Header.Get("Webhook-Id")]++
	first := c.seen[r.Header.Get("Webhook-Id")] == 1
	c.mu.Unlock()
	if first {
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	}
	w.WriteHeader(http.StatusOK)
}

func (c *calls) count(of func(n int) bool) (count int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.seen {
		if of(n) {
			count++
		}
	}
	return count
}

func rescued(ctx context.Context, w *world) (string, error) {
	receiver := &calls{seen: map[string]int{}}
	stop, address := listen(receiver)
	defer stop()
	const jobs = 100
	if err := w.works(ctx, "concurrency = 100\ntimeout = \"2m\"\n[jobs.handlers.call]\ntype = \"http\"\nurl = \""+address+"\"\n", 1); err != nil {
		return "", err
	}
	for range jobs {
		if _, err := w.nodes[0].enqueue(ctx, map[string]any{"kind": "call"}); err != nil {
			return "", err
		}
	}
	for receiver.count(func(int) bool { return true }) < jobs && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond) // until all are at work
	}
	if err := w.starts(2); err != nil {
		return "", err
	}
	killed := time.Now()
	w.nodes[0].kill()
	for receiver.count(func(n int) bool { return n > 1 }) < jobs && time.Since(killed) < time.Minute && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond) // until all are at work elsewhere
	}
	took := time.Since(killed)
	if err := w.jobsSettled(ctx, time.Minute); err != nil {
		return "", err
	}
	twice, err := w.count(ctx, "select count(*) from _system.river_job where state = 'completed' and attempt = 2 and cardinality(attempted_by) = 2 and cardinality(errors) = 1")
	if err != nil {
		return "", err
	}
	seen := fmt.Sprintf("%d jobs begun elsewhere within %.1f s, each with the same id", receiver.count(func(n int) bool { return n == 2 }), took.Seconds())
	switch {
	case twice != jobs || receiver.count(func(n int) bool { return n == 2 }) != jobs || len(receiver.seen) != jobs:
		return seen, fmt.Errorf("%d of %d were completed at the second try, %d ids", twice, jobs, len(receiver.seen))
	case w.timed && took > 20*time.Second:
		return seen, errors.New("it took longer than 20 s")
	}
	return seen, nil
}

func deaf(ctx context.Context, w *world) (string, error) {
	const config = `concurrency = 2
allow_commands = true
[jobs.handlers.deaf]
type = "command"
command = ["sh", "-c", "trap '' TERM; if [ $JOB_ATTEMPT = 1 ]; then sleep 600; fi"]
timeout = "3s"
retry = { max_attempts = 3, initial = "50ms" }
`
	if err := w.works(ctx, config+noteHandler, 1); err != nil {
		return "", err
	}
	count := w.amount(4, 40)
	began := time.Now()
	for i := range count {
		for _, job := range []map[string]any{{"kind": "deaf"}, {"kind": "note", "args": map[string]any{"n": i}}} {
			if _, err := w.nodes[0].enqueue(ctx, job); err != nil {
				return "", err
			}
		}
	}
	if err := w.jobsSettled(ctx, time.Duration(count)*10*time.Second+30*time.Second); err != nil {
		return "", err
	}
	took := time.Since(began)
	done, err := w.count(ctx, "select count(*) from _system.river_job where state = 'completed' and (kind = 'note' or attempt = 2 and errors[1] ->> 'error' like 'the job took longer than 3s%')")
	if err != nil {
		return "", err
	}
	answer, err := http.Get(w.nodes[0].url + "/health")
	if err != nil {
		return "", err
	}
	_ = answer.Body.Close()
	seen := fmt.Sprintf("%d of them and %d others done in %.0f s with two places", count, count, took.Seconds())
	if done != 2*count || answer.StatusCode != http.StatusOK {
		return seen, fmt.Errorf("%d of %d jobs are done as they should be, health %s", done, 2*count, answer.Status)
	}
	return seen, nil
}

func scheduled(ctx context.Context, w *world) (string, error) {
	var config strings.Builder
	config.WriteString(noteHandler)
	for _, catchUp := range []string{"none", "one", "all"} {
		fmt.Fprintf(&config, "[jobs.schedules.%s]\nevery = \"1s\"\nkind = \"note\"\nargs = { job = %q }\ncatch_up = %q\n", catchUp, catchUp, catchUp)
	}
	if err := w.works(ctx, config.String(), 3); err != nil {
		return "", err
	}
	// All times of a schedule from the first job to the last, against its jobs.
	const missing = `with jobs as (select date_trunc('second', scheduled_at) as at, count(*) as n from _system.river_job where metadata -> 'cause' ->> 'schedule' = $1 group by 1)
select (select count(*) from generate_series((select min(at) from jobs), (select max(at) from jobs), '1 second') t left join jobs on jobs.at = t where n is distinct from 1)
  + (select count(*) from jobs where n > 1)`
	fires := w.amount(15, 60)
	kills := 0
	live := slices.Clone(w.nodes)
	for began := time.Now(); time.Since(began) < time.Duration(fires)*time.Second; kills++ {
		time.Sleep(time.Duration(1500+w.random.IntN(2000)) * time.Millisecond) // some times pass
		i := w.random.IntN(len(live))
		live[i].kill()
		var err error
		if live[i], err = w.start(w.port); err != nil {
			return "", err
		}
	}
	wrong := 0
	for _, catchUp := range []string{"none", "one", "all"} {
		n, err := w.count(ctx, missing, catchUp)
		if err != nil {
			return "", err
		}
		wrong += n
	}
	for _, n := range w.nodes {
		n.kill()
	}
	away := time.Duration(w.amount(12, 60)) * time.Second
	before := map[string]int{}
	for _, catchUp := range []string{"none", "one", "all"} {
		n, err := w.count(ctx, "select runs from _system.job_schedule where name = $1", catchUp)
		if err != nil {
			return "", err
		}
		before[catchUp] = n
	}
	stopped, err := w.count(ctx, "select extract(epoch from min(next_at))::int from _system.job_schedule")
	if err != nil {
		return "", err
	}
	time.Sleep(away) // nobody is there
	if _, err := w.start(w.port); err != nil {
		return "", err
	}
	if err := w.awaits(ctx, 30*time.Second, 1, "select count(*) from _system.job_schedule where name = 'all' and next_at > clock_timestamp()"); err != nil {
		return "", err
	}
	made := map[string]int{}
	var now int
	for _, catchUp := range []string{"none", "one", "all"} {
		if now, err = w.count(ctx, "select extract(epoch from next_at)::int from _system.job_schedule where name = $1", catchUp); err != nil {
			return "", err
		}
		n, err := w.count(ctx, "select runs from _system.job_schedule where name = $1", catchUp)
		if err != nil {
			return "", err
		}
		made[catchUp] = n - before[catchUp]
	}
	missed := now - stopped
	seen := fmt.Sprintf("%d s with %d kills: %d times without their one job; of %d that were missed none made %d, one %d, all %d", fires, kills, wrong, missed, made["none"], made["one"], made["all"])
	fresh := 7 + int(5*time.Second/time.Second) // what is not late yet, and what came since
	switch {
	case wrong > 0:
		return seen, errors.New("a time had no job, or several")
	case made["all"] < missed-1 || made["all"] > missed+1, made["none"] > fresh, made["one"] < 1 || made["one"] > fresh+1, missed < int(away/time.Second)-2:
		return seen, errors.New("what was missed is not made up for as it should be")
	}
	return seen, w.jobsSettled(ctx, time.Minute)
}

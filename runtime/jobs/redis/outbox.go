package redis

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/jobs"
)

const (
	outboxSQL = `
insert into _system.job_outbox as o (id, kind, args, queue, priority, max_attempts, run_at, unique_key, unique_until, cause)
values ($1, $2, $3::jsonb, $4, $5, $6, $7, $8, $9, $10::jsonb)
on conflict (kind, unique_key) do update
set kind = excluded.kind
returning o.id::text, coalesce(o.run_at > clock_timestamp(), false)`

	columnsSQL = `
select id::text, kind, args, queue, priority, max_attempts, run_at, coalesce(unique_key, ''), unique_until, cause, created_at
from _system.job_outbox`

	relaySQL = columnsSQL + `
order by place
for update skip locked
limit 500`

	hurrySQL = columnsSQL + `
where id = $1
for update`

	relayedSQL = `
delete from _system.job_outbox
where id = any ($1::uuid[])`

	waitsSQL = columnsSQL + `
where id = $1`
)

// EnqueueTx puts jobs into the outbox: whoever commits has them, also while Redis is away.
func (q *Queue) EnqueueTx(ctx context.Context, tx pgx.Tx, all []jobs.Spec) ([]jobs.Receipt, error) {
	receipts := make([]jobs.Receipt, len(all))
	for i, n := range all {
		id := q.ids.next()
		var key *string
		if n.UniqueKey != "" {
			if taken := q.taken(ctx, n); taken != nil {
				receipts[i] = *taken
				continue
			}
			key = &n.UniqueKey
		}
		var due *time.Time
		if !n.RunAt.IsZero() {
			due = &n.RunAt
		}
		until := n.UniqueUntil
		if until == "" {
			until = jobs.Finished
		}
		cause, err := causeOf(n.Cause)
		if err != nil {
			return nil, err
		}
		var is string
		var waits bool
		err = tx.QueryRow(ctx, outboxSQL, id, n.Kind, string(n.Args), n.Queue, n.Priority, n.MaxAttempts, due, key, string(until), cmp.Or(cause, "{}")).Scan(&is, &waits)
		if err != nil {
			return nil, err
		}
		receipts[i] = jobs.Receipt{ID: is, State: jobs.Available, Duplicate: is != id}
		if waits {
			receipts[i].State = jobs.Scheduled
		}
	}
	return receipts, nil
}

// taken gives the job in Redis that has a unique key. A transaction does not wait for a Redis that is away: whether the key is
// taken decides for good when the job gets there.
func (q *Queue) taken(ctx context.Context, n jobs.Spec) *jobs.Receipt {
	ctx, cancel := context.WithTimeout(ctx, 250*time.Millisecond)
	defer cancel()
	row, err := takenScript.Run(ctx, q.once, nil, keyOf(n)).StringSlice()
	if err != nil || len(row) != 2 {
		return nil
	}
	return &jobs.Receipt{ID: row[0], State: jobs.State(row[1]), Duplicate: true}
}

// row is one of the outbox.
type row struct {
	spec
	created time.Time
}

func readRow(r pgx.CollectableRow) (row, error) {
	var o row
	var due *time.Time
	var cause []byte
	err := r.Scan(&o.id, &o.Kind, &o.Args, &o.Queue, &o.Priority, &o.MaxAttempts, &due, &o.UniqueKey, &o.UniqueUntil, &cause, &o.created)
	if due != nil {
		o.RunAt = *due
	}
	return o, errors.Join(err, json.Unmarshal(cause, &o.Cause))
}

// waits gives a job that is still in the outbox.
func (q *Queue) waits(ctx context.Context, id string) (jobs.Job, bool, error) {
	rows, err := q.options.Pool.Query(ctx, waitsSQL, id)
	if err != nil {
		return jobs.Job{}, false, err
	}
	o, err := pgx.CollectOneRow(rows, readRow)
	if err != nil {
		if errors.Is(err, pgx.ErrNoRows) {
			err = nil
		}
		return jobs.Job{}, false, err
	}
	j := jobs.Job{
		ID: o.id, Kind: o.Kind, Queue: o.Queue, State: jobs.Available, Args: o.Args, Priority: o.Priority, MaxAttempts: o.MaxAttempts,
		CreatedAt: o.created, RunAt: o.created, UniqueKey: o.UniqueKey,
	}
	if !o.RunAt.IsZero() {
		if j.RunAt = o.RunAt; time.Until(o.RunAt) > 0 {
			j.State = jobs.Scheduled
		}
	}
	if o.Cause != (jobs.Cause{}) {
		j.Cause = &o.Cause
	}
	return j, true, nil
}

// relays takes jobs from the outbox to Redis until ctx ends. Every server does; a row is one server's at a time.
func (q *Queue) relays(ctx context.Context) {
	for failing := false; ; {
		count, err := q.relay(ctx, relaySQL)
		if err != nil && ctx.Err() == nil {
			if !failing {
				q.options.Log.Warn("jobs that transactions enqueued wait in the outbox; it is tried again", slog.Any("error", err))
			}
			failing = true
		} else {
			failing = false
		}
		if count > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(q.options.PollInterval):
		}
	}
}

// hurry takes a job to Redis now, when it is still in the outbox.
func (q *Queue) hurry(ctx context.Context, id string) error {
	_, err := q.relay(ctx, hurrySQL, id)
	return err
}

// relay takes some rows to Redis, and removes them when it has them. When that fails in between they are there, and taken again:
// by its id Redis knows what it has.
func (q *Queue) relay(ctx context.Context, sql string, args ...any) (int, error) {
	count := 0
	err := pgx.BeginFunc(ctx, q.options.Pool, func(tx pgx.Tx) error {
		found, err := tx.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		rows, err := pgx.CollectRows(found, readRow)
		if err != nil || len(rows) == 0 {
			return err
		}
		specs, ids := make([]spec, len(rows)), make([]string, len(rows))
		for i, o := range rows {
			specs[i], ids[i] = o.spec, o.id
		}
		if _, err := q.insert(ctx, specs); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, relayedSQL, ids); err != nil {
			return err
		}
		count = len(rows)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return count, nil
}

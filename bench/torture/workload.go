package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// tables of the workload. What a transaction changes it also writes into truth: both are there, or neither.
const tables = `
create table account (id bigint primary key, n bigint not null, at timestamptz not null default clock_timestamp());
create table item (id bigint generated always as identity primary key, n bigint not null default 0, at timestamptz not null default clock_timestamp());
create table truth (op text not null, relation text not null, id bigint not null, n bigint not null);
`

const configuration = `
[observers.account]
event = ["INSERT", "UPDATE", "DELETE"]
entity = "public.account"
concurrency = 60
retry = { max_attempts = 1000, initial = "20ms", max = "500ms" }
actions = { type = "webhook", url = "SINK/account", timeout = "5s" }
[observers.item]
event = ["INSERT", "UPDATE", "DELETE"]
entity = "public.item"
concurrency = 60
retry = { max_attempts = 1000, initial = "20ms", max = "500ms" }
actions = { type = "webhook", url = "SINK/item", timeout = "5s" }
`

// writers write until so many transactions were committed, each on a connection of its own that it makes anew when it is lost.
type writers struct {
	count    int           // of them
	accounts int           // rows that they update
	total    int64         // transactions to commit
	pause    time.Duration // at most, within a transaction
	rollback float64       // share that is rolled back
	committed,
	unsure atomic.Int64
}

func (t *writers) run(ctx context.Context, w *world) error {
	var all sync.WaitGroup
	var left atomic.Int64
	left.Store(t.total)
	failures := make(chan error, t.count)
	for i := range t.count {
		random := rand.New(rand.NewPCG(w.random.Uint64(), uint64(i)))
		all.Go(func() {
			var conn *pgx.Conn
			defer func() {
				if conn != nil {
					_ = conn.Close(context.WithoutCancel(ctx))
				}
			}()
			for left.Add(-1) >= 0 {
				for {
					if ctx.Err() != nil {
						failures <- ctx.Err()
						return
					}
					if conn == nil || conn.IsClosed() {
						var err error
						if conn, err = pgx.Connect(ctx, w.address(w.port)); err != nil {
							time.Sleep(50 * time.Millisecond) // the database is being restarted
							continue
						}
					}
					if t.one(ctx, conn, random) {
						break
					}
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-failures:
		return err
	default:
		return nil
	}
}

var errUndo = errors.New("rolled back on purpose")

// one tries one transaction, and tells whether it came to an end that is known.
func (t *writers) one(ctx context.Context, conn *pgx.Conn, random *rand.Rand) bool {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for range 1 + random.IntN(2) {
			if err := t.change(ctx, tx, random); err != nil {
				return err
			}
		}
		if random.Float64() < 0.2 { // a part that is undone
			err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
				return errors.Join(t.change(ctx, tx, random), errUndo)
			})
			if err != nil && !errors.Is(err, errUndo) {
				return err
			}
		}
		if t.pause > 0 && random.Float64() < 0.3 {
			time.Sleep(time.Duration(random.Int64N(int64(t.pause)))) // a transaction that takes its time
		}
		if random.Float64() < t.rollback {
			return errUndo
		}
		return nil
	})
	switch {
	case err == nil:
		t.committed.Add(1)
		return true
	case errors.Is(err, errUndo):
		return true
	}
	t.unsure.Add(1) // truth says whether it was committed
	return false
}

// change changes one row of one of the tables.
func (t *writers) change(ctx context.Context, tx pgx.Tx, random *rand.Rand) error {
	var sql string
	var args []any
	switch p := random.IntN(10); {
	case p < 6:
		sql = `with c as (update account set n = n + 1, at = clock_timestamp() where id = $1 returning id, n) insert into truth select 'UPDATE', 'account', id, n from c`
		args = []any{random.IntN(t.accounts) + 1}
	case p < 9:
		sql = `with c as (insert into item default values returning id, n) insert into truth select 'INSERT', 'item', id, n from c`
	default:
		sql = `with c as (delete from item where id = (select id from item order by id limit 1 offset $1 for update skip locked) returning id, n) insert into truth select 'DELETE', 'item', id, n from c`
		args = []any{random.IntN(20)}
	}
	_, err := tx.Exec(ctx, sql, args...)
	return err
}

// change that a webhook told of.
type fact struct {
	op, relation string
	id, n        int64
}

func factOf(e event) fact {
	r := e.New
	if r == nil {
		r = e.Old
	}
	return fact{e.Op, e.Table, e.Key.ID, r.N}
}

// compare holds what was delivered against what was committed.
func compare(ctx context.Context, w *world) (seen string, duplicates int, err error) {
	rows, err := w.pool.Query(ctx, "select op, relation, id, n from truth")
	if err != nil {
		return "", 0, err
	}
	truth := map[fact]bool{}
	var f fact
	if _, err := pgx.ForEachRow(rows, []any{&f.op, &f.relation, &f.id, &f.n}, func() error { truth[f] = true; return nil }); err != nil {
		return "", 0, err
	}
	first := map[fact]string{}
	phantoms, otherIDs, disorder := 0, 0, 0
	last := map[int64]int64{}
	for _, d := range w.sink.all() {
		f := factOf(d.event)
		if !truth[f] {
			phantoms++
			continue
		}
		if id, again := first[f]; again {
			duplicates++
			if id != d.id {
				otherIDs++
			}
			continue
		}
		first[f] = d.id
		if f.relation == "account" {
			if f.n != last[f.id]+1 {
				disorder++
			}
			last[f.id] = f.n
		}
	}
	loss := len(truth) - len(first)
	seen = fmt.Sprintf("%d changes, %d lost, %d phantoms, %d delivered again, %d of them by another id, %d out of order", len(truth), loss, phantoms, duplicates, otherIDs, disorder)
	if loss > 0 || phantoms > 0 || otherIDs > 0 || disorder > 0 {
		err = errors.New("changes were lost, invented or reordered")
	}
	return seen, duplicates, err
}

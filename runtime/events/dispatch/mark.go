package dispatch

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// mine is a condition that the lane of a delivery is still held by this node, in the same epoch.
const mine = `exists (
        select from _system.lease l
        join unnest($2::int[], $3::int8[]) as h(slot, epoch) on h.slot = l.slot and h.epoch = l.epoch
        where l.name = 'lane' and l.slot = d.lane and l.holder = $1
    )`

const (
	doneSQL = `
delete from _system.event_delivery d
using unnest($4::int[], $5::int8[], $6::int[]) as u(consumer, id, part)
where d.consumer = u.consumer and d.event_id = u.id and d.part = u.part
  and ` + mine + `
returning d.consumer, d.event_id, d.part`

	againSQL = `
update _system.event_delivery d
set step = u.step, attempt = u.attempt, due_at = clock_timestamp() + make_interval(secs => u.wait), error = u.error
from unnest($4::int[], $5::int8[], $6::int[], $7::int2[], $8::int2[], $9::float8[], $10::text[], $11::int2[]) as u(consumer, id, part, step, attempt, wait, error, was)
where d.consumer = u.consumer and d.event_id = u.id and d.part = u.part and d.step = u.was -- a step that was done after all is not undone
  and ` + mine + `
returning d.consumer, d.event_id, d.part`

	buriedSQL = `
with gone as (
    delete from _system.event_delivery d
    using unnest($4::int[], $5::int8[], $6::int[], $7::int2[], $8::int[], $9::text[]) as u(consumer, id, part, step, attempts, error)
    where d.consumer = u.consumer and d.event_id = u.id and d.part = u.part
      and ` + mine + `
    returning d.consumer, d.event_id, d.event_at, d.part, d.key, d.other, u.step, u.attempts, u.error
), kept as (
    insert into _system.event_dead (consumer, event_id, event_at, part, key, other, step, attempts, error)
    select * from gone
)
select consumer, event_id, part from gone`
)

// holding is what a server holds of the lanes, as marks name it.
type holding struct {
	node   string
	lanes  []int
	epochs []int64
}

// named tells apart the deliveries of all consumers.
type named struct {
	consumer int
	itemKey
}

// marked runs a statement that marks deliveries, and gives those that it found and that were still this node's.
func marked(ctx context.Context, tx pgx.Tx, sql string, h holding, args ...any) (map[named]bool, error) {
	rows, err := tx.Query(ctx, sql, append([]any{h.node, h.lanes, h.epochs}, args...)...)
	if err != nil {
		return nil, err
	}
	got := map[named]bool{}
	var n named
	_, err = pgx.ForEachRow(rows, []any{&n.consumer, &n.id, &n.part}, func() error { got[n] = true; return nil })
	return got, err
}

// finished marks deliveries as done.
func finished(ctx context.Context, tx pgx.Tx, h holding, all []result) (map[named]bool, error) {
	consumers, ids, parts := names(all)
	return marked(ctx, tx, doneSQL, h, consumers, ids, parts)
}

// postponed marks deliveries that are tried again, or go on with their next step.
func postponed(ctx context.Context, tx pgx.Tx, h holding, all []result) (map[named]bool, error) {
	consumers, ids, parts := names(all)
	steps, attempts, waits, errors, was := make([]int16, len(all)), make([]int16, len(all)), make([]float64, len(all)), make([]*string, len(all)), make([]int16, len(all))
	for i, r := range all {
		step, attempt, wait := r.after()
		steps[i], attempts[i], waits[i], errors[i], was[i] = int16(step), int16(attempt), wait.Seconds(), r.message(), int16(r.item.step)
	}
	return marked(ctx, tx, againSQL, h, consumers, ids, parts, steps, attempts, waits, errors, was)
}

// buried marks deliveries that are given up.
func buried(ctx context.Context, tx pgx.Tx, h holding, all []result) (map[named]bool, error) {
	consumers, ids, parts := names(all)
	steps, attempts, errors := make([]int16, len(all)), make([]int, len(all)), make([]string, len(all))
	for i, r := range all {
		steps[i], attempts[i] = int16(r.item.step), r.item.attempt+1
		if m := r.message(); m != nil {
			errors[i] = *m
		}
	}
	return marked(ctx, tx, buriedSQL, h, consumers, ids, parts, steps, attempts, errors)
}

func names(all []result) (consumers []int, ids []int64, parts []int) {
	for _, r := range all {
		consumers, ids, parts = append(consumers, r.of.id), append(ids, r.item.id), append(parts, r.item.part)
	}
	return consumers, ids, parts
}

// result is a delivery that a worker has given back.
type result struct {
	of       *consumer
	by       *Consumer // as it was when the work began
	item     *item
	lane     *lane
	delivery *Delivery
	Result
	took time.Duration
	mark bool // false: the worker has marked it already
}

// after gives where the delivery stands next.
func (r *result) after() (step, attempt int, wait time.Duration) {
	switch r.Outcome {
	case Next:
		return r.item.step + 1, 0, 0
	case Rest:
		return r.item.step, r.item.attempt, r.Wait
	default:
		return r.item.step, r.item.attempt + 1, r.Wait
	}
}

// message is the error for people, at most a kilobyte.
func (r *result) message() *string {
	if r.Err == nil {
		return nil
	}
	text := strings.ReplaceAll(strings.ToValidUTF8(r.Err.Error(), "\uFFFD"), "\x00", "")
	if len(text) > 1024 {
		text = strings.ToValidUTF8(text[:1024], "")
	}
	return &text
}

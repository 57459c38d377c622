package redis

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/fraiseql/fraiseql/runtime/cluster"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

const (
	placeSQL = `
select coalesce(place, ''),
    (select count(*) from _system.node where seen_at > clock_timestamp() - $1::interval and id::text <> $2)
from _system.job_backend
for update`

	placedSQL = `
update _system.job_backend
set place = $1`
)

// Prepare says whether Redis can be used, and whether it is the one that the other servers on the database use, and theirs alone:
// the first marks it. A Redis that has lost everything is marked again, but not a second one beside the first.
func (q *Queue) Prepare(ctx context.Context) error {
	return pgx.BeginFunc(ctx, q.options.Pool, func(tx pgx.Tx) error {
		var place string
		var others int
		node := ""
		if q.options.Node != nil {
			node = q.options.Node.ID()
		}
		if err := tx.QueryRow(ctx, placeSQL, cluster.Term, node).Scan(&place, &others); err != nil {
			return err
		}
		mark, err := q.client.Get(ctx, placeKey).Result()
		if err != nil && err != redis.Nil { //nolint:errorlint // it is never wrapped
			return explain(err)
		}
		if mark != place && (mark != "" || others > 0) {
			return fault.New(fault.ActionNeeded, "jobs/other-redis", "this Redis has the jobs of another database, or those of this one are in another Redis").
				WithHint("give all servers on a database the same Redis, and each database one, or a number, of its own: redis://host:6379/1. When the jobs in this one are of no use any more: redis-cli del %s", placeKey)
		}
		if place == "" {
			place = q.ids.next()
			if _, err := tx.Exec(ctx, placedSQL, place); err != nil {
				return err
			}
		}
		q.place.Store(&place)
		return q.mark(ctx)
	})
}

// mark says in Redis whose it is, unless that is there.
func (q *Queue) mark(ctx context.Context) error {
	place := q.place.Load()
	if place == nil {
		return nil
	}
	return explain(q.client.SetNX(ctx, placeKey, *place, 0).Err())
}

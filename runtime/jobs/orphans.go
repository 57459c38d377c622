package jobs

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Orphan is a kind of job in a queue of which this configuration works one or none, with how many wait.
type Orphan struct {
	Kind    string
	Queue   string
	NoKind  bool // nobody works the kind
	NoQueue bool // nobody works the queue
	Count   int64
}

const waitingSQL = `
select kind, queue, sum(n)::int8
from (
    select kind, queue, count(*) as n from _system.river_job where state in ('available', 'scheduled', 'retryable') group by 1, 2
    union all
    select kind, queue, count(*) from _system.job_outbox group by 1, 2
) w
group by 1, 2
order by 3 desc`

// Orphans are the jobs in the database that wait for nobody: whoever enqueues by SQL may name any kind and any queue.
func (s *Service) Orphans(ctx context.Context) ([]Orphan, error) {
	rows, err := s.deps.Pool.Query(ctx, waitingSQL)
	if err != nil {
		return nil, err
	}
	var all []Orphan
	var o Orphan
	_, err = pgx.ForEachRow(rows, []any{&o.Kind, &o.Queue, &o.Count}, func() error {
		bound, known := s.bounds()[o.Queue]
		o.NoKind = s.Knows(o.Kind) != nil
		o.NoQueue = (!known || bound.Concurrency == 0) && s.handlers[o.Kind] != nil
		if o.NoKind || o.NoQueue {
			all = append(all, o)
		}
		return nil
	})
	return all, err
}

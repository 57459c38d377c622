package jobs

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/cluster"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

const (
	firstSQL = `
insert into _system.job_backend (backend)
values ($1)
on conflict do nothing`

	backendSQL = `
select backend
from _system.job_backend
for update`

	othersSQL = `
select count(*)
from _system.node
where seen_at > clock_timestamp() - $1::interval and id::text <> $2`

	leftInPostgresSQL = `
select count(*)
from _system.river_job
where finalized_at is null`

	leftInOutboxSQL = `
select count(*)
from _system.job_outbox`

	moveSQL = `
update _system.job_backend
set backend = $1, since = clock_timestamp()`
)

// claim says where the servers on the database keep jobs. Jobs must not be in two places, where nobody works half of them: what
// holds may be changed when no other server runs and no job waits.
func (s store) claim(ctx context.Context, backend, node string) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, firstSQL, backend); err != nil {
			return err
		}
		var is string
		if err := tx.QueryRow(ctx, backendSQL).Scan(&is); err != nil || is == backend {
			return err
		}
		var others, left int
		if err := tx.QueryRow(ctx, othersSQL, cluster.Term, node).Scan(&others); err != nil {
			return err
		}
		if others > 0 {
			return fault.New(fault.ActionNeeded, "jobs/other-backend", fmt.Sprintf("other servers on this database keep jobs in %s, and this one would in %s", is, backend)).
				WithHint("give all the same [jobs] backend; to change it, stop all of them first, and wait %s", cluster.Term)
		}
		sql := leftInPostgresSQL
		if is == "redis" {
			sql = leftInOutboxSQL
		}
		if err := tx.QueryRow(ctx, sql).Scan(&left); err != nil {
			return err
		}
		if left > 0 {
			return fault.New(fault.ActionNeeded, "jobs/left-behind", fmt.Sprintf("%d jobs on this database wait for servers that keep jobs in %s, and this one keeps them in %s", left, is, backend)).
				WithHint("backend = %q until they are done, or cancel them: fraiseql jobs list", is)
		}
		_, err := tx.Exec(ctx, moveSQL, backend)
		return err
	})
}

// preparer is a queue that has something to see to before jobs are worked.
type preparer interface {
	Prepare(ctx context.Context) error
}

// prepare settles where jobs are kept.
func (s *Service) prepare(ctx context.Context) error {
	if err := s.store.claim(ctx, s.config.Backend, s.deps.Node); err != nil {
		return err
	}
	if q, wants := s.deps.Queue.(preparer); wants {
		return q.Prepare(ctx)
	}
	return nil
}

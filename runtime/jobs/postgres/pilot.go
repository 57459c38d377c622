package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivershared/baseservice"
	"github.com/riverqueue/river/rivershared/riverpilot"
	"github.com/riverqueue/river/rivertype"

	"github.com/fraiseql/fraiseql/runtime/jobs"
)

// driver is River's for pgx, with a pilot of ours: the hook by which River's own extensions take part in how jobs are taken
// and ended. It is no part of River's stable API, so River's version is pinned, and what is promised here is tested.
type driver struct {
	*riverpgxv5.Driver
	pilot *pilot
}

func newDriver(pool *pgxpool.Pool, p *pilot) *driver {
	return &driver{Driver: riverpgxv5.New(pool), pilot: p}
}

// PluginInit is called by River.
func (d *driver) PluginInit(*baseservice.Archetype) {}

// PluginPilot is called by River.
func (d *driver) PluginPilot() riverpilot.Pilot { return d.pilot }

// pilot bounds how many jobs are taken, and lets only who has a job end it.
type pilot struct {
	riverpilot.StandardPilot
	client string // as jobs know who works them
	bounds map[string]jobs.Bounds
	tries  *tries
	ahead  func() time.Duration // of this machine's clock is the database's
}

// heldKey marks the context of who holds the job's row already.
type heldKey struct{}

const (
	// Whoever takes jobs of a queue with bounds holds its row until that is committed.
	limitSQL = `
insert into _system.job_limit as l (queue, tokens, at)
values ($1, $2, clock_timestamp())
on conflict (queue) do update
set tokens = least($2, l.tokens + $3 * extract(epoch from clock_timestamp() - l.at)), at = clock_timestamp()
returning floor(tokens)::integer`

	spendSQL = `
update _system.job_limit
set tokens = tokens - $2
where queue = $1`

	atWorkSQL = `
select count(*)::integer
from _system.river_job
where state = 'running' and queue = $1`

	// Of jobs that a server was taken from, as it was not heard of, it says nothing more.
	mineSQL = `
select coalesce(array_agg(id), '{}')
from (
    select id
    from _system.river_job
    where id = any ($1) and state = 'running' and attempted_by[array_upper(attempted_by, 1)] = $2
    for update
) mine`
)

// JobGetAvailable takes jobs, within the bounds of their queue over all servers.
func (p *pilot) JobGetAvailable(ctx context.Context, exec riverdriver.Executor, state riverpilot.ProducerState, params *riverdriver.JobGetAvailableParams) (*riverdriver.JobGetAvailableResult, error) {
	bounds := p.bounds[params.Queue]
	if params.MaxToLock <= 0 || bounds.Global == 0 && bounds.Rate == 0 {
		return p.StandardPilot.JobGetAvailable(ctx, exec, state, params)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tx, err := exec.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing after Commit
	burst := max(1, bounds.Rate)
	var tokens, atWork int
	if err := tx.QueryRow(ctx, limitSQL, params.Queue, burst, bounds.Rate).Scan(&tokens); err != nil {
		return nil, err
	}
	bounded := *params
	if bounds.Rate > 0 {
		bounded.MaxToLock = min(bounded.MaxToLock, tokens)
	}
	if bounds.Global > 0 {
		if err := tx.QueryRow(ctx, atWorkSQL, params.Queue).Scan(&atWork); err != nil {
			return nil, err
		}
		bounded.MaxToLock = min(bounded.MaxToLock, bounds.Global-atWork)
	}
	taken, err := p.StandardPilot.JobGetAvailable(ctx, tx, state, &bounded)
	if err != nil {
		return nil, err
	}
	if bounds.Rate > 0 && len(taken.Jobs) > 0 {
		if err := tx.Exec(ctx, spendSQL, params.Queue, float64(len(taken.Jobs))); err != nil {
			return nil, err
		}
	}
	return taken, tx.Commit(ctx)
}

// JobSetStateIfRunningMany ends tries at jobs that are still this server's.
func (p *pilot) JobSetStateIfRunningMany(ctx context.Context, exec riverdriver.Executor, params *riverdriver.JobSetStateIfRunningManyParams) ([]*rivertype.JobRow, error) {
	params = p.byTheDatabase(params)
	if ctx.Value(heldKey{}) != nil {
		return p.StandardPilot.JobSetStateIfRunningMany(ctx, exec, params)
	}
	older := p.tries.older(params.ID)
	newest := slices.DeleteFunc(slices.Clone(params.ID), func(id int64) bool { return older[id] })
	tx, err := exec.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing after Commit
	var ids []int64
	if err := tx.QueryRow(ctx, mineSQL, newest, p.client).Scan(&ids); err != nil {
		return nil, err
	}
	rows, err := p.StandardPilot.JobSetStateIfRunningMany(ctx, tx, only(params, ids))
	if err == nil {
		err = tx.Commit(ctx)
	}
	if err != nil {
		return nil, err
	}
	p.tries.bury(older)
	return rows, nil
}

// byTheDatabase makes times that were told by this machine's clock those of the database's, which decides what is due.
func (p *pilot) byTheDatabase(params *riverdriver.JobSetStateIfRunningManyParams) *riverdriver.JobSetStateIfRunningManyParams {
	ahead := p.ahead()
	if ahead == 0 {
		return params
	}
	moved := *params
	for _, times := range []*[]*time.Time{&moved.ScheduledAt, &moved.FinalizedAt} {
		*times = slices.Clone(*times)
		for i, at := range *times {
			if at != nil {
				there := at.Add(ahead)
				(*times)[i] = &there
			}
		}
	}
	return &moved
}

// only leaves those of some ids.
func only(params *riverdriver.JobSetStateIfRunningManyParams, ids []int64) *riverdriver.JobSetStateIfRunningManyParams {
	if len(ids) == len(params.ID) {
		return params
	}
	mine := make(map[int64]bool, len(ids))
	for _, id := range ids {
		mine[id] = true
	}
	left := &riverdriver.JobSetStateIfRunningManyParams{Now: params.Now, Schema: params.Schema}
	for i, id := range params.ID {
		if mine[id] {
			left.ID = append(left.ID, id)
			left.Attempt = append(left.Attempt, params.Attempt[i])
			left.ErrData = append(left.ErrData, params.ErrData[i])
			left.FinalizedAt = append(left.FinalizedAt, params.FinalizedAt[i])
			left.MetadataDoMerge = append(left.MetadataDoMerge, params.MetadataDoMerge[i])
			left.MetadataUpdates = append(left.MetadataUpdates, params.MetadataUpdates[i])
			left.ScheduledAt = append(left.ScheduledAt, params.ScheduledAt[i])
			left.State = append(left.State, params.State[i])
		}
	}
	return left
}

var _ riverdriver.Driver[pgx.Tx] = (*driver)(nil)

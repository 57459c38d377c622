package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/cron"
	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// planned is a schedule of the configuration.
type planned struct {
	name       string
	rule       Schedule
	args       json.RawMessage
	cron       cron.Schedule
	zone       *time.Location
	definition string // what its times follow from
}

// next gives the first time after another.
func (p *planned) next(after time.Time) time.Time {
	if p.rule.Every > 0 {
		return after.Truncate(p.rule.Every).Add(p.rule.Every) // the same on all servers
	}
	return p.cron.Next(after, p.zone)
}

// schedules reads those of the configuration.
func (s *Service) schedules() error {
	for _, name := range slices.Sorted(maps.Keys(s.config.Schedules)) {
		rule := s.config.Schedules[name]
		if !rule.On() {
			continue
		}
		p := planned{name: name, rule: rule, definition: fmt.Sprintf("%s in %s, every %s", rule.Cron, rule.Timezone, rule.Every)}
		var err error
		if p.zone, err = time.LoadLocation(rule.Timezone); err != nil {
			return bad("bad-schedule", "the schedule "+name+" has no time zone that there is")
		}
		if rule.Every == 0 {
			if p.cron, err = cron.Parse(rule.Cron); err != nil {
				return bad("bad-schedule", "the schedule "+name+" cannot be read: "+err.Error())
			}
		}
		if p.args, err = json.Marshal(rule.Args); err != nil {
			return bad("bad-schedule", "the arguments of the schedule "+name+" are nothing that JSON can hold")
		}
		if _, err := s.complete(p.job(time.Time{})); err != nil {
			if told, known := fault.As(err); known {
				of := fault.New(told.Kind, told.Code, "the schedule "+name+": "+told.Message)
				of.Hint = told.Hint
				return of
			}
			return err
		}
		s.planned = append(s.planned, p)
	}
	return nil
}

// job is what the schedule enqueues for a time.
func (p *planned) job(at time.Time) Spec {
	return Spec{Kind: p.rule.Kind, Args: p.args, Queue: p.rule.Queue, RunAt: at, Cause: Cause{Schedule: p.name}}
}

// keepSchedules has the database know when each is next.
func (s *Service) keepSchedules(ctx context.Context) error {
	if len(s.planned) == 0 {
		return nil
	}
	now, err := s.store.now(ctx)
	if err != nil {
		return err
	}
	for _, p := range s.planned {
		if err := s.store.keepSchedule(ctx, p.name, p.definition, p.next(now), now.Add(-s.config.Retention)); err != nil {
			return err
		}
	}
	return nil
}

// scheduled are the schedules of this server, as others see which of them it has.
func (s *Service) scheduled() []string {
	all := make([]string, len(s.planned))
	for i, p := range s.planned {
		all[i] = "schedule:" + p.name + ":" + p.definition
	}
	return all
}

// longest is how long the next look may be away, whatever is due: the database's clock may be set.
const longest = 10 * time.Second

// runSchedules enqueues what is due until ctx ends. Every server does; the database decides which of them.
func (s *Service) runSchedules(ctx context.Context) {
	if len(s.planned) == 0 {
		return
	}
	var names, definitions []string
	for _, p := range s.planned {
		names, definitions = append(names, p.name), append(definitions, p.definition)
	}
	wait := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		err := s.fire(ctx, names, definitions)
		if err == nil {
			var all bool
			wait, all, err = s.store.soonest(ctx, names, definitions)
			if err == nil && !all { // another server had other ones
				err = s.keepSchedules(ctx)
			}
		}
		wait = min(max(wait, 20*time.Millisecond), longest)
		if err != nil {
			wait = time.Second
			if ctx.Err() == nil {
				s.deps.Log.Warn("schedules were not looked at; trying again", slog.Any("error", err))
			}
		}
	}
}

// fire enqueues what is due, in one transaction with saying so.
func (s *Service) fire(ctx context.Context, names, definitions []string) error {
	return pgx.BeginFunc(ctx, s.store.pool, func(tx pgx.Tx) error {
		all, err := s.store.due(ctx, tx, names, definitions)
		if err != nil {
			return err
		}
		for _, d := range all {
			p := &s.planned[slices.Index(names, d.name)]
			times, next := p.missed(d.next, d.now)
			jobs := make([]Spec, len(times))
			for i, at := range times {
				jobs[i] = p.job(at)
			}
			var last *time.Time
			var id *string
			if len(jobs) > 0 {
				receipts, err := s.EnqueueTx(ctx, tx, jobs...)
				if err != nil {
					return fmt.Errorf("schedule %s: %w", p.name, err)
				}
				last, id = &times[len(times)-1], &receipts[len(receipts)-1].ID
			}
			if err := s.store.ran(ctx, tx, p.name, next, last, id, len(jobs)); err != nil {
				return err
			}
		}
		return nil
	})
}

const (
	// late is when a time counts as missed.
	late = 5 * time.Second
	// most is how many missed times are made up for at once; the others follow.
	most = 1000
)

// missed gives the times from one on to another for which there is something to do, and the time after them. With `one` it is
// the first that was missed, which stands for all.
func (p *planned) missed(from, now time.Time) (times []time.Time, next time.Time) {
	next = from
	if now.Sub(from) > late && p.rule.CatchUp != "all" {
		if p.rule.CatchUp == "one" {
			times = append(times, from)
		}
		next = p.next(now.Add(-late - time.Nanosecond))
	}
	for len(times) < most && !next.IsZero() && !next.After(now) {
		times = append(times, next)
		next = p.next(next)
	}
	return times, next
}

// ScheduleState is a schedule and when it is next.
type ScheduleState struct {
	Name     string     `json:"name"`
	When     string     `json:"when"`
	Timezone string     `json:"timezone,omitempty"`
	Kind     string     `json:"kind"`
	CatchUp  string     `json:"catch_up"`
	NextAt   time.Time  `json:"next_at"`
	LastAt   *time.Time `json:"last_at,omitempty"`
	LastJob  string     `json:"last_job,omitempty"`
	Runs     int64      `json:"runs"`
}

// Schedules gives those of the configuration.
func (s *Service) Schedules(ctx context.Context) ([]ScheduleState, error) {
	states := make([]ScheduleState, len(s.planned))
	names := make([]string, len(s.planned))
	for i, p := range s.planned {
		names[i] = p.name
		states[i] = ScheduleState{Name: p.name, When: p.rule.Cron, Timezone: p.rule.Timezone, Kind: p.rule.Kind, CatchUp: p.rule.CatchUp, NextAt: p.next(time.Now())}
		if p.rule.Every > 0 {
			states[i].When, states[i].Timezone = "every "+p.rule.Every.String(), ""
		}
	}
	rows, err := s.store.pool.Query(ctx, listSchedulesSQL, names)
	if err != nil {
		return nil, err
	}
	var kept ScheduleState
	_, err = pgx.ForEachRow(rows, []any{&kept.Name, &kept.NextAt, &kept.LastAt, &kept.LastJob, &kept.Runs}, func() error {
		one := &states[slices.Index(names, kept.Name)]
		one.NextAt, one.LastAt, one.LastJob, one.Runs = kept.NextAt, kept.LastAt, kept.LastJob, kept.Runs
		return nil
	})
	return states, err
}

// RunSchedule enqueues a schedule's job now, beside its times.
func (s *Service) RunSchedule(ctx context.Context, name string) (Receipt, error) {
	i := slices.IndexFunc(s.planned, func(p planned) bool { return p.name == name })
	if i >= 0 {
		receipts, err := s.Enqueue(ctx, s.planned[i].job(time.Time{}))
		if err != nil {
			return Receipt{}, err
		}
		return receipts[0], nil
	}
	var names []string
	for _, p := range s.planned {
		names = append(names, p.name)
	}
	return Receipt{}, fault.New(fault.NotFound, "jobs/no-schedule", "there is no schedule "+name).WithHint("%s", diag.DidYouMean(name, names, "fraiseql jobs schedules"))
}

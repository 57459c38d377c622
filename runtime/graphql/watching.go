package graphql

import (
	"context"
	"log/slog"
	"time"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/graphql/watch"
)

const (
	// samplePause is the least time between two statements that are looked at.
	samplePause = 200 * time.Millisecond
	// sampleTime is how long PostgreSQL may take to plan one.
	sampleTime = 2 * time.Second
	// keepPause is the time between two writes of what was found.
	keepPause = 10 * time.Second
)

// watching looks for what makes requests slow, beside them.
type watching struct {
	notes   *watch.Notes
	bursts  *watch.Bursts
	samples chan sample // what does not fit in is looked at the next time
	kept    time.Time   // when notes were kept last; of the goroutine of Run
}

// sample is a statement that was run, with its values.
type sample struct {
	call    plan.Call
	session *execute.Session
	catalog *catalog.Catalog
}

func newWatching() *watching {
	return &watching{notes: watch.NewNotes(), bursts: watch.NewBursts(), samples: make(chan sample, 8)}
}

// note takes findings, and logs those that are new.
func (s *Service) note(found ...watch.Finding) {
	for _, f := range s.watching.notes.Add(found...) {
		s.deps.Log.Warn(f.Message, slog.String("code", "graphql/"+f.Kind), slog.String("subject", f.Subject), slog.String("hint", f.Fix))
	}
}

// watchRequest looks at a request that was answered.
func (s *Service) watchRequest(a admitted, op *plan.Operation, bound *plan.Bound, r transport.Request) {
	if f := &bound.Fields[0]; f.ByKey && len(bound.Fields) == 1 && s.watching.bursts.Asked(clientOf(r), op, bound.Calls[0].Args, time.Now()) {
		s.note(watch.Loop(f.Field.Name, a.schema))
	}
	if bound.Writes {
		return
	}
	for _, call := range bound.Calls {
		if !call.Pace.Due() {
			continue
		}
		select {
		case s.watching.samples <- sample{call: call, session: a.session, catalog: a.schema.Catalog}:
		default:
			call.Pace.Again()
		}
	}
}

// clientOf names who asks, as far as that is known.
func clientOf(r transport.Request) string {
	if p := r.Principal; p != nil && p.Subject != "" {
		return p.Issuer + "\x00" + p.Subject
	}
	return r.Client
}

// watchStatements has PostgreSQL plan the statements that are sampled, until ctx ends.
func (s *Service) watchStatements(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case one := <-s.watching.samples:
			found, err := s.judgeStatement(ctx, one)
			if err != nil && ctx.Err() == nil { // it ran a moment ago: the schema has changed, or the database is busy
				s.deps.Log.Debug("the plan of a statement could not be looked at", slog.Any("error", err))
			}
			s.note(found...)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(samplePause):
		}
	}
}

// judgeStatement finds what is slow in PostgreSQL's plan of a statement.
func (s *Service) judgeStatement(ctx context.Context, one sample) ([]watch.Finding, error) {
	ctx, cancel := context.WithTimeout(ctx, sampleTime)
	defer cancel()
	text, err := s.executor.Plan(ctx, one.session, one.call)
	if err != nil {
		return nil, err
	}
	suspects, err := watch.Judge(text, one.catalog)
	if err != nil {
		return nil, err
	}
	var found []watch.Finding
	for _, f := range suspects {
		missing, err := watch.Missing(ctx, s.deps.Pool, f.Index)
		if err != nil {
			return nil, err
		}
		if missing {
			found = append(found, f)
		}
	}
	return found, nil
}

// keep writes what was found since the last time, at most every few seconds or when it has to be now.
func (s *Service) keep(ctx context.Context, now bool) {
	if !now && time.Since(s.watching.kept) < keepPause {
		return
	}
	notes := s.watching.notes.Take()
	if len(notes) == 0 {
		return
	}
	s.watching.kept = time.Now()
	if err := watch.Keep(ctx, s.deps.Pool, notes); err != nil {
		s.watching.notes.Back(notes)
		s.deps.Log.Warn("what was found of slow requests could not be kept; trying again", slog.Any("error", err))
	}
}

// Findings are what servers have noted in the last week of requests that are slow, and what still holds of that. none
// tells that the database has no table of them.
func (s *Service) Findings(ctx context.Context) (notes []watch.Note, none bool, err error) {
	return watch.Kept(ctx, s.deps.Pool)
}

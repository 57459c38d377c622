package observers

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
	"github.com/fraiseql/fraiseql/runtime/templates"
)

// Jobs are what actions of type job enqueue into.
type Jobs interface {
	EnqueueTx(ctx context.Context, tx pgx.Tx, all ...jobs.Spec) ([]jobs.Receipt, error)
	Knows(kind string) error
}

// jobAction enqueues a job in the transaction that marks the delivery: exactly once.
func (s *Service) jobAction(o *observer, a Action, t texts) (action, error) {
	if s.deps.Jobs == nil {
		return action{}, fault.New(fault.Invalid, "observers/no-jobs", "the observer "+o.name+" enqueues a job, and there are none in the configuration").WithHint("[jobs.handlers.%s]", a.Kind)
	}
	if err := s.deps.Jobs.Knows(a.Kind); err != nil {
		return action{}, err
	}
	return action{kind: a.Type, within: func(ctx context.Context, tx pgx.Tx, ds []*dispatch.Delivery) ([]string, error) {
		specs := make([]jobs.Spec, len(ds))
		for i, d := range ds {
			var err error
			if specs[i], err = o.spec(d, a, t); err != nil {
				return nil, err
			}
		}
		receipts, err := s.deps.Jobs.EnqueueTx(ctx, tx, specs...)
		if err != nil {
			return nil, err
		}
		replies := make([]string, len(receipts))
		for i, r := range receipts {
			replies[i] = "job " + r.ID
		}
		return replies, nil
	}}, nil
}

// spec is the job for an event. Without arguments of its own it has the event.
func (o *observer) spec(d *dispatch.Delivery, a Action, t texts) (jobs.Spec, error) {
	e := d.Event
	spec := jobs.Spec{Kind: a.Kind, Queue: a.Queue, Cause: jobs.Cause{Event: e.Ref(), Observer: o.name, Request: e.Request, Trace: e.Trace}}
	var err error
	if a.Args == nil {
		spec.Args, err = e.MarshalJSON()
		return spec, err
	}
	values, err := data(e)
	if err != nil {
		return spec, err
	}
	filled, err := fill(a.Args, "args", t.args, values)
	if err != nil {
		return spec, err
	}
	spec.Args, err = json.Marshal(filled)
	return spec, err
}

// parseArgs reads the templates among arguments, by where they stand.
func parseArgs(v any, path string, into map[string]*templates.Template, problem func(key string, err error)) {
	switch v := v.(type) {
	case string:
		t, err := templates.Parse(path, v, templates.Options{Missing: templates.Refuse})
		if err != nil {
			problem(path, err)
		}
		into[path] = t
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parseArgs(v[key], path+"."+key, into, problem)
		}
	case []any:
		for i, item := range v {
			parseArgs(item, path+"."+itoa(i), into, problem)
		}
	}
}

// fill puts values into arguments. A text that is one {{json …}} becomes that value: a number stays one.
func fill(v any, path string, parsed map[string]*templates.Template, values map[string]any) (any, error) {
	switch v := v.(type) {
	case string:
		text, err := parsed[path].Render(values)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(v, "{{json ") && strings.Index(v, "}}") == len(v)-2 {
			return json.RawMessage(text), nil
		}
		return text, nil
	case map[string]any:
		made := make(map[string]any, len(v))
		for key, item := range v {
			var err error
			if made[key], err = fill(item, path+"."+key, parsed, values); err != nil {
				return nil, err
			}
		}
		return made, nil
	case []any:
		made := make([]any, len(v))
		for i, item := range v {
			var err error
			if made[i], err = fill(item, path+"."+itoa(i), parsed, values); err != nil {
				return nil, err
			}
		}
		return made, nil
	}
	return v, nil
}

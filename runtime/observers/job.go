package observers

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
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
				return nil, fault.Wrap(fault.Invalid, hopeless, "the arguments of the job cannot be made", err)
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
	made, err := filled(a.Args, t.values, values)
	if err != nil {
		return spec, err
	}
	spec.Args, err = json.Marshal(made)
	return spec, err
}

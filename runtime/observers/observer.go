package observers

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/conditions"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// observer is a Rule that can be acted on.
type observer struct {
	name    string
	id      string // of _system.observers
	rule    Rule
	on      events.Relation
	when    *conditions.Condition // nil: always
	reads   [2][]quoted           // columns of the row before and after that it reads
	unfit   error                 // why no change can be judged; nil: it can
	actions []action
}

// action is one thing that is done. Either run or within is given.
type action struct {
	kind string

	// run acts outside of the database.
	run func(ctx context.Context, d *dispatch.Delivery) reply

	// within acts in the transaction that marks the deliveries, and gives what came back for each.
	within func(ctx context.Context, tx pgx.Tx, ds []*dispatch.Delivery) ([]string, error)
}

// reply is what came of an action.
type reply struct {
	text    string        // what came back, in short
	err     error         // nil: it is done
	final   bool          // another try would end alike
	wait    time.Duration // before another try, at least
	resting bool          // nothing was tried: all wait for so long
	off     string        // why this observer is to be switched off; empty: it is not
}

// note is what of a step goes into the log.
type note struct{ reply string }

// consumerOf names an observer among those whom events are delivered to.
func consumerOf(name string) string { return "observer:" + name }

// nameOf takes an observer's name as people find it: alone, or as that of the consumer.
func nameOf(given string) string { return strings.TrimPrefix(given, "observer:") }

// interest is what it hears.
func (o *observer) interest() events.Interest {
	var ops events.Ops
	for _, op := range o.rule.Event {
		ops |= events.SetOf(events.Op(op))
	}
	return events.Interest{Relation: o.on, Entity: o.rule.Entity, Consumer: consumerOf(o.name), Ops: ops, Columns: o.rule.Columns, When: o.rule.When, Delivers: true}
}

// idOf names an action on an event for receivers: the same at each try, another one for a replay.
func (o *observer) idOf(d *dispatch.Delivery) string {
	id := d.Event.Ref() + "_" + strings.ReplaceAll(o.name, ".", "~") + "_" + strconv.Itoa(d.Step+1) // signatures know no dots
	if d.Part > 0 {
		id += "_r" + strconv.Itoa(d.Part)
	}
	return id
}

// consumer gives what dispatch works with. An observer whose only action is within the database is done in batches.
func (o *observer) consumer(s *Service) dispatch.Consumer {
	c := dispatch.Consumer{
		Name: consumerOf(o.name), Concurrency: o.rule.Concurrency, Immediate: o.rule.Mode == "immediate",
		Failed: func(d *dispatch.Delivery, err error) dispatch.Result { return o.failed(d, reply{err: err}) },
		Record: func(ctx context.Context, tx pgx.Tx, all []dispatch.Settled) error { return record(ctx, tx, o, all) },
	}
	if len(o.actions) == 1 && o.actions[0].within != nil {
		c.Batch = o.batch
		return c
	}
	c.Within = o.within
	c.Work = func(ctx context.Context, d *dispatch.Delivery) dispatch.Result { return o.work(ctx, s, d) }
	return c
}

// hopeless is the code of an error within the database that another try would not mend.
const hopeless = "observers/arguments"

// unjudged is the code of the error that a condition cannot be judged over a change. Whatever on_failure says: nobody knows
// whether there was anything to do, so that it is kept as a dead letter.
const unjudged = "observers/condition"

// wants asks the condition. It was asked before when a step is done or was tried already.
func (o *observer) wants(d *dispatch.Delivery) (bool, error) {
	if d.Step > 0 || d.Attempt > 0 {
		return true, nil
	}
	if o.unfit != nil {
		return false, fault.Wrap(fault.Invalid, unjudged, "the observer does not fit the database", o.unfit)
	}
	if o.when == nil {
		return true, nil
	}
	e := d.Event
	if old, now := o.when.Columns(); e.Cut && len(old)+len(now) > 0 {
		if d.Judged {
			return true, nil
		}
		return false, fault.New(fault.Invalid, unjudged, "the row is larger than what is kept of it, and PostgreSQL cannot ask all of the condition, which reads it").
			WithHint("it is asked what is equal, the order of numbers, in and changed(): write `when` of these, or let the action decide")
	}
	if column := o.lacks(e); column != "" {
		return false, fault.New(fault.Invalid, unjudged, "the event does not tell the column "+column+", which the condition reads").
			WithHint("fraiseql validate --live tells whether the table has it, and whether events leave it out")
	}
	yes, err := o.when.Matches(conditions.Change{Op: conditions.Op(e.Op), Old: e.Old, New: e.New, Claims: e.Claims})
	if err != nil {
		return false, fault.Wrap(fault.Invalid, unjudged, "the condition cannot be judged over this change", err)
	}
	return yes, nil
}

// lacks gives a column that the condition reads and a row does not have, as the table was altered: as null it would be passed over
// in silence. A name that stands anywhere in the row will do.
func (o *observer) lacks(e *events.Event) string {
	if e.Op == events.Custom {
		return ""
	}
	for _, image := range []struct {
		row   []byte
		reads []quoted
	}{{e.Old, o.reads[0]}, {e.New, o.reads[1]}} {
		if len(image.row) == 0 || image.row[0] != '{' {
			continue
		}
		for _, q := range image.reads {
			if !bytes.Contains(image.row, q.text) {
				return q.name
			}
		}
	}
	return ""
}

// quoted is a column with its name as JSON has it.
type quoted struct {
	name string
	text []byte
}

// quotes leaves out what may be written in more than one way.
func quotes(columns []string) (all []quoted) {
	for _, c := range columns {
		if text := strconv.Quote(c); text == `"`+c+`"` && utf8.ValidString(c) {
			all = append(all, quoted{c, []byte(text)})
		}
	}
	return all
}

// work does a step outside of the database.
func (o *observer) work(ctx context.Context, s *Service, d *dispatch.Delivery) dispatch.Result {
	yes, err := o.wants(d)
	switch {
	case err != nil:
		return o.failed(d, reply{err: err})
	case !yes || d.Step >= len(o.actions): // there were more actions when it began
		return dispatch.Result{Outcome: dispatch.Done}
	}
	ctx, cancel := context.WithTimeout(ctx, o.rule.Timeout)
	defer cancel()
	r := o.actions[d.Step].run(ctx, d)
	if r.off != "" {
		s.switchOff(ctx, o, r.off)
	}
	if r.resting {
		return dispatch.Result{Outcome: dispatch.Rest, Wait: r.wait, Err: r.err}
	}
	if r.err != nil {
		return o.failed(d, r)
	}
	d.Note = note{r.text}
	return o.then(d)
}

// then is what follows a step that is over.
func (o *observer) then(d *dispatch.Delivery) dispatch.Result {
	if d.Step+1 < len(o.actions) {
		return dispatch.Result{Outcome: dispatch.Next}
	}
	return dispatch.Result{Outcome: dispatch.Done}
}

// failed says what becomes of a step that failed.
func (o *observer) failed(d *dispatch.Delivery, r reply) dispatch.Result {
	d.Note = note{r.text}
	if fault.CodeOf(r.err) == unjudged {
		return dispatch.Result{Outcome: dispatch.Dead, Err: r.err}
	}
	wait, again := o.rule.Retry.Wait(d.Attempt + 1)
	if again && !r.final && fault.CodeOf(r.err) != hopeless {
		return dispatch.Result{Outcome: dispatch.Again, Wait: max(wait, r.wait, time.Millisecond), Err: r.err}
	}
	var result dispatch.Result
	switch o.rule.OnFailure {
	case "continue":
		result = o.then(d)
	case "stop":
		result.Outcome = dispatch.Done
	default:
		result.Outcome = dispatch.Dead
	}
	result.Err = r.err
	return result
}

// within does a step in the transaction that marks it.
func (o *observer) within(d *dispatch.Delivery) (func(ctx context.Context, tx pgx.Tx) error, dispatch.Result) {
	if d.Step >= len(o.actions) || o.actions[d.Step].within == nil {
		return nil, dispatch.Result{}
	}
	if yes, err := o.wants(d); err != nil || !yes {
		return nil, dispatch.Result{} // work says so
	}
	return func(ctx context.Context, tx pgx.Tx) error {
		ctx, cancel := context.WithTimeout(ctx, o.rule.Timeout)
		defer cancel()
		replies, err := o.actions[d.Step].within(ctx, tx, []*dispatch.Delivery{d})
		if err == nil {
			d.Note = note{replies[0]}
		}
		return err
	}, o.then(d)
}

// batch does what the condition wants. What it does not want is done as well: there was nothing to do.
func (o *observer) batch(ctx context.Context, tx pgx.Tx, ds []*dispatch.Delivery) error {
	var wanted []*dispatch.Delivery
	for _, d := range ds {
		d.Note = nil
		yes, err := o.wants(d)
		if err != nil {
			return err
		}
		if yes {
			wanted = append(wanted, d)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, o.rule.Timeout)
	defer cancel()
	replies, err := o.actions[0].within(ctx, tx, wanted)
	for i := range replies {
		wanted[i].Note = note{replies[i]}
	}
	return err
}

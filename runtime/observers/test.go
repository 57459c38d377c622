package observers

import (
	"context"
	"slices"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// Trial is what an observer would do about an event.
type Trial struct {
	Observer string        `json:"observer"`
	Event    *events.Event `json:"event"`
	Hears    bool          `json:"hears"`   // its entity, event and columns fit
	Matches  bool          `json:"matches"` // its condition holds
	Actions  []TrialAction `json:"actions"`
}

// TrialAction is what one action would do.
type TrialAction struct {
	Type    string            `json:"type"`
	Method  string            `json:"method,omitempty"`
	URL     string            `json:"url,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
	HTML    string            `json:"html,omitempty"`
	From    string            `json:"from,omitempty"`
	To      string            `json:"to,omitempty"`
	Subject string            `json:"subject,omitempty"`
	Call    string            `json:"call,omitempty"`
	Message string            `json:"message,omitempty"`
	Error   string            `json:"error,omitempty"`
}

// recent is how many events of an entity are looked through for one that an observer would act on.
const recent = 100

// Test renders all that an observer would send about an event, and sends nothing. id 0 takes the newest event that it would act
// on, else the newest of its entity.
func (s *Service) Test(ctx context.Context, name string, id int64) (Trial, error) {
	stored, err := s.Show(ctx, name)
	if err != nil {
		return Trial{}, err
	}
	rule, known := s.ruleOf(stored)
	if !known {
		return Trial{}, fault.New(fault.NotFound, "observers/not-found", "there is no observer "+name+" in the configuration").WithHint("fraiseql observers list")
	}
	o, err := s.build(name, rule)
	if err != nil {
		return Trial{}, err
	}
	filter := events.Filter{Entity: o.on.String(), Limit: recent}
	if o.on.Schema == "" {
		filter.Entity = o.on.Table
	}
	if id != 0 {
		filter = events.Filter{IDs: []int64{id}, Limit: 1}
	}
	found, err := s.events.List(ctx, filter)
	if err != nil {
		return Trial{}, err
	}
	if len(found) == 0 {
		return Trial{}, fault.New(fault.NotFound, "events/not-found", "there is no event to try it with").WithHint("change a row of %s, or name one by --event", rule.Entity)
	}
	trials := make([]*dispatch.Delivery, len(found))
	for i, e := range found {
		trials[i] = &dispatch.Delivery{Event: e}
		if e.Cut {
			read, err := events.ReadAnew(ctx, s.deps.Pool, e, consumerOf(o.name))
			if err != nil {
				return Trial{}, err
			}
			trials[i].Event, trials[i].Judged = read.Event, read.Judged
		}
		if yes, err := o.wants(trials[i]); err == nil && yes && o.hears(e) {
			return s.try(o, trials[i])
		}
	}
	return s.try(o, trials[0])
}

func (s *Service) try(o *observer, d *dispatch.Delivery) (Trial, error) {
	yes, err := o.wants(d)
	if err != nil {
		return Trial{}, err
	}
	t := Trial{Observer: o.name, Event: d.Event, Hears: o.hears(d.Event), Matches: yes}
	for i, a := range o.rule.Actions {
		d.Step = i
		one := TrialAction{Type: a.Type}
		if err := s.render(o, a, d, &one); err != nil {
			one.Error = err.Error()
		}
		t.Actions = append(t.Actions, one)
	}
	return t, nil
}

// hears tells whether an event would be delivered at all.
func (o *observer) hears(e *events.Event) bool {
	i := o.interest()
	if e.Schema != o.on.Schema || e.Table != o.on.Table || !i.Ops.Has(e.Op) {
		return false
	}
	return e.Op != events.Update || len(i.Columns) == 0 || e.Changed == nil ||
		slices.ContainsFunc(e.Changed, func(column string) bool { return slices.Contains(i.Columns, column) })
}

func (s *Service) render(o *observer, a Action, d *dispatch.Delivery, one *TrialAction) error {
	var failure error
	t := a.parse(func(_ string, err error) { failure = err })
	if failure != nil {
		return failure
	}
	switch a.Type {
	case "webhook":
		address, err := a.URLFrom.Resolve(lookup, s.deps.Dir)
		if err != nil {
			return err
		}
		request, err := o.request(d, a, t, address, nil)
		if err != nil {
			return err
		}
		one.Method, one.URL, one.Body, one.Headers = request.Method, request.URL, string(request.Body), map[string]string{}
		if a.URL == "" {
			one.URL = "(hidden)" // an address that was kept out of the file is a secret
		}
		for name := range request.Header {
			one.Headers[name] = request.Header.Get(name)
		}
	case "email":
		if err := s.readMail(a, &t); err != nil {
			return err
		}
		m, err := o.mail(d, a, t)
		if err != nil {
			return err
		}
		one.From, one.To, one.Subject, one.Body, one.HTML = m.From, m.To, m.Subject, m.Text, m.HTML
	case "database":
		event, err := d.Event.MarshalJSON()
		if err != nil {
			return err
		}
		one.Call, one.Body = "select "+postgres.Qualified(a.Function)+"($1::jsonb)", string(event)
	case "job":
		spec, err := o.spec(d, a, t)
		if err != nil {
			return err
		}
		one.Call, one.Body = "enqueue "+spec.Kind, string(spec.Args)
	case "log":
		one.Message = string(d.Event.Op) + " " + d.Event.Entity
		if t.message != nil {
			values, err := data(d.Event)
			if err != nil {
				return err
			}
			one.Message, err = t.message.Render(values)
			return err
		}
	}
	return nil
}

package doctor

import (
	"context"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// State is how well something is.
type State string

// The states, the worst last.
const (
	OK      State = "ok"
	Skipped State = "skipped"
	Warning State = "warning"
	Error   State = "error"
)

// Finding is one thing that a check found.
type Finding struct {
	Check   string     `json:"check"`
	State   State      `json:"state"`
	Message string     `json:"message"`
	Fix     string     `json:"fix,omitempty"`   // a command, SQL or an edit
	Index   bool       `json:"index,omitempty"` // Fix is the SQL of an index
	Kind    fault.Kind `json:"-"`               // of an error: what it is about
}

// Check is one question.
type Check struct {
	Name string
	Run  func(ctx context.Context, found *Findings)
}

// Findings gathers what one check finds.
type Findings struct {
	check string
	list  []Finding
}

// OK says that something is as it should be.
func (f *Findings) OK(message string) { f.add(OK, message, "") }

// Skip says that something could not be looked at.
func (f *Findings) Skip(message string) { f.add(Skipped, message, "") }

// Warn says that something will be regretted, and how to mend it.
func (f *Findings) Warn(message, fix string) { f.add(Warning, message, fix) }

// NoIndex says what an index would make faster, by the SQL that makes it.
func (f *Findings) NoIndex(message, ddl string) {
	f.add(Warning, message, ddl)
	f.list[len(f.list)-1].Index = true
}

// Error says that something does not work, and how to mend it.
func (f *Findings) Error(message, fix string) { f.add(Error, message, fix) }

// Fault says that something does not work, as an error tells it.
func (f *Findings) Fault(err error) {
	e, ok := fault.As(err)
	if !ok {
		e = fault.New(fault.Internal, "doctor/failed", err.Error())
	}
	message := e.Message
	if e.Cause != nil {
		message += ": " + e.Cause.Error()
	}
	f.list = append(f.list, Finding{Check: f.check, State: Error, Message: message, Fix: e.Hint, Kind: e.Kind})
}

func (f *Findings) add(state State, message, fix string) {
	f.list = append(f.list, Finding{Check: f.check, State: state, Message: message, Fix: fix, Kind: fault.ActionNeeded})
}

// patience is how long one check may take.
const patience = 15 * time.Second

// Run asks the questions one after the other, so that what they find has an order. When the first one
// finds an error, the others are skipped: they would say the same in other words.
func Run(ctx context.Context, first Check, others ...Check) []Finding {
	all := ask(ctx, first)
	if Worst(all) == Error {
		for _, c := range others {
			all = append(all, Finding{Check: c.Name, State: Skipped, Message: "not looked at, because of " + first.Name})
		}
		return all
	}
	for _, c := range others {
		all = append(all, ask(ctx, c)...)
	}
	return all
}

func ask(ctx context.Context, c Check) []Finding {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found := &Findings{check: c.Name}
	c.Run(ctx, found)
	return found.list
}

var rank = map[State]int{OK: 0, Skipped: 1, Warning: 2, Error: 3}

// Worst gives the worst state of the findings.
func Worst(all []Finding) State {
	worst := OK
	for _, f := range all {
		if rank[f.State] > rank[worst] {
			worst = f.State
		}
	}
	return worst
}

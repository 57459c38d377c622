package observers

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Mistake is what an observer names and the database has not.
type Mistake struct {
	Key   string // of the observer's table: when, columns, actions[0].function
	Fault *fault.Error
}

// Deafens tells whether the observer would not hear what it is meant to. What is wrong with an action is told by its tries.
func (m Mistake) Deafens() bool { return m.Key == "entity" || m.Key == "columns" || m.Key == "when" }

// Of makes it an error that says whose it is.
func (m Mistake) Of(name string) error {
	e := fault.New(m.Fault.Kind, m.Fault.Code, fmt.Sprintf("observer %s, %s: %s", name, m.Key, m.Fault.Message))
	e.Hint = m.Fault.Hint
	return e
}

// judge asks the database what it has not of what a rule names.
func (s *Service) judge(ctx context.Context, rule Rule) ([]Mistake, error) {
	if s.deps.Judge == nil {
		return nil, nil
	}
	return s.deps.Judge(ctx, rule)
}

// unfit gives why an observer cannot judge changes, and logs all that is wrong with it. What it hears then is kept as dead
// letters: nobody knows whether there is anything to do.
func (s *Service) unfit(ctx context.Context, o *observer, enabled bool) (why error, err error) {
	found, err := s.judge(ctx, o.rule)
	if err != nil {
		return nil, err
	}
	for _, m := range found {
		if why == nil && m.Deafens() {
			why = m.Of(o.name)
		}
		if enabled {
			s.deps.Log.Error("an observer does not fit the database: "+m.Fault.Message, slog.String("observer", o.name), slog.String("key", m.Key), slog.String("code", m.Fault.Code), slog.String("hint", m.Fault.Hint))
		}
	}
	return why, nil
}

// Misfits tells of all observers that are on what the database has not of what they name, by their names.
func (s *Service) Misfits(ctx context.Context) (map[string][]Mistake, error) {
	stored, err := s.store.all(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string][]Mistake{}
	for _, one := range stored {
		rule, known := s.ruleOf(one)
		if !known || !one.Enabled {
			continue
		}
		found, err := s.judge(ctx, rule)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			all[one.Name] = found
		}
	}
	return all, nil
}

// Fits refuses observers of the file that would not hear what they are meant to.
func (s *Service) Fits(ctx context.Context) error {
	on := s.on()
	for _, name := range slices.Sorted(maps.Keys(on)) {
		found, err := s.judge(ctx, on[name])
		if err != nil {
			return err
		}
		for _, m := range found {
			if m.Deafens() {
				return m.Of(name)
			}
		}
	}
	return nil
}

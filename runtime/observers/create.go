package observers

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Observers that are made through the API are rows of _system.observers, with a configuration in JSON that has the keys of the
// file and is judged by its rules.

const (
	createSQL = `
insert into _system.observers (name, entity, event_type, config, origin)
values ($1, $2, $3, $4, 'database')
on conflict (name) do nothing`

	inDatabaseSQL = `
select coalesce(array_agg(name order by name), '{}')
from _system.observers
where origin = 'database' and name = any ($1)`
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$`)

// Created is an observer that was made. One whose changes are not captured hears nothing yet.
type Created struct {
	Stored
	Captured bool   `json:"captured"`
	Hint     string `json:"hint,omitempty"`
}

// parse reads the configuration of an observer of the database.
func parse(name string, text json.RawMessage) (Rule, error) {
	refuse := func(why string) (Rule, error) {
		return Rule{}, fault.New(fault.Invalid, "observers/bad-config", "the observer "+name+" cannot be made: "+why).WithHint("its keys are those of [observers.NAME] in the configuration file")
	}
	source, err := config.TOML(text, "observers", name)
	if err != nil {
		return refuse(err.Error())
	}
	var target struct {
		Observers Config `toml:"observers"`
	}
	_, problems := config.Load(&target, config.Options{Text: source, Live: true, Env: func(key string) (string, bool) {
		if strings.HasPrefix(key, "FRAISEQL_") { // overlays are for the file
			return "", false
		}
		return os.LookupEnv(key)
	}})
	var told []string
	for _, p := range problems {
		if p.Severity == diag.Error {
			told = append(told, p.Message)
		}
	}
	rule, there := target.Observers.Named[name]
	switch {
	case len(told) > 0:
		return refuse(strings.Join(told, "; "))
	case !there:
		return refuse("it says nothing")
	}
	for i, a := range rule.Actions {
		if a.URLFrom.File != "" || a.Secret.File != "" || a.Source != "" {
			return refuse(fmt.Sprintf("action %d names a file of the server, which only the configuration file may", i+1))
		}
	}
	return rule, nil
}

// Create makes an observer in the database, which all servers hear of within seconds.
func (s *Service) Create(ctx context.Context, name string, text json.RawMessage) (Created, error) {
	if !nameForm.MatchString(name) || name == "dead" || name == "enabled" {
		return Created{}, fault.New(fault.Invalid, "observers/bad-name", "an observer cannot be called "+name).WithHint("use letters, digits, _, - and ., at most 63")
	}
	rule, err := parse(name, text)
	if err != nil {
		return Created{}, err
	}
	if _, err := s.build(name, rule); err != nil {
		return Created{}, err
	}
	wrong, err := s.judge(ctx, rule)
	if err != nil {
		return Created{}, err
	}
	if len(wrong) > 0 {
		return Created{}, wrong[0].Of(name)
	}
	tag, err := s.deps.Pool.Exec(ctx, createSQL, name, rule.Entity, strings.Join(rule.Event, ","), string(text))
	if err != nil {
		return Created{}, err
	}
	if tag.RowsAffected() == 0 {
		return Created{}, fault.New(fault.Conflict, "observers/exists", "there is an observer "+name+" already").WithHint("fraiseql observers show %s", name)
	}
	if err := s.Listen(ctx); err != nil {
		return Created{}, err
	}
	made := Created{}
	if made.Stored, err = s.Show(ctx, name); err != nil {
		return made, err
	}
	on, _ := s.relation(rule)
	if made.Captured, err = s.captured(ctx, on.String()); err == nil && !made.Captured {
		made.Hint = "changes of " + on.String() + " are not captured yet: fraiseql migrate up"
	}
	return made, err
}

// captured tells whether changes of a relation are written down.
func (s *Service) captured(ctx context.Context, relation string) (bool, error) {
	all, err := s.events.Drift(ctx)
	for _, c := range all {
		if c.String() == relation {
			return c.Whole(), err
		}
	}
	return err == nil, err // a CUSTOM event needs no trigger
}

// taken refuses observers of the file whose names observers of the database have.
func (s *Service) taken(ctx context.Context, names []string) error {
	var both []string
	if err := s.deps.Pool.QueryRow(ctx, inDatabaseSQL, names).Scan(&both); err != nil || len(both) == 0 {
		return err
	}
	return fault.New(fault.Conflict, "observers/in-database", "the configuration file has the observer "+both[0]+", and there is one of that name that was made through the API").
		WithHint("rename [observers.%s], or remove the other one: fraiseql observers delete %s", both[0], both[0])
}

// ruleOf gives the rule of a stored observer, as far as this server knows it.
func (s *Service) ruleOf(one Stored) (Rule, bool) {
	if rule, known := s.on()[one.Name]; known {
		return rule, true
	}
	if one.Origin != "database" {
		return Rule{}, false
	}
	rule, err := parse(one.Name, one.Config)
	if err != nil {
		s.deps.Log.Error("an observer of the database cannot be understood, and hears nothing on this server", slog.String("observer", one.Name), slog.Any("error", err))
		return Rule{}, false
	}
	return rule, true
}

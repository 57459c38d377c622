package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/conditions"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/observers"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// checkReactionLive asks the database whether it has what observers and [events.columns] name. Where no name can be judged, as
// there is no schema, that is told.
func (a *App) checkReactionLive(ctx context.Context, r *config.Report) error {
	if a.Reaction == nil {
		return nil
	}
	if a.GraphQL != nil {
		err := a.GraphQL.Load(ctx)
		if refusal, refused := fault.As(err); refused {
			r.At("observers").Warn("", refusal.Code, "what observers and [events.columns] name was not judged, as there is no schema: "+refusal.Message, refusal.Hint)
			return nil
		}
		if err != nil {
			return postgres.Explain(err)
		}
	}
	columns, wrong, err := a.untold(ctx)
	if err != nil {
		return err
	}
	for _, w := range wrong {
		r.At("events.columns").Item(w.entity).Error(w.key, w.err.Code, w.err.Message, w.err.Hint)
	}
	a.checkSubscriptionsLive(r.At("graphql.subscriptions"))
	if a.Config.Observers == nil || !a.Config.Observers.On() {
		return nil
	}
	return a.checkObserversLive(ctx, r.At("observers"), columns)
}

// checkObserversLive judges the observers of the file.
func (a *App) checkObserversLive(ctx context.Context, r *config.Report, untold map[events.Relation]events.Columns) error {
	for _, name := range slices.Sorted(maps.Keys(a.Config.Observers.Named)) {
		rule := a.Config.Observers.Named[name]
		if !rule.On() {
			continue
		}
		found, err := a.judge(ctx, rule, untold)
		if err != nil {
			return postgres.Explain(err)
		}
		for _, m := range found {
			r.Item(name).Error(m.Key, m.Fault.Code, m.Fault.Message, m.Fault.Hint)
		}
	}
	return nil
}

// mistakes are those of one observer.
type mistakes []observers.Mistake

func (m *mistakes) add(key, code, message, hint string) {
	e := fault.New(fault.Invalid, code, message)
	e.Hint = hint
	*m = append(*m, observers.Mistake{Key: key, Fault: e})
}

// mistaken tells what the database has not of what an observer names.
func (a *App) mistaken(ctx context.Context, rule observers.Rule) ([]observers.Mistake, error) {
	untold, _, err := a.untold(ctx)
	if err != nil {
		return nil, err
	}
	return a.judge(ctx, rule, untold)
}

// judge looks at tables, columns and functions, and at whether conditions fit the types of columns.
func (a *App) judge(ctx context.Context, rule observers.Rule, untold map[events.Relation]events.Columns) (found mistakes, err error) {
	var row *row // of CUSTOM events nobody knows what they tell
	if !slices.Contains(rule.Event, string(events.Custom)) {
		if row, err = a.checkHeard(ctx, &found, rule, untold); err != nil {
			return nil, err
		}
	}
	for i, action := range rule.Actions {
		at := fmt.Sprintf("actions[%d].", i)
		if err := a.checkPaths(&found, at, action, row); err != nil {
			return nil, err
		}
		if action.Type != "database" || action.Function == "" {
			continue
		}
		wrong, err := a.callable(ctx, action.Function)
		if err != nil {
			return nil, err
		}
		if wrong != nil {
			found.add(at+"function", wrong.Code, wrong.Message, wrong.Hint)
		}
	}
	return found, nil
}

// row is what events tell of a table's rows.
type row struct {
	of     events.Relation
	names  []string // all columns
	untold []string // those that events leave out
}

// rowOf tells what events tell of rows.
func (a *App) rowOf(ctx context.Context, relation events.Relation, names []string, untold map[events.Relation]events.Columns) (*row, error) {
	omitted := untold[relation].Omit
	if omitted == nil {
		var err error
		if omitted, err = events.Secrets(ctx, a.Pool, names); err != nil {
			return nil, err
		}
	}
	return &row{of: relation, names: names, untold: omitted}, nil
}

// checkPaths judges what the templates of an action read of events: what is not there is an error when one is sent. row is nil
// where nobody knows what a row has.
func (a *App) checkPaths(found *mistakes, at string, action observers.Action, row *row) error {
	paths, err := a.Reaction.Observers.Paths(action)
	if err != nil {
		told, known := fault.As(err)
		if !known {
			return err
		}
		found.add(at+"template", told.Code, told.Message, told.Hint)
		return nil
	}
	tops := observers.Names()
	for _, key := range slices.Sorted(maps.Keys(paths)) {
		for _, p := range paths[key] {
			where := fmt.Sprintf(" (%s, line %d, column %d)", p.Name, p.Line, p.Column)
			image := p.Parts[0] == "new" || p.Parts[0] == "old" || p.Parts[0] == "row"
			switch {
			case !slices.Contains(tops, p.Parts[0]):
				found.add(at+key, "observers/no-path", "an event has no `"+p.Text+"`"+where, diag.DidYouMean(p.Parts[0], tops, "one of: "+strings.Join(tops, ", ")))
			case !image || len(p.Parts) < 2 || row == nil:
			case slices.Contains(row.untold, p.Parts[1]):
				found.add(at+key, "observers/untold-column", "events leave out the column `"+p.Parts[1]+"` of "+row.of.String()+", which `"+p.Text+"` reads"+where,
					"[events.columns] says what is left out; without that it is what is called like a secret")
			case !slices.Contains(row.names, p.Parts[1]):
				found.add(at+key, "observers/no-column", row.of.String()+" has no column `"+p.Parts[1]+"`, which `"+p.Text+"` reads"+where, diag.DidYouMean(p.Parts[1], row.names, "one of: "+strings.Join(row.names, ", ")))
			}
		}
	}
	return nil
}

// checkHeard judges the table that is heard of, its columns, and the condition over them.
func (a *App) checkHeard(ctx context.Context, found *mistakes, rule observers.Rule, untold map[events.Relation]events.Columns) (*row, error) {
	relation, known := a.relation(rule.Entity)
	var columns conditions.Columns
	var kind string
	if known {
		var err error
		if columns, kind, err = events.ColumnsOf(ctx, a.Pool, relation); err != nil {
			return nil, err
		}
	}
	switch {
	case !known, kind == "":
		found.add("entity", "observers/no-entity", "nothing is called `"+rule.Entity+"`", `name a type of the API (fraiseql schema print), or a table as "schema.table"`)
		return nil, nil
	case kind != "r" && kind != "p":
		found.add("entity", "events/no-table", relation.String()+" is no table: changes of it cannot be captured", "name the table that its rows come from")
		return nil, nil
	}
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	for _, column := range rule.Columns {
		if !slices.Contains(names, column) {
			found.add("columns", "observers/no-column", relation.String()+" has no column `"+column+"`", diag.DidYouMean(column, names, "one of: "+strings.Join(names, ", ")))
		}
	}
	for i, action := range rule.Actions {
		field := action.Field()
		if slices.Contains(untold[relation].Hash, field) || slices.Contains(untold[relation].Omit, field) {
			found.add(fmt.Sprintf("actions[%d].to", i), "observers/untold-column", "events do not tell the column `"+field+"` of "+relation.String()+" as it is, which the mail would go to", "[events.columns] says what is left out or hashed")
		}
		if field != "" && !slices.Contains(names, field) {
			found.add(fmt.Sprintf("actions[%d].to", i), "observers/no-column", relation.String()+" has no column `"+field+"`, which the mail would go to", diag.DidYouMean(field, names, "one of: "+strings.Join(names, ", ")))
		}
	}
	heard, err := a.rowOf(ctx, relation, names, untold)
	if err != nil || rule.When == "" {
		return heard, err
	}
	checkCondition(found, rule.When, columns, heard)
	return heard, nil
}

// checkCondition judges whether a condition fits the columns of a table, and reads what events tell of them.
func checkCondition(found *mistakes, when string, columns conditions.Columns, heard *row) {
	condition, err := conditions.Compile(when, columns)
	if err == nil {
		old, now := condition.Columns()
		for _, column := range heard.untold {
			if slices.Contains(old, column) || slices.Contains(now, column) {
				found.add("when", "observers/untold-column", "events leave out the column `"+column+"` of "+heard.of.String()+", which the condition reads",
					"[events.columns] says what is left out; without that it is what is called like a secret. `columns` may name it")
			}
		}
		return
	}
	var problem *conditions.Error
	if errors.As(err, &problem) && fault.CodeOf(err) != "" {
		told, _ := fault.As(err)
		found.add("when", "config/bad-condition", "the condition does not fit "+heard.of.String()+": "+told.Message+", at "+when[problem.Offset:problem.Offset+problem.Width], told.Hint)
	}
}

// checkFunction wants a function of one argument of jsonb that this login may call.
func (a *App) checkFunction(ctx context.Context, at *config.Report, name string) error {
	if name == "" {
		return nil
	}
	wrong, err := a.callable(ctx, name)
	if wrong != nil {
		at.Error("function", wrong.Code, wrong.Message, wrong.Hint)
	}
	return err
}

// callable says why this login cannot call a function of one argument of jsonb; nil: it can.
func (a *App) callable(ctx context.Context, name string) (*fault.Error, error) {
	quoted := postgres.Qualified(name) + "(jsonb)"
	there, may, err := postgres.Callable(ctx, a.Pool, name)
	if err != nil {
		return nil, err
	}
	switch {
	case !there:
		hint, err := postgres.FunctionHint(ctx, a.Pool, name, "void")
		if err != nil {
			return nil, err
		}
		return fault.New(fault.Invalid, "observers/no-function", "there is no function "+quoted).WithHint("%s", hint), nil
	case !may:
		return fault.New(fault.Invalid, "database/no-privilege", "this login may not call "+quoted).WithHint("%s", postgres.GrantHint(name)), nil
	}
	return nil, nil
}

package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

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
	_, wrong, err := a.untold(ctx)
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
	return a.checkObserversLive(ctx, r.At("observers"))
}

// checkObserversLive judges tables, columns and functions, and whether conditions fit the types of columns.
func (a *App) checkObserversLive(ctx context.Context, r *config.Report) error {
	for _, name := range slices.Sorted(maps.Keys(a.Config.Observers.Named)) {
		rule := a.Config.Observers.Named[name]
		if !rule.On() {
			continue
		}
		at := r.Item(name)
		if !slices.Contains(rule.Event, string(events.Custom)) {
			if err := a.checkHeard(ctx, at, rule); err != nil {
				return postgres.Explain(err)
			}
		}
		for i, action := range rule.Actions {
			if action.Type != "database" {
				continue
			}
			if err := a.checkFunction(ctx, at.At(fmt.Sprintf("actions[%d]", i)), action.Function); err != nil {
				return postgres.Explain(err)
			}
		}
	}
	return nil
}

// checkHeard judges the table that is heard of, its columns, and the condition over them.
func (a *App) checkHeard(ctx context.Context, at *config.Report, rule observers.Rule) error {
	relation, known := a.relation(rule.Entity)
	var columns conditions.Columns
	var kind string
	if known {
		var err error
		if columns, kind, err = events.ColumnsOf(ctx, a.Pool, relation); err != nil {
			return err
		}
	}
	switch {
	case !known, kind == "":
		at.Error("entity", "observers/no-entity", "nothing is called `"+rule.Entity+"`", `name a type of the API (fraiseql schema print), or a table as "schema.table"`)
		return nil
	case kind != "r" && kind != "p":
		at.Error("entity", "events/no-table", relation.String()+" is no table: changes of it cannot be captured", "name the table that its rows come from")
		return nil
	}
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	for _, column := range rule.Columns {
		if !slices.Contains(names, column) {
			at.Error("columns", "observers/no-column", relation.String()+" has no column `"+column+"`", diag.DidYouMean(column, names, "one of: "+strings.Join(names, ", ")))
		}
	}
	for i, action := range rule.Actions {
		if field := action.Field(); field != "" && !slices.Contains(names, field) {
			at.At(fmt.Sprintf("actions[%d]", i)).Error("to", "observers/no-column", relation.String()+" has no column `"+field+"`, which the mail would go to", diag.DidYouMean(field, names, "one of: "+strings.Join(names, ", ")))
		}
	}
	if rule.When == "" {
		return nil
	}
	_, err := conditions.Compile(rule.When, columns)
	var problem *conditions.Error
	if errors.As(err, &problem) && fault.CodeOf(err) != "" {
		told, _ := fault.As(err)
		at.Error("when", "config/bad-condition", "the condition does not fit "+relation.String()+": "+told.Message+", at "+rule.When[problem.Offset:problem.Offset+problem.Width], told.Hint)
	}
	return nil
}

const functionSQL = `
select p.oid is not null, coalesce(has_function_privilege(p.oid, 'execute'), false)
from (select to_regprocedure($1)::oid as oid) p`

// checkFunction wants a function of one argument of jsonb that this login may call.
func (a *App) checkFunction(ctx context.Context, at *config.Report, name string) error {
	if name == "" {
		return nil
	}
	quoted := pgx.Identifier(strings.Split(name, ".")).Sanitize() + "(jsonb)"
	var there, may bool
	if err := a.Pool.QueryRow(ctx, functionSQL, quoted).Scan(&there, &may); err != nil {
		return err
	}
	switch {
	case !there:
		at.Error("function", "observers/no-function", "there is no function "+quoted, "create function "+quoted+" returns void …, or write its schema: \"app."+name+"\"")
	case !may:
		at.Error("function", "database/no-privilege", "this login may not call "+quoted, "grant execute on function "+quoted+" to the login")
	}
	return nil
}

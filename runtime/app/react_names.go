package app

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// relation finds the table that people call by a name of the API, or by schema and name.
func (a *App) relation(entity string) (events.Relation, bool) {
	if schema, table, qualified := strings.Cut(entity, "."); qualified {
		return events.Relation{Schema: schema, Table: table}, true
	}
	if a.GraphQL != nil {
		if t := a.GraphQL.Table(entity); t != nil {
			return events.Relation{Schema: t.Schema, Table: t.Name}, true
		}
	}
	return events.Relation{}, false
}

// entity is what events call a relation, whatever an observer calls it: the type of the API that shows it, or its name.
func (a *App) entity(r events.Relation) string {
	if a.GraphQL != nil {
		if name := a.GraphQL.Entity(r.Schema, r.Table); name != "" {
			return name
		}
	}
	return r.String()
}

// untold gives what [events.columns] says, by relation. Names that are not there are told as mistakes: of a secret that is called
// wrongly, or of a table that is, events would tell.
func (a *App) untold(ctx context.Context) (map[events.Relation]events.Columns, []misnamed, error) {
	all := map[events.Relation]events.Columns{}
	var wrong []misnamed
	for _, entity := range slices.Sorted(maps.Keys(a.Reaction.config.Columns)) {
		c := a.Reaction.config.Columns[entity]
		refuse := func(key, code, message, hint string) {
			wrong = append(wrong, misnamed{entity, key, fault.New(fault.Invalid, code, "[events.columns]: "+message).WithHint("%s", hint)})
		}
		relation, known := a.relation(entity)
		var names []string
		if known {
			columns, kind, err := events.ColumnsOf(ctx, a.background.work, relation)
			if err != nil {
				return nil, nil, postgres.Explain(err)
			}
			known = kind != ""
			for _, column := range columns {
				names = append(names, column.Name)
			}
		}
		if !known {
			refuse("", "events/no-entity", "nothing is called `"+entity+"`", `name a type of the API (fraiseql schema print), or a table as "schema.table"`)
			continue
		}
		if _, twice := all[relation]; twice {
			refuse("", "events/named-twice", relation.String()+" is there by two names", "put all of its columns into one table")
		}
		there := func(key string, columns []string) {
			for _, column := range columns {
				if !slices.Contains(names, column) {
					refuse(key, "events/no-column", relation.String()+" has no column `"+column+"`", diag.DidYouMean(column, names, "one of: "+strings.Join(names, ", ")))
				}
			}
		}
		there("omit", c.Omit)
		there("hash", c.Hash)
		all[relation] = c
	}
	return all, wrong, nil
}

// misnamed is a mistake in [events.columns].
type misnamed struct {
	entity, key string
	err         *fault.Error
}

package graphql

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// LookAtViews tells what in schema files does not fit the views that they name: their names, keys, and up to a
// thousand of their rows. It looks as the first role that sees a view; seen are the catalogs of the roles, by name.
func (s *Service) LookAtViews(ctx context.Context, seen map[string]*catalog.Catalog) ([]schema.Mistake, error) {
	if s.deps.Declared == nil {
		return nil, nil
	}
	roles := s.config.DatabaseRoles()
	answered, names := map[string]bool{}, slices.Sorted(maps.Keys(seen))
	var catalogs []*catalog.Catalog
	for _, name := range names {
		catalogs = append(catalogs, seen[name])
	}
	mistakes := s.deps.Declared.Absent(catalogs)
	for _, name := range names {
		questions, _ := s.deps.Declared.Questions(seen[name])
		for _, q := range questions {
			if answered[q.SQL] {
				continue
			}
			answered[q.SQL] = true
			answer, err := s.ask(ctx, roles[name], q.SQL)
			if err != nil {
				return nil, err
			}
			mistakes = append(mistakes, q.Judge(answer)...)
		}
	}
	return mistakes, nil
}

// ask runs a statement of one row as a role, without writing anything.
func (s *Service) ask(ctx context.Context, role, sql string) (answer []any, err error) {
	err = pgx.BeginTxFunc(ctx, s.deps.Pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if role != "" {
			if _, err := tx.Exec(ctx, "select set_config('role', $1, true)", role); err != nil {
				return fmt.Errorf("take on the role %s: %w", role, err)
			}
		}
		rows, err := tx.Query(ctx, sql)
		if err != nil {
			return err
		}
		answer, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
		return err
	})
	return answer, err
}

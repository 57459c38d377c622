package app

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/deployment/policy"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// ExplainPolicy tells why a role sees a row, or does not, as the tables' owner knows it. The role is one of
// [graphql.roles], or of the database.
func (a *App) ExplainPolicy(ctx context.Context, q policy.Question) (lines []policy.Line, err error) {
	if role, known := a.Config.GraphQL.DatabaseRoles()[q.Role]; known && role != "" {
		q.Role = role
	}
	q.Schemas = a.Config.Database.Schemas
	err = a.Migrations.AsOwner(ctx, func(conn *pgx.Conn) error {
		lines, err = policy.Explain(ctx, conn, q)
		if _, told := fault.As(err); err != nil && !told {
			return postgres.Explain(err)
		}
		return err
	})
	return lines, err
}

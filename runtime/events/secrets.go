package events

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Secrets gives those of columns that events leave out where nothing is said of them: they are called like secrets.
func Secrets(ctx context.Context, q Queryer, columns []string) (secret []string, err error) {
	rows, err := q.Query(ctx, `select coalesce(array_agg(name), '{}') from unnest($1::text[]) name where _system.event_secret(name)`, columns)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[[]string])
}

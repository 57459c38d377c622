package events

import (
	"context"
	"crypto/rand"

	"github.com/jackc/pgx/v5/pgxpool"
)

// PositionKey gives the key that positions are signed with which are handed to clients: one for all servers of the database. It is
// made when it is first asked for.
func PositionKey(ctx context.Context, pool *pgxpool.Pool) (key []byte, err error) {
	if _, err := pool.Exec(ctx, `insert into _system.event_setting (name, value) values ('position_key', $1) on conflict (name) do nothing`, rand.Text()+rand.Text()); err != nil {
		return nil, err
	}
	err = pool.QueryRow(ctx, `select value from _system.event_setting where name = 'position_key'`).Scan(&key)
	return key, err
}

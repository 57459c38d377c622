package migrations

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// Step is a migration that is no SQL file. It may be run again after a part of it was done.
type Step struct {
	Version  int64
	Name     string
	Up, Down func(ctx context.Context, conn *pgx.Conn) error
	// SQL gives what Up would send, for a person to read or to run.
	SQL func(ctx context.Context, conn *pgx.Conn) (string, error)
}

// Steps are the migrations that are no SQL files.
var Steps = []Step{{Version: 6, Name: "00006_river", Up: riverUp, Down: riverDown, SQL: riverSQL}}

// riverVersion is the version of River's tables that this program works with (github.com/riverqueue/river, rivermigrate).
// A later one is another step.
const riverVersion = 8

func riverUp(ctx context.Context, conn *pgx.Conn) error {
	return river(ctx, conn, rivermigrate.DirectionUp, riverVersion)
}

func riverDown(ctx context.Context, conn *pgx.Conn) error {
	return river(ctx, conn, rivermigrate.DirectionDown, -1)
}

// river goes to a version one by one, each in a transaction of its own: a value of a type can be used only after the
// transaction that adds it.
func river(ctx context.Context, conn *pgx.Conn, direction rivermigrate.Direction, target int) error {
	m, err := rivermigrate.New(riverpgxv5.New(nil), &rivermigrate.Config{Schema: "_system", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	for done := false; !done; {
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			result, err := m.MigrateTx(ctx, tx, direction, &rivermigrate.MigrateOpts{MaxSteps: 1, TargetVersion: target}) //nolint:staticcheck // it is for one at a time
			done = err == nil && len(result.Versions) == 0
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func riverSQL(ctx context.Context, conn *pgx.Conn) (string, error) {
	m, err := rivermigrate.New(riverpgxv5.New(nil), &rivermigrate.Config{Schema: "_system", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		result, err := m.MigrateTx(ctx, tx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{DryRun: true, TargetVersion: riverVersion}) //nolint:staticcheck // nothing is run
		if err != nil {
			return err
		}
		for _, v := range result.Versions {
			fmt.Fprintf(&b, "begin;\n%s\ncommit;\n", strings.TrimSpace(v.SQL))
		}
		fmt.Fprintf(&b, "insert into _system.river_migration (line, version) select 'main', generate_series(1, %d) on conflict do nothing;\n", riverVersion)
		return nil
	})
	return b.String(), err
}

package deployment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/migrations"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// The states of a migration.
const (
	Applied = "applied"
	Pending = "pending"
	Missing = "missing" // applied, but its file is gone
)

// Migration is one migration and what the database says of it.
type Migration struct {
	Set     Set        `json:"set"`
	Version int64      `json:"version"`
	Name    string     `json:"name"`
	State   string     `json:"state"`
	At      *time.Time `json:"applied_at,omitempty"`

	source string
}

// Status gives the migrations of the sets, each in order of versions. It changes nothing.
func (m *Migrator) Status(ctx context.Context, sets ...Set) ([]Migration, error) {
	all := []Migration{}
	for _, set := range sets {
		applied, err := m.applied(ctx, set)
		if err != nil {
			return nil, err
		}
		provider, err := m.provider(set)
		if err != nil {
			return nil, err
		}
		if provider != nil {
			for _, s := range provider.ListSources() {
				one := Migration{Set: set, Version: s.Version, Name: m.name(set, s), State: Pending, source: s.Path}
				if at, ok := applied[s.Version]; ok {
					one.State, one.At = Applied, &at
					delete(applied, s.Version)
				}
				all = append(all, one)
			}
		}
		for _, version := range slices.Sorted(maps.Keys(applied)) {
			at := applied[version]
			all = append(all, Migration{Set: set, Version: version, State: Missing, At: &at})
		}
	}
	return all, nil
}

// applied reads a version table; a database that has none has nothing applied.
func (m *Migrator) applied(ctx context.Context, set Set) (map[int64]time.Time, error) {
	rows, err := m.db.QueryContext(ctx, "select version_id, max(tstamp) from "+versionTables[set]+" where is_applied and version_id > 0 group by 1")
	var refused *pgconn.PgError
	if errors.As(err, &refused) && (refused.Code == "42P01" || refused.Code == "3F000") {
		return nil, nil
	}
	if err != nil {
		return nil, postgres.Explain(err)
	}
	defer func() { _ = rows.Close() }()
	applied := map[int64]time.Time{}
	for rows.Next() {
		var version int64
		var at time.Time
		if err := rows.Scan(&version, &at); err != nil {
			return nil, fmt.Errorf("read %s: %w", versionTables[set], err)
		}
		applied[version] = at
	}
	if err := rows.Err(); err != nil {
		return nil, postgres.Explain(err)
	}
	return applied, nil
}

// Pending gives what Up would run, in order.
func (m *Migrator) Pending(ctx context.Context, sets ...Set) ([]Migration, error) {
	all, err := m.Status(ctx, sets...)
	pending := []Migration{}
	for _, one := range all {
		if one.State == Pending {
			pending = append(pending, one)
		}
	}
	return pending, err
}

// Due gives what is pending and missed. Our own set counts once any of it is applied: a database that is
// only read needs none of it.
func Due(all []Migration) []Migration {
	used := map[Set]bool{Project: true}
	for _, one := range all {
		used[one.Set] = used[one.Set] || one.State != Pending
	}
	due := []Migration{}
	for _, one := range all {
		if one.State == Pending && used[one.Set] {
			due = append(due, one)
		}
	}
	return due
}

// ordered refuses a file that is older than what was applied last: elsewhere it may have run before that.
func (m *Migrator) ordered(ctx context.Context, set Set) error {
	all, err := m.Status(ctx, set)
	if err != nil {
		return err
	}
	var newest int64
	for _, one := range all {
		if one.State != Pending {
			newest = max(newest, one.Version)
		}
	}
	for _, one := range all {
		if one.State == Pending && one.Version < newest {
			return fault.New(fault.Conflict, "migrations/out-of-order", fmt.Sprintf("%s is pending, but the newer version %d is applied already", one.Name, newest)).
				WithHint("give the file a number above %d", newest)
		}
	}
	return nil
}

// filled refuses to apply a file that has nothing to apply yet, as `migrate create` makes it, and a version
// to stop at that no file has.
func (m *Migrator) filled(ctx context.Context, set Set, to int64) error {
	all, err := m.Status(ctx, set)
	if err != nil {
		return err
	}
	if to > 0 && !slices.ContainsFunc(all, func(one Migration) bool { return one.Version == to }) {
		return fault.New(fault.NotFound, "migrations/no-version", fmt.Sprintf("no migration has the version %d", to)).WithHint("fraiseql migrate status")
	}
	for _, one := range all {
		if one.State != Pending || to > 0 && one.Version > to || one.source == "" { // code is never empty
			continue
		}
		text, err := m.SQL(ctx, one)
		if err != nil {
			return err
		}
		if blank(text) {
			return fault.New(fault.Invalid, "migrations/empty", one.Name+" has no statement below `-- +goose Up`").
				WithHint("fill it in, or remove the file: once applied, it is never looked at again")
		}
	}
	return nil
}

// present refuses to undo a migration whose file is gone.
func (m *Migrator) present(ctx context.Context, set Set) error {
	all, err := m.Status(ctx, set)
	if err != nil {
		return err
	}
	var newest Migration
	for _, one := range all {
		if one.State != Pending && one.Version > newest.Version {
			newest = one
		}
	}
	if newest.State == Missing {
		return fault.New(fault.NotFound, "migrations/no-file", fmt.Sprintf("version %d is the newest that is applied, but its file is not in %s", newest.Version, m.options.Dir)).
			WithHint("get the file back from where it was removed")
	}
	return nil
}

// blank tells whether SQL has nothing but comments.
func blank(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			return false
		}
	}
	return true
}

// SQL gives what Up would send for a migration: its part between `goose Up` and `goose Down`.
func (m *Migrator) SQL(ctx context.Context, one Migration) (string, error) {
	for _, step := range migrations.Steps {
		if one.Set == System && one.Version == step.Version {
			var text string
			err := m.AsOwner(ctx, func(conn *pgx.Conn) (err error) {
				text, err = step.SQL(ctx, conn)
				return err
			})
			return text, err
		}
	}
	text, err := fs.ReadFile(m.files(one.Set), one.source)
	if err != nil {
		return "", fmt.Errorf("read migration: %w", err)
	}
	_, up, _ := strings.Cut(string(text), "+goose Up")
	up, _, _ = strings.Cut(up, "-- +goose Down")
	var kept strings.Builder
	for line := range strings.Lines(up) {
		if !strings.Contains(line, "-- +goose ") {
			kept.WriteString(line)
		}
	}
	return strings.TrimSpace(kept.String()) + "\n", nil
}

// Prepare does at the start of a server what [migrations] on_start says.
func (m *Migrator) Prepare(ctx context.Context, onStart string, sets ...Set) ([]Step, error) {
	pending, err := m.Pending(ctx, sets...)
	if err != nil || len(pending) == 0 || onStart == "ignore" {
		return nil, err
	}
	if onStart == "refuse" {
		return nil, fault.New(fault.ActionNeeded, "migrations/pending", fmt.Sprintf("%d migrations are pending, the first is %s", len(pending), pending[0].Name)).
			WithHint("fraiseql migrate up")
	}
	return m.Up(ctx, 0, sets...)
}

package deployment

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/fraiseql/fraiseql/migrations"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// Set names a row of migrations.
type Set string

// The sets, in the order in which they are brought up.
const (
	System  Set = "system"
	Project Set = "project"
)

var versionTables = map[Set]string{System: "_system.migrations", Project: "_system.project_migrations"}

// Options say whose database is migrated, and from where.
type Options struct {
	Address string        // of the owner of the tables; a session is needed, so no transaction pooler in between
	Login   string        // the server's own role, which is given its rights in _system; empty when it is the owner
	Dir     string        // the project's folder; it need not be there
	Log     *slog.Logger  // who waits for whom is said here
	Wait    time.Duration // for another process that migrates; 0 is one minute
}

// Migrator looks at migrations and runs them.
type Migrator struct {
	options Options
	db      *sql.DB
	refused refusal
}

// New makes a Migrator. It connects when it is first used; Close ends that.
func New(o Options) (*Migrator, error) {
	if err := config.CheckAddress(o.Address); err != nil {
		return nil, fault.New(fault.Invalid, "database/bad-url", "the address for migrations cannot be used: "+err.Error()).
			WithHint("write it as postgres://user:password@host:5432/database; special characters of a password as %%40 and so on")
	}
	c, err := pgx.ParseConfig(o.Address)
	if err != nil {
		return nil, fault.New(fault.Invalid, "database/bad-url", "the address for migrations cannot be read").
			WithHint("write it as postgres://user:password@host:5432/database")
	}
	if o.Wait == 0 {
		o.Wait = time.Minute
	}
	m := &Migrator{options: o}
	c.RuntimeParams["application_name"] = "fraiseql migrate"
	c.RuntimeParams["timezone"] = "UTC" // version tables keep times without a zone
	c.ConnectTimeout = 5 * time.Second
	c.Tracer = &m.refused
	if c.User == o.Login {
		m.options.Login = ""
	}
	m.db = stdlib.OpenDB(*c, stdlib.OptionAfterConnect(m.watched))
	return m, nil
}

// watched has PostgreSQL end a statement whose process has died: a long one would hold the lock until it
// wants to answer. Servers that cannot (on Windows) refuse the setting, and go on as they would.
func (m *Migrator) watched(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "set client_connection_check_interval = '1s'"); err != nil {
		m.options.Log.Debug("a migration outlives its process until its statement ends", slog.Any("error", err))
		m.refused.forget()
	}
	return ctx.Err()
}

// Close lets go of the database.
func (m *Migrator) Close() error { return m.db.Close() }

// files gives the migrations of a set; none when the project has no folder.
func (m *Migrator) files(set Set) fs.FS {
	if set == System {
		return migrations.Files
	}
	return os.DirFS(m.options.Dir)
}

// name is how people know a migration.
func (m *Migrator) name(set Set, s *goose.Source) string {
	if set == Project {
		return filepath.ToSlash(filepath.Join(filepath.Base(m.options.Dir), s.Path))
	}
	for _, step := range migrations.Steps {
		if s.Path == "" && step.Version == s.Version {
			return "_system/" + step.Name
		}
	}
	return "_system/" + path.Base(s.Path)
}

// provider gives goose over a set; nil when the set is empty.
func (m *Migrator) provider(set Set) (*goose.Provider, error) {
	options := []goose.ProviderOption{goose.WithTableName(versionTables[set]), goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true)}
	if set == System {
		for _, step := range migrations.Steps {
			options = append(options, goose.WithGoMigrations(goose.NewGoMigration(step.Version, code(step.Up), code(step.Down))))
		}
	}
	p, err := goose.NewProvider(goose.DialectPostgres, m.db, m.files(set), options...)
	switch {
	case errors.Is(err, goose.ErrNoMigrations):
		return nil, nil //nolint:nilnil // an empty set is no error and has nothing to run
	case err != nil:
		return nil, fault.Wrap(fault.Invalid, "migrations/unreadable", "the migrations in "+m.options.Dir+" cannot be read", err).
			WithHint("fraiseql migrate validate")
	}
	return p, nil
}

// code has a step run on one connection.
func code(step func(context.Context, *pgx.Conn) error) *goose.GoFunc {
	return &goose.GoFunc{RunDB: func(ctx context.Context, db *sql.DB) error {
		return lend(ctx, db, func(conn *pgx.Conn) error { return step(ctx, conn) })
	}}
}

// Step is a migration that was run.
type Step struct {
	Set     Set           `json:"set"`
	Version int64         `json:"version"`
	Name    string        `json:"name"`
	Down    bool          `json:"down,omitempty"`
	Took    time.Duration `json:"-"`
}

func (m *Migrator) steps(set Set, results []*goose.MigrationResult) []Step {
	steps := make([]Step, 0, len(results))
	for _, r := range results {
		steps = append(steps, Step{Set: set, Version: r.Source.Version, Name: m.name(set, r.Source), Down: r.Direction == "down", Took: r.Duration})
	}
	return steps
}

// Up runs what is pending in the sets, one after the other, as far as the version to; 0 is as far as it goes.
// What was run before a failure stays and is told.
func (m *Migrator) Up(ctx context.Context, to int64, sets ...Set) ([]Step, error) {
	done := []Step{}
	err := m.locked(ctx, func() error {
		for _, set := range sets {
			p, err := m.provider(set)
			if err != nil {
				return err
			}
			if p == nil {
				continue
			}
			if err := m.ordered(ctx, set); err != nil {
				return err
			}
			if err := m.filled(ctx, set, to); err != nil {
				return err
			}
			var results []*goose.MigrationResult
			if to > 0 {
				results, err = p.UpTo(ctx, to)
			} else {
				results, err = p.Up(ctx)
			}
			done = append(done, m.steps(set, results)...)
			if err != nil {
				done = append(done, m.before(set, err)...)
				return m.explain(set, err)
			}
		}
		return m.grant(ctx)
	})
	return done, err
}

// Down undoes the newest migration of a set or, with to >= 0, all above that version.
func (m *Migrator) Down(ctx context.Context, set Set, to int64) ([]Step, error) {
	return m.undo(ctx, set, func(p *goose.Provider) ([]*goose.MigrationResult, error) {
		if to >= 0 {
			return p.DownTo(ctx, to)
		}
		return one(p.Down(ctx))
	})
}

// Redo undoes the newest migration of a set and runs it again.
func (m *Migrator) Redo(ctx context.Context, set Set) ([]Step, error) {
	return m.undo(ctx, set, func(p *goose.Provider) ([]*goose.MigrationResult, error) {
		down, err := one(p.Down(ctx))
		if err != nil {
			return down, err
		}
		up, err := one(p.UpByOne(ctx))
		return append(down, up...), err
	})
}

// undo runs what begins with a step back, alone.
func (m *Migrator) undo(ctx context.Context, set Set, work func(p *goose.Provider) ([]*goose.MigrationResult, error)) ([]Step, error) {
	done := []Step{}
	err := m.locked(ctx, func() error {
		p, err := m.provider(set)
		if err != nil {
			return err
		}
		if p == nil {
			return nothingToUndo(set)
		}
		if err := m.present(ctx, set); err != nil {
			return err
		}
		results, err := work(p)
		done = m.steps(set, results)
		if err != nil {
			done = append(done, m.before(set, err)...)
			return m.explain(set, err)
		}
		return nil
	})
	return done, err
}

// one makes the result of a step a list; of a step that failed there is none.
func one(result *goose.MigrationResult, err error) ([]*goose.MigrationResult, error) {
	if err != nil {
		return nil, err
	}
	return []*goose.MigrationResult{result}, nil
}

func nothingToUndo(set Set) error {
	return fault.New(fault.NotFound, "migrations/nothing-to-undo", "no migration of the "+string(set)+" has been applied")
}

// before gives what had been run when one failed.
func (m *Migrator) before(set Set, err error) []Step {
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		return m.steps(set, partial.Applied)
	}
	return nil
}

// explain says which migration failed, where in its file, and why.
func (m *Migrator) explain(set Set, err error) error {
	var partial *goose.PartialError
	switch {
	case errors.Is(err, goose.ErrNoNextVersion):
		return nothingToUndo(set)
	case errors.As(err, &partial):
		return m.refused.explain(m.files(set), partial.Failed.Source.Path, m.name(set, partial.Failed.Source), partial.Failed.Direction == "down", partial.Err)
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return postgres.Explain(err)
	}
	return fault.Wrap(fault.Invalid, "migrations/failed", "the migrations of the "+string(set)+" could not be run", err).
		WithHint("fraiseql migrate status")
}

// AsOwner lends a connection of the tables' owner.
func (m *Migrator) AsOwner(ctx context.Context, do func(*pgx.Conn) error) error {
	return lend(ctx, m.db, do)
}

func lend(ctx context.Context, db *sql.DB, do func(*pgx.Conn) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return postgres.Explain(err)
	}
	defer func() { _ = conn.Close() }() // it goes back to the others
	return conn.Raw(func(driver any) error { return do(driver.(*stdlib.Conn).Conn()) })
}

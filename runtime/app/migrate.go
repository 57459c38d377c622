package app

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fraiseql/fraiseql/runtime/deployment"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// MigrationsDir is the folder of the project's own migrations.
func (c *RuntimeConfig) MigrationsDir(project string) string {
	dir := "migrations"
	if c.Migrations != nil {
		dir = c.Migrations.Dir
	}
	if filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(project, dir)
}

// openMigrations chooses the owner's address: that of [migrations], else past the pooler, else the server's.
func (a *App) openMigrations(address string, o Options) error {
	owner := address
	secret := a.Config.Database.Direct
	if m := a.Config.Migrations; m != nil && m.URL.Given() {
		secret = m.URL
	}
	if secret.Given() {
		var err error
		if owner, err = secret.Resolve(os.LookupEnv, o.Dir); err != nil {
			return err
		}
	}
	var err error
	a.Migrations, err = deployment.New(deployment.Options{
		Address: owner, Login: a.Pool.Config().ConnConfig.User, Dir: a.Config.MigrationsDir(o.Dir), Log: o.Log,
	})
	return err
}

// migrates tells whether a server looks at migrations: at the project's when there is a table for them, and at the
// program's own on a private database, which nobody else looks after.
func (a *App) migrates() bool { return a.Cluster != nil || a.migratesProject() }

func (a *App) migratesProject() bool { return a.Config.Migrations != nil && a.Config.Migrations.On() }

// checkMigrations tells whether the database is as the project wants it.
func (a *App) checkMigrations(context.Context) error {
	if a.migrated.Load() {
		return nil
	}
	return fault.New(fault.Unavailable, "migrations/at-work", "the migrations of the project have not been looked at yet")
}

// migrate does what [migrations] on_start says, as soon as the database can be reached. Its error ends the
// server: what is wrong with a migration does not mend itself.
func (a *App) migrate(ctx context.Context) error {
	if !a.migrates() {
		return nil
	}
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := a.prepare(ctx)
		switch {
		case err == nil:
			a.migrated.Store(true)
			return nil
		case ctx.Err() != nil:
			return nil //nolint:nilerr // being told to stop is the ordinary end, whatever the last try met
		case fault.KindOf(err) != fault.Unavailable:
			return err
		}
		a.log.Warn("the database cannot be migrated yet; trying again", slog.Any("error", err), slog.Duration("in", wait))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// prepare does it once, and logs what it has run.
func (a *App) prepare(ctx context.Context) error {
	run := func(how string, set deployment.Set) error {
		steps, err := a.Migrations.Prepare(ctx, how, set)
		for _, s := range steps {
			a.log.Info("migrated", slog.String("file", s.Name), slog.Int64("version", s.Version), slog.Duration("took", s.Took))
		}
		return err
	}
	if a.Cluster != nil {
		if err := run("apply", deployment.System); err != nil {
			return err
		}
	}
	if !a.migratesProject() {
		return nil
	}
	return run(a.Config.Migrations.OnStart, deployment.Project)
}

// Try tells whether the program could be served now: it migrates as Run does first, and looks at the database as the API
// would. One that is away says nothing against it: Run waits for it.
func (a *App) Try(ctx context.Context) error {
	var err error
	if a.migrates() {
		err = a.prepare(ctx)
	}
	if err == nil && a.GraphQL != nil {
		err = a.GraphQL.Load(ctx)
	}
	if told, known := fault.As(err); known && told.Kind != fault.Unavailable {
		return err
	}
	return nil
}

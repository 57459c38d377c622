package app

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/auth"
	"github.com/fraiseql/fraiseql/runtime/deployment"
	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/resolve"
	"github.com/fraiseql/fraiseql/runtime/graphql/trusted"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
	"github.com/fraiseql/fraiseql/runtime/jobs"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/embedded"
	"github.com/fraiseql/fraiseql/runtime/redis"
	"github.com/fraiseql/fraiseql/runtime/status"
)

// Options are the choices of a run that do not stand in the configuration.
type Options struct {
	Log *slog.Logger
	Dir string // the project's folder: the private cluster lives below it
	Dev bool   // introspection, the playground, a quick look for schema changes

	Version       string // of the program
	Serve         bool   // it is a server that is opened, not a command
	PausedEffects bool   // changes are captured, and nothing is done about them: observers and jobs wait

	Load string // SQL that fills a private database that is still empty: the demo's

	Resolvers []resolve.Field         // fields of the API whose values code of a program of one's own gives
	Jobs      map[string]jobs.Handler // by kind: what works jobs in a program of one's own
}

// App is the program with its features built. A feature that is off is nil.
type App struct {
	Config  *RuntimeConfig
	Cluster *embedded.Cluster // nil when the database is somebody else's
	Pool    *pgxpool.Pool
	// Replicas are the standbys that queries are read from.
	Replicas []graphql.Replica
	Auth     *auth.Service
	GraphQL  *graphql.Service
	Reaction *reaction // nil when nothing hears of changes
	Jobs     *work     // nil without [jobs]

	background *background // nil when nothing works beside requests

	redis *redis.Client // of [graphql.persisted]; nil without

	// Migrations is there without a table [migrations], too: for the commands. A server uses it with the table only.
	Migrations *deployment.Migrator

	log      *slog.Logger
	dev      bool
	serves   bool
	paused   bool // effects
	version  string
	started  time.Time
	admin    *httpapi.Admin
	migrated atomic.Bool // what [migrations] on_start says has been done
}

// Open builds what the configuration asks for. It starts no loop and no listener; with a database of
// one's own it does not wait for that either. Close ends what Open began.
func Open(ctx context.Context, c *RuntimeConfig, o Options) (*App, error) {
	a := &App{Config: c, log: o.Log, dev: o.Dev, serves: o.Serve, paused: o.PausedEffects, version: o.Version, started: time.Now()}
	if err := a.build(ctx, o); err != nil {
		a.Close(ctx)
		return nil, err
	}
	return a, nil
}

// build makes the features, bottom floor first.
func (a *App) build(ctx context.Context, o Options) error {
	address, err := a.address(ctx, o)
	if err != nil {
		return err
	}
	if a.Pool, err = a.connect(ctx, address, a.Config.Database.Shared()); err != nil {
		return err
	}
	if err := a.openReplicas(ctx, o); err != nil {
		return err
	}
	if err := a.openMigrations(address, o); err != nil {
		return err
	}
	if err := a.openBackground(ctx, address, o); err != nil {
		return err
	}
	if err := a.openJobs(ctx, address, o); err != nil {
		return err
	}
	if err := a.openReaction(o); err != nil {
		return err
	}
	if a.Cluster != nil && o.Load != "" {
		if err := a.fill(ctx, o.Load); err != nil {
			return err
		}
	}
	if c := a.Config.Auth; c != nil && c.On() {
		if a.Auth, err = auth.New(*c, auth.Deps{Dir: o.Dir}); err != nil {
			return err
		}
	}
	if a.admin, err = a.openAdmin(o); err != nil {
		return err
	}
	return a.openGraphQL(o)
}

// openGraphQL makes the API, with what stands in files.
func (a *App) openGraphQL(o Options) error {
	c := a.Config
	if c.GraphQL.Enabled != nil && !*c.GraphQL.Enabled {
		return nil
	}
	declared, err := c.GraphQL.ReadSchemaFiles(o.Dir)
	if err != nil {
		return err
	}
	var documents *trusted.Documents
	if dir := c.GraphQL.DocumentsDir(o.Dir); dir != "" {
		if documents, err = trusted.Read(dir); err != nil {
			return err
		}
	}
	texts, err := a.sharedTexts(o)
	if err != nil {
		return err
	}
	a.GraphQL = graphql.New(c.GraphQL, graphql.Deps{
		Pool: a.Pool, Connections: c.Database.PoolSize - c.Database.Shared(), Log: o.Log, Schemas: c.Database.Schemas, Declared: declared, Dev: o.Dev,
		Unnamed: c.Database.Pooler == "transaction", BodyLimit: int64(c.Server.Limits.MaxRequestSize),
		Timeout: c.Database.StatementTimeout, Documents: documents, Texts: texts, Resolvers: o.Resolvers, Replicas: a.Replicas,
		Committed: a.committed, Changed: a.changed, Feed: a.feed(),
	})
	return nil
}

// sharedTexts gives where servers share what clients register; nil where they do not.
func (a *App) sharedTexts(o Options) (graphql.SharedTexts, error) {
	p := a.Config.GraphQL.Persisted
	if p == nil || !p.On() || !p.RedisURL.Given() {
		return nil, nil //nolint:nilnil // none is a valid answer
	}
	address, err := p.RedisURL.Resolve(os.LookupEnv, o.Dir)
	if err != nil {
		return nil, err
	}
	if a.redis, err = redis.New(address, o.Log); err != nil {
		return nil, err
	}
	return a.redis, nil
}

// connect makes a pool for one of the servers that hold the data.
func (a *App) connect(ctx context.Context, address string, size int) (*pgxpool.Pool, error) {
	return postgres.Connect(ctx, address, a.poolOptions(size))
}

func (a *App) poolOptions(size int) postgres.PoolOptions {
	db := a.Config.Database
	return postgres.PoolOptions{
		Size: size, ConnectTimeout: db.ConnectTimeout, Pooler: db.Pooler == "transaction", MaxMessage: int(a.Config.GraphQL.Limits.Response),
	}
}

// PrivateDir is the folder of a project's private cluster.
func PrivateDir(project string) string { return filepath.Join(project, ".fraiseql", "postgres") }

// HasPrivate tells whether a project has a private cluster already.
func HasPrivate(project string) bool {
	_, err := os.Stat(PrivateDir(project))
	return err == nil
}

// Private tells whether the project's database is a private one: none is configured.
func (c *RuntimeConfig) Private() bool { return c.Database.URL == "" && !c.Database.URLFrom.Given() }

// address gives the database's address, starting the private cluster when there is none.
func (a *App) address(ctx context.Context, o Options) (string, error) {
	db := a.Config.Database
	if db.URL != "" {
		return db.URL, nil
	}
	if db.URLFrom.Given() {
		return db.URLFrom.Resolve(os.LookupEnv, o.Dir)
	}
	cluster, err := embedded.Start(ctx, embedded.Options{
		Dir: PrivateDir(o.Dir), Log: o.Log, Repository: db.Repository,
	})
	if err != nil {
		return "", err
	}
	a.Cluster = cluster
	return cluster.URL(embedded.Database), nil
}

// fill runs a script in one transaction on a database without tables; one that has any is left alone.
func (a *App) fill(ctx context.Context, script string) error {
	var empty bool
	err := a.Pool.QueryRow(ctx, "select not exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace "+
		"where n.nspname = any($1) and c.relkind in ('r', 'p', 'v'))", a.Config.Database.Schemas).Scan(&empty)
	if err != nil || !empty {
		return err
	}
	conn, err := a.Pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	_, err = conn.Conn().PgConn().Exec(ctx, "begin;"+script+";commit;").ReadAll()
	return err
}

// Close lets go of the database; the private cluster ends with its last user.
func (a *App) Close(ctx context.Context) {
	if a.Migrations != nil {
		if err := a.Migrations.Close(); err != nil {
			a.log.Debug("the connection of migrations did not close in order", slog.Any("error", err))
		}
	}
	if a.GraphQL != nil {
		a.GraphQL.Close()
	}
	if a.redis != nil {
		a.redis.Close()
	}
	pools := []*pgxpool.Pool{a.Pool}
	if a.Jobs != nil {
		a.Jobs.close()
		pools = append(pools, a.Jobs.pool)
	}
	if a.Reaction != nil {
		a.Reaction.close()
	}
	if a.background != nil {
		a.background.close()
		pools = append(pools, a.background.pools()...)
	}
	for _, r := range a.Replicas {
		pools = append(pools, r.Pool)
	}
	postgres.Close(pools...)
	if a.Cluster != nil {
		if err := a.Cluster.Stop(ctx); err != nil {
			a.log.Warn("the private database did not end in time", slog.Any("error", err))
		}
	}
}

// routes gathers the routes of the features that are on.
func (a *App) routes() *http.ServeMux {
	mux := http.NewServeMux()
	if a.GraphQL != nil {
		a.GraphQL.Routes(mux)
	}
	if a.Reaction != nil {
		a.Reaction.Events.Routes(mux, a.admin)
		a.Reaction.Observers.Routes(mux, a.admin)
	}
	if a.Jobs != nil {
		a.Jobs.Routes(mux, a.admin)
	}
	status.Routes(mux, a.admin, a.sections())
	return mux
}

// identify is what requests go through before a feature has them.
func (a *App) identify(next http.Handler) http.Handler {
	otherwise := next
	if a.Auth != nil {
		otherwise = a.Auth.Identify(next)
	}
	return a.admin.Identify(otherwise, next)
}

// checks gathers what must be well for requests to be answered.
func (a *App) checks() []httpapi.Check {
	var checks []httpapi.Check
	if a.migrates() {
		checks = append(checks, httpapi.Check{Name: "migrations", Run: a.checkMigrations})
	}
	if a.GraphQL != nil {
		checks = append(checks, httpapi.Check{Name: "database", Run: a.GraphQL.Check})
	}
	if a.Reaction != nil {
		checks = append(checks, httpapi.Check{Name: "events", Run: a.checkReaction})
	}
	if a.Jobs != nil {
		checks = append(checks, httpapi.Check{Name: "jobs", Run: a.checkJobs})
	}
	return checks
}

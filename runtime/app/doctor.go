package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/deployment"
	"github.com/fraiseql/fraiseql/runtime/deployment/doctor"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// Doctor asks everything that can be asked about the project in a folder.
func (a *App) Doctor(ctx context.Context, project string) []doctor.Finding {
	database := doctor.Database{
		Pool: a.Pool, Schemas: a.Config.Database.Schemas, Roles: a.roles(), PoolSize: a.Config.Database.PoolSize, Private: a.Cluster != nil,
	}
	if a.background != nil {
		database.Beside = leaseConnections + a.Config.workConnections()
	}
	if a.Config.subscribes() {
		database.Beside += feedConnections
	}
	if a.Jobs != nil {
		database.Beside += jobConnections
	}
	checks := append(database.Checks(), a.Migrations.Check(a.Config.Migrations, deployment.System, deployment.Project))
	if len(a.Replicas) > 0 {
		checks = append(checks, doctor.Check{Name: "replicas", Run: a.checkReplicas})
	}
	if a.GraphQL != nil {
		checks = append(checks, doctor.Check{Name: "graphql", Run: a.checkGraphQL}, doctor.Check{Name: "requests", Run: a.checkRequests})
	}
	if a.Reaction != nil {
		checks = append(checks, doctor.Check{Name: "events", Run: a.checkEvents})
	}
	if a.Jobs != nil {
		checks = append(checks, doctor.Check{Name: "jobs", Run: a.doctorJobs})
	}
	if a.redis != nil {
		checks = append(checks, doctor.Check{Name: "redis", Run: a.checkRedis})
	}
	if a.Cluster != nil {
		checks = append(checks, doctor.Disk("the private cluster's disk", a.Cluster.Dir))
	} else {
		checks = append(checks, doctor.Disk("the project's disk", project))
	}
	return doctor.Run(ctx, database.Reach(), checks...)
}

// checkGraphQL builds the schema and tells what had to be left out of it.
func (a *App) checkGraphQL(ctx context.Context, found *doctor.Findings) {
	if err := a.GraphQL.Load(ctx); err != nil {
		if told, known := fault.As(err); known {
			found.Fault(told)
		} else {
			found.Fault(postgres.Explain(err))
		}
		return
	}
	s := a.GraphQL.AnySchema()
	for _, w := range a.GraphQL.Warnings() {
		found.Warn(w.Subject+": "+w.Message, w.Hint)
	}
	if open := a.GraphQL.Unguarded(); len(open) > 0 {
		found.Warn("roles of the API may read tables without row security, every row of them: "+strings.Join(open, ", "), "alter table "+open[0]+" enable row level security; with a policy for each role")
	}
	if len(s.Objects) == 0 {
		return
	}
	found.OK(fmt.Sprintf("%d types from %d tables and views", len(s.Objects), len(s.Catalog.Tables)))
}

// checkRequests tells what servers have noted of requests that are slow.
func (a *App) checkRequests(ctx context.Context, found *doctor.Findings) {
	notes, none, err := a.GraphQL.Findings(ctx)
	switch {
	case err != nil:
		found.Fault(postgres.Explain(err))
		return
	case none:
		found.Skip("servers keep nothing of slow requests, and only log it: `fraiseql migrate up` makes the table, and lets the login use it")
		return
	case len(notes) == 0:
		found.OK("servers have noted no slow requests in the last week")
	}
	for _, n := range notes {
		message := fmt.Sprintf("%s (seen %s, last on %s)", n.Message, times(n.Seen), n.Last.Format("2006-01-02 15:04"))
		if n.Index != nil {
			found.NoIndex(message, n.Fix)
		} else {
			found.Warn(message, n.Fix)
		}
	}
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// checkRedis asks the Redis by which servers share what clients register.
func (a *App) checkRedis(ctx context.Context, found *doctor.Findings) {
	if err := a.redis.Check(ctx, a.Config.GraphQL.Persisted.Prefix+"doctor"); err != nil {
		found.Warn("servers cannot share what clients register, and go on without: "+err.Error(), "start Redis 6.2 or newer, correct [graphql.persisted] redis_url_env, or let the user SET and GETEX")
		return
	}
	found.OK("servers share what clients register")
}

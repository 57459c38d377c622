package app

import (
	"os"

	"github.com/fraiseql/fraiseql/runtime/auth"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/config/planned"
	"github.com/fraiseql/fraiseql/runtime/deployment"
	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
	"github.com/fraiseql/fraiseql/runtime/jobs"
	"github.com/fraiseql/fraiseql/runtime/observability"
	"github.com/fraiseql/fraiseql/runtime/observers"
	"github.com/fraiseql/fraiseql/runtime/outbound"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/templates"
)

// RuntimeConfig is the whole file: one field a table. A table that is not there switches its feature off.
// Those tagged planned are judged by their rules already, but a server does not start with them.
type RuntimeConfig struct {
	Version       int                  `toml:"version" min:"1" max:"1" doc:"Version of this file's format."`
	Server        httpapi.Config       `toml:"server" doc:"Where and how the server listens."`
	Database      postgres.Config      `toml:"database" doc:"The database that the API shows."`
	Lifecycle     httpapi.Lifecycle    `toml:"lifecycle" doc:"How the server starts and ends."`
	GraphQL       graphql.Config       `toml:"graphql" doc:"The GraphQL API."`
	Observability observability.Config `toml:"observability" doc:"What the program tells of itself."`

	Auth       *auth.Config       `toml:"auth" doc:"Who is asking."`
	Migrations *deployment.Config `toml:"migrations" doc:"The project's own changes of the database."`

	Events    *events.Config    `toml:"events" doc:"How changes of rows are captured and kept."`
	Observers *observers.Config `toml:"observers" doc:"What happens after which change, by name."`
	Jobs      *jobs.Config      `toml:"jobs" doc:"The durable queue."`
	Outbound  *outbound.Config  `toml:"outbound" doc:"How this program calls others."`

	Notifications *planned.Notifications `toml:"notifications" doc:"The channels that messages leave by."`
	Templates     *templates.Config      `toml:"templates" doc:"The texts of messages."`
	Search        *planned.Search        `toml:"search" planned:"true" doc:"Full-text search."`
	Cache         *planned.Cache         `toml:"cache" planned:"true" doc:"Answers that are kept until what they show changes."`
	Interceptors  *planned.Interceptors  `toml:"interceptors" planned:"true" doc:"Code of your own in the way of a request, by name."`
	Webhooks      *planned.Webhooks      `toml:"webhooks" planned:"true" doc:"Calls of others that are taken, by name."`
	Files         *planned.Files         `toml:"files" planned:"true" doc:"Uploads, by name."`
	Storage       *planned.Storage       `toml:"storage" planned:"true" doc:"Where files lie, by name."`
}

// Load reads the configuration. When it is o.Live, as for a server, what is only a warning otherwise is an error
// where the server could not do its work.
func Load(o config.Options) (*RuntimeConfig, *config.File, diag.List) {
	c := &RuntimeConfig{}
	file, problems := config.Load(c, o)
	if o.Env == nil {
		problems = append(problems, config.MisspeltVariables(c, os.Environ())...)
		problems.Sort()
	}
	return c, file, problems
}

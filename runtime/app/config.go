package app

import (
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
	"github.com/fraiseql/fraiseql/runtime/observability"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// RuntimeConfig is the whole file: one field a table. A table that is not there switches its feature off.
type RuntimeConfig struct {
	Version       int                  `toml:"version" min:"1" max:"1" doc:"Version of this file's format."`
	Server        httpapi.Config       `toml:"server" doc:"Where and how the server listens."`
	Database      postgres.Config      `toml:"database" doc:"The database that the API shows."`
	Lifecycle     httpapi.Lifecycle    `toml:"lifecycle" doc:"How the server starts and ends."`
	GraphQL       graphql.Config       `toml:"graphql" doc:"The GraphQL API."`
	Observability observability.Config `toml:"observability" doc:"What the program tells of itself."`

	Planned
}

// Planned are the tables of features that the contract names and that are not built yet. They are
// read, so that a file written for them stays valid, and reported; a server does not start with them.
type Planned struct {
	Auth          map[string]any `toml:"auth"`
	Events        map[string]any `toml:"events"`
	Observers     map[string]any `toml:"observers"`
	Notifications map[string]any `toml:"notifications"`
	Templates     map[string]any `toml:"templates"`
	Search        map[string]any `toml:"search"`
	Cache         map[string]any `toml:"cache"`
	Jobs          map[string]any `toml:"jobs"`
	Interceptors  map[string]any `toml:"interceptors"`
	Webhooks      map[string]any `toml:"webhooks"`
	Files         map[string]any `toml:"files"`
	Storage       map[string]any `toml:"storage"`
	Migrations    map[string]any `toml:"migrations"`
	Outbound      map[string]any `toml:"outbound"`
}

// Check reports each table that is there although its feature is not.
func (p *Planned) Check(r *config.Report) {
	for name, table := range map[string]map[string]any{
		"auth": p.Auth, "events": p.Events, "observers": p.Observers, "notifications": p.Notifications, "templates": p.Templates,
		"search": p.Search, "cache": p.Cache, "jobs": p.Jobs, "interceptors": p.Interceptors, "webhooks": p.Webhooks,
		"files": p.Files, "storage": p.Storage, "migrations": p.Migrations, "outbound": p.Outbound,
	} {
		if table != nil {
			r.Need(name, "config/not-built", "this version cannot do what ["+name+"] asks for yet", "")
		}
	}
}

// Load reads the configuration. With live, as for a server, what is only a warning otherwise is an error
// where the server could not do its work.
func Load(o config.Options) (*RuntimeConfig, *config.File, diag.List) {
	c := &RuntimeConfig{}
	file, problems := config.Load(c, o)
	return c, file, problems
}

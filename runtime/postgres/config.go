package postgres

import (
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// Config is the table [database].
type Config struct {
	URL              string        `toml:"url" secret:"true" form:"database" doc:"Address of the database, postgres://user:password@host:5432/name. Without one, a private server is run."`
	URLFrom          config.Secret `toml:"url" doc:"Where the address is when it is not in the file."`
	Direct           config.Secret `toml:"direct_url" doc:"Address past the pooler, for migrations and whatever needs a session."`
	Pooler           string        `toml:"pooler" default:"none" enum:"none,transaction" doc:"Whether a transaction pooler such as PgBouncer stands in between."`
	Embedded         *bool         `toml:"embedded" doc:"Run a private server. Default: when no address is given."`
	Repository       string        `toml:"embedded_repository" default:"https://repo1.maven.org/maven2" form:"url" doc:"Where the private server's programs are downloaded from when this machine has none: a Maven repository with the builds of zonkyio/embedded-postgres-binaries."`
	PoolSize         int           `toml:"pool_size" default:"20" min:"3" max:"1000" doc:"Connections of one server process: most of them for requests, each with an owner, some shared by all else. What hears of changes takes 7 more."`
	ConnectTimeout   time.Duration `toml:"connect_timeout" default:"5s" min:"100ms" doc:"How long one connection may take to open."`
	StatementTimeout time.Duration `toml:"statement_timeout" default:"30s" min:"10ms" doc:"How long the statements of one request may take."`
	Schemas          []string      `toml:"schemas" default:"public" doc:"Schemas that the API shows, in order of precedence."`
	Replicas         []Replica     `toml:"replicas" doc:"Standbys that queries are read from: database.md."`
}

// Shared is how many of the connections are in a pool for what is no request; the others serve requests.
func (c *Config) Shared() int { return max(1, min(2, c.PoolSize/4)) }

// Replica is one entry of [[database.replicas]].
type Replica struct {
	URL     string        `toml:"url" secret:"true" form:"database" doc:"Its address."`
	URLFrom config.Secret `toml:"url" doc:"Where the address is when it is not in the file."`
	Weight  int           `toml:"weight" default:"1" min:"0" max:"1000" doc:"Its share of the queries; 0 is none."`
	MaxLag  time.Duration `toml:"max_lag" default:"10s" min:"1s" max:"1h" doc:"How far it may be behind the primary, and still get queries."`
}

// Check wants an address.
func (c *Replica) Check(r *config.Report) {
	if c.URL == "" && !c.URLFrom.Given() && !r.Reported("url") {
		r.Error("", "config/missing-key", "a replica needs `url_env`", `url_env = "REPLICA_URL"`)
	}
}

// ownerOf names the program whose insides a schema holds; empty for a schema of the user's.
func ownerOf(schema string) string {
	switch {
	case schema == "_system":
		return "fraiseql"
	case schema == "information_schema", strings.HasPrefix(schema, "pg_"):
		return "PostgreSQL"
	}
	return ""
}

// Check reports keys that contradict each other.
func (c *Config) Check(r *config.Report) {
	given := c.URL != "" || c.URLFrom.Given()
	if c.Embedded != nil && *c.Embedded && given {
		r.Error("embedded", "config/two-sources", "`embedded = true` runs a private server, but there is an address of another one", "remove one of the two")
	}
	if c.Embedded != nil && !*c.Embedded && !given {
		r.Error("embedded", "config/no-database", "`embedded = false`, but no address of a database is given", `url_env = "DATABASE_URL"`)
	}
	if len(c.Replicas) > 0 && !given && !r.Reported("url") {
		r.Error("replicas", "config/contradiction", "a private server has no replicas, and no address of another one is given", `url_env = "DATABASE_URL"`)
	}
	if len(c.Schemas) == 0 && !r.Reported("schemas") {
		r.Error("schemas", "config/empty", "without schemas there is nothing to show", `schemas = ["public"]`)
	}
	for _, schema := range c.Schemas {
		if owner := ownerOf(schema); owner != "" {
			r.Error("schemas", "config/reserved-schema", "the schema `"+schema+"` is "+owner+"'s own and is never shown", `schemas = ["public"]`)
		}
	}
	if c.Pooler == "transaction" && !c.Direct.Given() {
		r.Warn("pooler", "config/no-direct-url", "behind a transaction pooler migrations need an address of their own", `direct_url_env = "DIRECT_DATABASE_URL"`)
	}
}

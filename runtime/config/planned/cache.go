package planned

import (
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// Cache is the table [cache]: answers that are kept until what they show changes.
type Cache struct {
	config.Switch
	Backend  string        `toml:"backend" default:"memory" enum:"memory,redis" doc:"Where answers are kept; redis adds a second tier that servers share."`
	RedisURL config.Secret `toml:"redis_url" doc:"redis: its address."`
	Prefix   string        `toml:"prefix" default:"fraiseql:cache:" doc:"redis: what its keys begin with."`
	Size     config.Bytes  `toml:"size" default:"128MB" min:"1MB" doc:"Memory that it may take."`
	MaxBody  config.Bytes  `toml:"max_body" default:"1MB" min:"1KB" doc:"Answers above it are not kept."`
	TTL      time.Duration `toml:"ttl" default:"1m" min:"1s" doc:"How long an answer is kept at most."`
	MaxLag   time.Duration `toml:"max_lag" default:"500ms" min:"10ms" doc:"How late another writer's commit may show; when events lag more, the cache is passed by."`
	Stale    time.Duration `toml:"stale_while_revalidate" default:"0s" doc:"How long after its time an unchanged answer is still given while a new one is made."`
	Warm     Warm          `toml:"warm" doc:"What is filled in at start."`
	Rules    []CacheRule   `toml:"rules" doc:"What is kept otherwise; the first rule that fits holds."`
}

// Check wants an address for Redis.
func (c *Cache) Check(r *config.Report) {
	if c.Backend == "redis" && !c.RedisURL.Given() {
		r.Error("backend", "config/missing-key", "a cache in Redis needs `redis_url_env`", `redis_url_env = "REDIS_URL"`)
	}
	if c.MaxBody > c.Size {
		r.Error("max_body", "config/out-of-range", "`max_body` is more than `size`, the whole cache", "")
	}
}

// Warm is the table [cache.warm].
type Warm struct {
	config.Switch
	Top         int `toml:"top" default:"100" min:"1" max:"100000" doc:"The most used answers are made again."`
	Concurrency int `toml:"concurrency" default:"2" min:"1" max:"100" doc:"How many at once."`
}

// CacheRule is one entry of [[cache.rules]].
type CacheRule struct {
	config.Switch
	Entity []string      `toml:"entity" doc:"Types that it is about."`
	Query  []string      `toml:"query" doc:"Root fields that it is about."`
	Role   []string      `toml:"role" doc:"Roles that it is about."`
	Scope  string        `toml:"scope" default:"role" enum:"public,role,principal" doc:"Who shares an answer."`
	TTL    time.Duration `toml:"ttl" default:"1m" min:"0s" doc:"How long an answer is kept; 0s keeps none."`
	Tags   []string      `toml:"tags" doc:"Words to purge it by."`
}

// Check wants a rule to be about something.
func (c *CacheRule) Check(r *config.Report) {
	if len(c.Entity)+len(c.Query)+len(c.Role) == 0 {
		r.Error("", "config/missing-key", "a rule needs `entity`, `query` or `role`", `entity = "User"`)
	}
}

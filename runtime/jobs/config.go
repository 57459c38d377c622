package jobs

import (
	"time"
	_ "time/tzdata" // zones are judged alike on every machine

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/outbound"
	"github.com/fraiseql/fraiseql/runtime/retry"
)

// DefaultQueue is the queue that is always there.
const DefaultQueue = "default"

// Config is the table [jobs]: the durable queue.
type Config struct {
	config.Switch
	Backend       string              `toml:"backend" default:"postgres" enum:"postgres,redis" doc:"Where jobs wait."`
	RedisURL      config.Secret       `toml:"redis_url" doc:"redis: its address, redis://user:password@host:6379/0. One Redis, not a cluster, and a number of it for this database alone."`
	Concurrency   int                 `toml:"concurrency" default:"10" min:"0" max:"10000" doc:"Jobs of a queue at work at once in one server, unless the queue says otherwise; 0 takes none."`
	PollInterval  time.Duration       `toml:"poll_interval" default:"500ms" min:"50ms" max:"1m" doc:"Longest wait between two looks for jobs that nobody told of, such as those of _system.enqueue."`
	Timeout       time.Duration       `toml:"timeout" default:"1m" min:"10ms" doc:"How long a try may take, unless its kind says otherwise."`
	Retention     time.Duration       `toml:"retention" default:"7d" min:"1m" doc:"How long jobs are kept that are over."`
	Retry         *retry.Policy       `toml:"retry" doc:"How a job that fails is tried again, unless its kind says otherwise."`
	ExternalKinds []string            `toml:"external_kinds" doc:"Kinds that other programs work."`
	AllowCommands bool                `toml:"allow_commands" doc:"Whether handlers may be programs of this machine."`
	Queues        map[string]Bound    `toml:"queues" doc:"Queues by name; default is always there."`
	Schedules     map[string]Schedule `toml:"schedules" doc:"What is enqueued again and again, by name."`
	Handlers      map[string]Rule     `toml:"handlers" doc:"What is done with a kind of job, by kind."`
}

// Check wants an address for Redis, names that fit into routes, and programs only where they are allowed.
func (c *Config) Check(r *config.Report) {
	if c.Backend == "redis" && !c.RedisURL.Given() {
		r.Error("backend", "config/missing-key", "jobs in Redis need `redis_url_env`", `redis_url_env = "REDIS_URL"`)
	}
	for name := range c.Queues {
		if !queueForm.MatchString(name) || len(name) > 63 {
			r.At("queues").Item(name).Error("", "config/bad-name", "`"+name+"` cannot be a queue", "use small letters and digits, with `_` and `-` between them, at most 63")
		}
	}
	config.CheckNames(r.At("schedules"), c.Schedules, "/jobs/schedules")
	for kind, h := range c.Handlers {
		at := r.At("handlers").Item(kind)
		if !kindForm.MatchString(kind) {
			at.Error("", "config/bad-name", "`"+kind+"` cannot be a kind of job", "use letters, digits, `_`, `-`, `.` and `:`, 2 to 127")
		}
		if h.Type == "command" && !c.AllowCommands {
			at.Error("type", "config/not-allowed", "handlers that are programs are not allowed", "allow_commands = true, in [jobs]")
		}
	}
}

// Bound is the table [jobs.queues.NAME].
type Bound struct {
	config.Switch
	Concurrency *int   `toml:"concurrency" min:"0" max:"10000" doc:"Jobs of it at work at once in one server. Default: that of [jobs]."`
	Global      int    `toml:"global_concurrency" default:"0" min:"0" doc:"Jobs of it at work at once on all servers; 0 is no bound."`
	RateLimit   string `toml:"rate_limit" form:"rate" doc:"Jobs that may begin in a time, on all servers."`
}

// Schedule is the table [jobs.schedules.NAME].
type Schedule struct {
	config.Switch
	Cron     string         `toml:"cron" form:"cron" doc:"When: minute hour day month weekday."`
	Every    time.Duration  `toml:"every" default:"0s" doc:"How often, in place of cron."`
	Timezone string         `toml:"timezone" default:"UTC" doc:"The zone that cron means."`
	Kind     string         `toml:"kind" doc:"The kind of job."`
	Args     map[string]any `toml:"args" doc:"Its arguments."`
	Queue    string         `toml:"queue" doc:"Its queue. Default: that of the kind."`
	CatchUp  string         `toml:"catch_up" default:"one" enum:"none,one,all" doc:"What follows times at which no server ran."`
}

// Check wants one way to say when.
func (s *Schedule) Check(r *config.Report) {
	switch {
	case r.Given("cron") && r.Given("every"):
		r.Error("every", "config/two-sources", "`cron` and `every` both say when", "keep one of the two")
	case !r.Given("cron") && !r.Given("every") && !r.Reported("cron") && !r.Reported("every"):
		r.Error("", "config/missing-key", "a schedule needs `cron` or `every`", `cron = "0 3 * * *"`)
	case r.Given("every") && s.Every < time.Second:
		r.Error("every", "config/out-of-range", "`every` must be at least 1s", `every = "1s"`)
	}
	if s.Kind == "" && !r.Reported("kind") {
		r.Error("", "config/missing-key", "a schedule needs `kind`", config.Example("kind"))
	}
	if _, err := time.LoadLocation(s.Timezone); err != nil || s.Timezone == "Local" {
		r.Error("timezone", "config/bad-value", "there is no time zone `"+s.Timezone+"`", `timezone = "Europe/Paris"`)
	}
}

// Rule is the table [jobs.handlers.KIND].
type Rule struct {
	config.Switch
	Type     string            `toml:"type" enum:"http,function,sql,command,notification,wasm,lua" doc:"What does the work."`
	URL      string            `toml:"url" form:"url" doc:"http: where the arguments go."`
	URLFrom  config.Secret     `toml:"url" doc:"http: where the address is when it is not in the file."`
	Secret   config.Secret     `toml:"secret" doc:"http: the key that signs."`
	Method   string            `toml:"method" default:"POST" enum:"POST,PUT,PATCH,DELETE,GET" doc:"http: the method."`
	Headers  map[string]string `toml:"headers" doc:"http: further headers."`
	Function string            `toml:"function" doc:"function: a function of the database, called with the arguments as jsonb."`
	SQL      string            `toml:"sql" doc:"sql: a statement; $1 in it is the arguments as jsonb."`
	Command  []string          `toml:"command" doc:"command: a program and its arguments; it reads those of the job as JSON."`
	PassEnv  []string          `toml:"pass_env" doc:"command: variables that the program is given beside PATH, HOME and LANG."`
	Channel  string            `toml:"channel" enum:"email,sms,push,slack,discord,telegram,webhook" doc:"notification: how it is sent."`
	Template string            `toml:"template" doc:"notification: the template's name."`
	Source   string            `toml:"source" doc:"wasm, lua: the module or script."`
	Queue    string            `toml:"queue" default:"default" doc:"The queue of its jobs, unless they name one."`
	Timeout  *time.Duration    `toml:"timeout" min:"10ms" doc:"How long a try may take. Default: that of [jobs]."`
	Retry    *retry.Policy     `toml:"retry" doc:"How one that fails is tried again. Default: that of [jobs]."`
}

var handlerRules = map[string]config.Kind{
	"http":         {Needs: []string{"url"}, Takes: []string{"secret", "method", "headers"}},
	"function":     {Needs: []string{"function"}},
	"sql":          {Needs: []string{"sql"}},
	"command":      {Needs: []string{"command"}, Takes: []string{"pass_env"}},
	"notification": {Needs: []string{"channel", "template"}},
	"wasm":         {Needs: []string{"source"}},
	"lua":          {Needs: []string{"source"}},
}

// Check wants the keys of the handler's type.
func (h *Rule) Check(r *config.Report) {
	if r.Reported("type") {
		return
	}
	if h.Type == "" {
		r.Error("", "config/missing-key", "a handler needs `type`", `type = "http"`)
		return
	}
	handlerRules[h.Type].Check(r, "a handler of type "+h.Type, handlerRules)
	if makers[h.Type] == nil {
		r.Need("type", "config/not-built", "this version has no handlers of type "+h.Type+" yet", "")
	}
	if h.Type == "http" {
		outbound.CheckSecret(r, "secret", h.Secret)
	}
	if h.Source != "" && !r.File(h.Source) {
		r.Need("source", "config/missing-file", "the file `"+h.Source+"` is not there", "")
	}
}

package planned

import (
	"time"
	_ "time/tzdata" // zones are judged alike on every machine

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/retry"
)

// DefaultQueue is the queue that is always there.
const DefaultQueue = "default"

// Jobs is the table [jobs]: the durable queue.
type Jobs struct {
	config.Switch
	Backend      string              `toml:"backend" default:"postgres" enum:"postgres,redis" doc:"Where jobs wait."`
	RedisURL     config.Secret       `toml:"redis_url" doc:"redis: its address."`
	Concurrency  int                 `toml:"concurrency" default:"10" min:"0" max:"10000" doc:"Jobs at work at once in one server; 0 takes none."`
	PollInterval time.Duration       `toml:"poll_interval" default:"500ms" min:"10ms" doc:"Longest wait between two looks for jobs."`
	Timeout      time.Duration       `toml:"timeout" default:"1m" min:"10ms" doc:"How long a job may take."`
	Retention    time.Duration       `toml:"retention" default:"7d" min:"1m" doc:"How long finished jobs are kept."`
	Retry        retry.Policy        `toml:"retry" doc:"How a job that fails is tried again."`
	Queues       map[string]Queue    `toml:"queues" doc:"Queues by name; default is always there."`
	Schedules    map[string]Schedule `toml:"schedules" doc:"What is enqueued again and again, by name."`
	Handlers     map[string]Handler  `toml:"handlers" doc:"What is done with a kind of job, by kind."`
}

// Check wants an address for Redis and names that fit into routes.
func (j *Jobs) Check(r *config.Report) {
	if j.Backend == "redis" && !j.RedisURL.Given() {
		r.Error("backend", "config/missing-key", "jobs in Redis need `redis_url_env`", `redis_url_env = "REDIS_URL"`)
	}
	config.CheckNames(r.At("queues"), j.Queues, "/jobs/queues")
	config.CheckNames(r.At("schedules"), j.Schedules, "/jobs/schedules")
}

// Queue is the table [jobs.queues.NAME].
type Queue struct {
	config.Switch
	Concurrency int           `toml:"concurrency" default:"10" min:"0" max:"10000" doc:"Jobs of it at work at once in one server."`
	Global      int           `toml:"global_concurrency" default:"0" min:"0" doc:"Jobs of it at work at once on all servers; 0 is no bound."`
	RateLimit   string        `toml:"rate_limit" form:"rate" doc:"Jobs that may begin in a time."`
	Priority    int           `toml:"priority" default:"0" min:"-100" max:"100" doc:"Higher goes first."`
	Timeout     time.Duration `toml:"timeout" default:"1m" min:"10ms" doc:"How long a job of it may take."`
	Paused      bool          `toml:"paused" doc:"Whether it begins paused."`
}

// Schedule is the table [jobs.schedules.NAME].
type Schedule struct {
	config.Switch
	Cron     string         `toml:"cron" form:"cron" doc:"When: minute hour day month weekday."`
	Every    time.Duration  `toml:"every" default:"0s" doc:"How often, in place of cron."`
	Timezone string         `toml:"timezone" default:"UTC" doc:"The zone that cron means."`
	Kind     string         `toml:"kind" doc:"The kind of job."`
	Args     map[string]any `toml:"args" doc:"Its arguments."`
	Queue    string         `toml:"queue" default:"default" doc:"Its queue."`
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

// Handler is the table [jobs.handlers.KIND].
type Handler struct {
	config.Switch
	Type     string            `toml:"type" enum:"http,function,notification,wasm,lua" doc:"What does the work."`
	URL      string            `toml:"url" form:"url" doc:"http: where the arguments go."`
	URLFrom  config.Secret     `toml:"url" doc:"http: where the address is when it is not in the file."`
	Secret   config.Secret     `toml:"secret" doc:"http: the key that signs."`
	Method   string            `toml:"method" default:"POST" enum:"POST,PUT,PATCH,DELETE,GET" doc:"http: the method."`
	Headers  map[string]string `toml:"headers" doc:"http: further headers."`
	Function string            `toml:"function" doc:"function: a function of the database, called with the arguments as jsonb."`
	Channel  string            `toml:"channel" enum:"email,sms,push,slack,discord,telegram,webhook" doc:"notification: how it is sent."`
	Template string            `toml:"template" doc:"notification: the template's name."`
	Source   string            `toml:"source" doc:"wasm, lua: the module or script."`
	Queue    string            `toml:"queue" default:"default" doc:"The queue of its jobs, unless they name one."`
	Timeout  time.Duration     `toml:"timeout" default:"1m" min:"10ms" doc:"How long one may take."`
	Retry    retry.Policy      `toml:"retry" doc:"How one that fails is tried again."`
}

var handlerRules = map[string]config.Kind{
	"http":         {Needs: []string{"url"}, Takes: []string{"secret", "method", "headers"}},
	"function":     {Needs: []string{"function"}},
	"notification": {Needs: []string{"channel", "template"}},
	"wasm":         {Needs: []string{"source"}},
	"lua":          {Needs: []string{"source"}},
}

// Check wants the keys of the handler's type.
func (h *Handler) Check(r *config.Report) {
	if r.Reported("type") {
		return
	}
	if h.Type == "" {
		r.Error("", "config/missing-key", "a handler needs `type`", `type = "http"`)
		return
	}
	handlerRules[h.Type].Check(r, "a handler of type "+h.Type, handlerRules)
	if h.Source != "" && !r.File(h.Source) {
		r.Need("source", "config/missing-file", "the file `"+h.Source+"` is not there", "")
	}
}

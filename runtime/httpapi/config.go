package httpapi

import (
	"net/url"
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// Config is the table [server].
type Config struct {
	Host   string `toml:"host" default:"127.0.0.1" form:"hostname" doc:"Address to listen on; 0.0.0.0 is every one."`
	Port   int    `toml:"port" default:"4000" min:"0" max:"65535" doc:"Port to listen on; 0 takes a free one."`
	Limits Limits `toml:"limits" doc:"What one request, and all together, may take."`
	TLS    TLS    `toml:"tls" doc:"Certificate and key, when this process ends TLS itself."`

	CORS           *CORS         `toml:"cors" planned:"true" doc:"Which pages of other sites may call."`
	Compression    *Compression  `toml:"compression" doc:"Smaller answers for clients that take them."`
	RateLimit      *RateLimit    `toml:"rate_limit" planned:"true" doc:"How often one caller may ask."`
	AdminToken     config.Secret `toml:"admin_token" doc:"The token of the management routes. Without one they are closed, but for --dev and --demo, which make one."`
	EncryptionKey  config.Secret `toml:"encryption_key" planned:"true" doc:"The key that stored secrets are wrapped with."`
	TrustedProxies []string      `toml:"trusted_proxies" form:"cidr" planned:"true" doc:"Whose X-Forwarded-For is believed."`
}

// CORS is the table [server.cors].
type CORS struct {
	config.Switch
	Origins       []string      `toml:"origins" doc:"Pages that may call: \"https://app.example.com\", \"https://*.example.com\" or \"*\"."`
	Methods       []string      `toml:"methods" default:"GET,POST" enum:"GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS" doc:"Methods that they may use."`
	Headers       []string      `toml:"headers" default:"authorization,content-type" doc:"Headers that they may send."`
	ExposeHeaders []string      `toml:"expose_headers" doc:"Headers of answers that they may read."`
	Credentials   bool          `toml:"credentials" doc:"Whether cookies go along."`
	MaxAge        time.Duration `toml:"max_age" default:"24h" max:"7d" doc:"How long a browser may remember the answer."`
}

// Check refuses what browsers would.
func (c *CORS) Check(r *config.Report) {
	for _, origin := range c.Origins {
		if origin == "*" && c.Credentials {
			r.Error("credentials", "config/contradiction", "every page may call, so cookies cannot go along: browsers refuse that", "name the pages in `origins`")
		}
		if u, err := url.Parse(origin); origin != "*" && (err != nil || u.Host == "" || u.Path != "" || u.Scheme != "http" && u.Scheme != "https") {
			r.Error("origins", "config/bad-value", "`"+origin+"` is no origin: scheme, host and port, without a slash at its end", `origins = ["https://app.example.com"]`)
		}
	}
	if len(c.Origins) == 0 && c.On() && !r.Reported("origins") {
		r.Warn("", "config/missing-key", "without `origins` no page may call", `origins = ["https://app.example.com"]`)
	}
}

// Compression is the table [server.compression].
type Compression struct {
	config.Switch
	MinSize    config.Bytes `toml:"min_size" default:"1KB" doc:"Answers below it go as they are."`
	Algorithms []string     `toml:"algorithms" default:"zstd,gzip,br" enum:"zstd,br,gzip" doc:"What is offered, best first."`
}

// RateLimit is the table [server.rate_limit].
type RateLimit struct {
	config.Switch
	Default  string        `toml:"default" default:"100/s" form:"rate" doc:"Requests of one caller."`
	By       string        `toml:"by" default:"ip" enum:"ip,user,api_key" doc:"What makes a caller."`
	Burst    int           `toml:"burst" default:"0" min:"0" doc:"Requests that may come at once; 0 is what the rate gives in a second."`
	Backend  string        `toml:"backend" default:"memory" enum:"memory,redis" doc:"Where is counted: in each server, or for all."`
	RedisURL config.Secret `toml:"redis_url" doc:"redis: its address."`
	Rules    []RateRule    `toml:"rules" doc:"Other rates for some requests; the first that fits holds."`
}

// Check wants an address for Redis.
func (l *RateLimit) Check(r *config.Report) {
	if l.Backend == "redis" && !l.RedisURL.Given() {
		r.Error("backend", "config/missing-key", "counting in Redis needs `redis_url_env`", `redis_url_env = "REDIS_URL"`)
	}
}

// RateRule is one entry of [[server.rate_limit.rules]].
type RateRule struct {
	Path     string `toml:"path" form:"route" doc:"A route."`
	Query    string `toml:"query" doc:"A root field of Query."`
	Mutation string `toml:"mutation" doc:"A root field of Mutation."`
	Limit    string `toml:"limit" form:"rate" doc:"Requests of one caller."`
	By       string `toml:"by" enum:"ip,user,api_key" doc:"What makes a caller here."`
	Burst    int    `toml:"burst" min:"0" doc:"Requests that may come at once."`
}

// Check wants a rate.
func (l *RateRule) Check(r *config.Report) {
	if l.Limit == "" && !r.Reported("limit") {
		r.Error("", "config/missing-key", "a rule needs `limit`", `limit = "10/m"`)
	}
}

// Limits is the table [server.limits].
type Limits struct {
	MaxRequestSize        config.Bytes  `toml:"max_request_size" default:"256KB" min:"1KB" doc:"Bytes of a request's body."`
	RequestTimeout        time.Duration `toml:"request_timeout" default:"30s" min:"10ms" doc:"How long a request may take."`
	HeaderTimeout         time.Duration `toml:"header_timeout" default:"10s" min:"10ms" doc:"How long a client may take to send the head of a request."`
	IdleTimeout           time.Duration `toml:"idle_timeout" default:"2m" min:"1s" doc:"How long a connection may wait for its next request."`
	MaxConcurrentRequests int           `toml:"max_concurrent_requests" default:"1000" min:"1" doc:"Requests at work at once; one more waits, if it may, or is answered 503 with Retry-After."`
	MaxQueueDepth         int           `toml:"max_queue_depth" default:"0" min:"0" doc:"Requests that may wait, in memory, for others to end; 0 lets none wait."`
}

// TLS is the table [server.tls].
type TLS struct {
	CertFile string `toml:"cert_file" doc:"The certificate chain, PEM."`
	KeyFile  string `toml:"key_file" doc:"The private key, PEM."`
}

// Check wants both halves of a key pair.
func (t *TLS) Check(r *config.Report) {
	if (t.CertFile == "") != (t.KeyFile == "") {
		r.Error("", "config/half-tls", "TLS needs both `cert_file` and `key_file`", "")
		return
	}
	for key, path := range map[string]string{"cert_file": t.CertFile, "key_file": t.KeyFile} {
		if path != "" && !r.File(path) {
			r.Need(key, "config/missing-file", "the file `"+path+"` is not there", "")
		}
	}
}

// Lifecycle is the table [lifecycle].
type Lifecycle struct {
	ShutdownDelay   time.Duration `toml:"shutdown_delay" default:"5s" doc:"Between being told to stop and taking no more requests: load balancers see /ready fail meanwhile."`
	ShutdownTimeout time.Duration `toml:"shutdown_timeout" default:"30s" min:"10ms" doc:"How long requests at work may take to end."`
	HealthPath      string        `toml:"health_path" default:"/health" form:"route" doc:"The route that tells whether the process lives."`
	ReadyPath       string        `toml:"ready_path" default:"/ready" form:"route" doc:"The route that tells whether it can answer now; /readiness does too."`
}

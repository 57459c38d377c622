package httpapi

import (
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// Config is the table [server].
type Config struct {
	Host   string `toml:"host" default:"127.0.0.1" doc:"Address to listen on; 0.0.0.0 is every one."`
	Port   int    `toml:"port" default:"4000" min:"0" max:"65535" doc:"Port to listen on; 0 takes a free one."`
	Limits Limits `toml:"limits" doc:"What one request, and all together, may take."`
	TLS    TLS    `toml:"tls" doc:"Certificate and key, when this process ends TLS itself."`
}

// Limits is the table [server.limits].
type Limits struct {
	MaxRequestSize        config.Bytes  `toml:"max_request_size" default:"256KB" min:"1KB" doc:"Bytes of a request's body."`
	RequestTimeout        time.Duration `toml:"request_timeout" default:"30s" min:"10ms" doc:"How long a request may take."`
	HeaderTimeout         time.Duration `toml:"header_timeout" default:"10s" min:"10ms" doc:"How long a client may take to send the head of a request."`
	IdleTimeout           time.Duration `toml:"idle_timeout" default:"2m" min:"1s" doc:"How long a connection may wait for its next request."`
	MaxConcurrentRequests int           `toml:"max_concurrent_requests" default:"1000" min:"1" doc:"Requests at work at once; one more is answered 503 with Retry-After."`
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
	HealthPath      string        `toml:"health_path" default:"/health" doc:"The route that tells whether the process lives."`
	ReadyPath       string        `toml:"ready_path" default:"/ready" doc:"The route that tells whether it can answer now; /readiness does too."`
}

// Check wants routes.
func (l *Lifecycle) Check(r *config.Report) {
	for key, path := range map[string]string{"health_path": l.HealthPath, "ready_path": l.ReadyPath} {
		if path == "" || path[0] != '/' {
			r.Error(key, "config/bad-path", "`"+key+"` must begin with a slash", key+` = "/`+path+`"`)
		}
	}
}

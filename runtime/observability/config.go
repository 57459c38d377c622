package observability

import (
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// Config is the table [observability].
type Config struct {
	Log       LogConfig  `toml:"log" doc:"What is logged, and how."`
	Metrics   *Metrics   `toml:"metrics" planned:"true" doc:"Numbers for Prometheus."`
	Traces    *Traces    `toml:"traces" planned:"true" doc:"Traces for OpenTelemetry."`
	Profiling *Profiling `toml:"profiling" planned:"true" doc:"Profiles at /debug/pprof."`
}

// LogConfig is the table [observability.log].
type LogConfig struct {
	Level  string `toml:"level" default:"info" enum:"debug,info,warn,error" doc:"The least important entries that are written."`
	Format string `toml:"format" default:"auto" enum:"auto,text,json" doc:"auto is text on a terminal and JSON elsewhere."`
}

// Metrics is the table [observability.metrics].
type Metrics struct {
	config.Switch
	Path         string                   `toml:"path" default:"/metrics" form:"route" doc:"The route."`
	Latency      map[string]time.Duration `toml:"latency_targets" doc:"What is fast enough, by feature: graphql = \"100ms\"."`
	Availability float64                  `toml:"availability_target" default:"0.999" min:"0" max:"1" doc:"The share of requests that must be answered."`
}

// Traces is the table [observability.traces].
type Traces struct {
	config.Switch
	Endpoint     string            `toml:"endpoint" form:"url" doc:"Where they go, by OTLP."`
	EndpointFrom config.Secret     `toml:"endpoint" doc:"Where that is when it is not in the file."`
	Protocol     string            `toml:"protocol" default:"grpc" enum:"grpc,http" doc:"How they go there."`
	Headers      map[string]string `toml:"headers" doc:"Further headers."`
	ServiceName  string            `toml:"service_name" default:"fraiseql" doc:"What this program is called there."`
	SampleRatio  float64           `toml:"sample_ratio" default:"1" min:"0" max:"1" doc:"The share of requests that are traced."`
}

// Check wants an address.
func (t *Traces) Check(r *config.Report) {
	if t.On() && t.Endpoint == "" && !t.EndpointFrom.Given() && !r.Reported("endpoint") {
		r.Error("", "config/missing-key", "traces need `endpoint`", `endpoint = "http://localhost:4317"`)
	}
}

// Profiling is the table [observability.profiling].
type Profiling struct {
	config.Switch
}

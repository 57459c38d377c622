package planned

import "time"

// Outbound is the table [outbound]: how this program calls others.
type Outbound struct {
	ConnectTimeout time.Duration `toml:"connect_timeout" default:"5s" min:"10ms" doc:"How long a connection may take to open."`
	Timeout        time.Duration `toml:"timeout" default:"30s" min:"10ms" doc:"How long a call may take, unless its own table says otherwise."`
	Allow          []string      `toml:"allow" form:"cidr" doc:"Loopback, private and link-local ranges that calls may reach; they are refused otherwise."`
	Proxy          string        `toml:"proxy" form:"url" doc:"A proxy for all calls."`
	UserAgent      string        `toml:"user_agent" doc:"What calls say of themselves."`
	BreakAfter     int           `toml:"break_after" default:"5" min:"1" doc:"Failures in a row after which a host is left alone."`
	BreakFor       time.Duration `toml:"break_for" default:"30s" min:"1s" doc:"How long it is left alone."`
}

package embedded

import (
	"context"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Cluster is a running cluster; there is none on Windows.
type Cluster struct {
	Binaries Binaries
	Dir      string
	Port     int
}

// Start says that Windows has no private cluster: the server's life hangs on a Unix pipe.
func Start(context.Context, Options) (*Cluster, error) {
	return nil, fault.New(fault.Unavailable, "postgres/no-embedded", "a private PostgreSQL server is run on Linux and macOS only").
		WithHint("set [database] url to a server")
}

// URL gives no address.
func (*Cluster) URL(string) string { return "" }

// ClientEnv gives nothing.
func (*Cluster) ClientEnv(string) []string { return nil }

// Stop does nothing.
func (*Cluster) Stop(context.Context) error { return nil }

package embedded

import "log/slog"

// Options say where the cluster is and how it runs.
type Options struct {
	Dir      string       // the cluster's folder; made when it is not there
	Log      *slog.Logger // progress of the first start; nil is silent
	Unsafe   bool         // do not wait for the disk: for tests, whose data nobody will miss
	Settings []string     // more settings of the server, "name=value"

	Places     []string // patterns of folders with PostgreSQL's programs; empty: PATH and where packages put them
	Repository string   // where programs are downloaded from when no place has them; empty is [Repository]
	Cache      string   // where downloads are kept; empty is the user's cache
}

// Repository is where programs come from when the machine has none: the builds of
// https://github.com/zonkyio/embedded-postgres-binaries on Maven Central.
const Repository = "https://repo1.maven.org/maven2"

// Superuser is the role that owns the cluster, and Database what is made for the project.
const (
	Superuser = "postgres"
	Database  = "fraiseql"
)

package transport

import (
	"net/http"
	"strconv"
	"time"

	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// Version is the header that a mutation is answered with where queries are read from replicas. A request that sends it
// sees what the mutation has changed, whichever server it comes to. Its value is nothing to clients.
const Version = "X-Fraiseql-Version"

// versionOf reads the header. One that nobody here has written asks for more than any replica has, so that the primary
// answers: to see too much is no harm.
func versionOf(header http.Header) postgres.Position {
	var version postgres.Position
	for _, value := range header[Version] {
		n, err := strconv.ParseUint(value, 16, 64)
		if err != nil {
			return postgres.Nowhere
		}
		version = max(version, postgres.Position(n))
	}
	return version
}

// tellVersion writes the header, where there is something to tell. Of a mutation of which nobody knows whether it was made
// it tells when: it will have ended some time.
func tellVersion(header http.Header, version postgres.Position) {
	if version == postgres.Nowhere {
		version = postgres.UnsureAt(time.Now())
	}
	if version > 0 {
		header.Set(Version, strconv.FormatUint(uint64(version), 16))
	}
}

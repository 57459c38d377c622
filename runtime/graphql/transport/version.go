package transport

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// VersionHeader is the header that a mutation is answered with where queries are read from replicas. A request that sends
// it sees what the mutation has changed, whichever server it comes to. Its value is nothing to clients.
const VersionHeader = "X-Fraiseql-Version"

// Version is what a caller has written last, or has been told of.
type Version struct {
	At       postgres.Position
	Timeline uint32 // that At is on; 0 when nobody knows
}

// later is the one of both of which more must be seen.
func (v Version) later(other Version) Version {
	return Version{max(v.At, other.At), max(v.Timeline, other.Timeline)}
}

// versionOf reads the header. One that nobody here has written asks for more than any replica has, so that the primary
// answers: to see too much is no harm.
func versionOf(header http.Header) (version Version) {
	for _, value := range header[VersionHeader] {
		timeline, place, _ := strings.Cut(value, ".")
		history, failed := strconv.ParseUint(timeline, 16, 32)
		at, err := strconv.ParseUint(place, 16, 64)
		if failed != nil || err != nil {
			return Version{At: postgres.Nowhere}
		}
		version = version.later(Version{postgres.Position(at), uint32(history)})
	}
	return version
}

// tell writes the header, where there is something to tell. Of a mutation of which nobody knows whether it was made
// it tells when: it will have ended some time.
func (v Version) tell(header http.Header) {
	if v.At == postgres.Nowhere {
		v.At = postgres.UnsureAt(time.Now())
	}
	if v.At > 0 {
		header.Set(VersionHeader, strconv.FormatUint(uint64(v.Timeline), 16)+"."+strconv.FormatUint(uint64(v.At), 16))
	}
}

package redis

import (
	"fmt"
	"sync"
	"time"

	"github.com/fraiseql/fraiseql/runtime/cluster"
)

// ids makes UUIDs of version 7 of which each is greater than those before (RFC 9562, section 6.2, method 1): lists of jobs go by
// them. The zero value is ready.
type ids struct {
	mu   sync.Mutex
	last int64 // milliseconds, and a counter of 12 bits
}

func (i *ids) next() string {
	i.mu.Lock()
	i.last = max(i.last+1, time.Now().UnixMilli()<<12)
	n := i.last
	i.mu.Unlock()
	at := fmt.Sprintf("%012x", n>>12)
	return at[:8] + "-" + at[8:] + "-" + fmt.Sprintf("7%03x", n&0xfff) + cluster.NewTimeID()[18:]
}

// isID tells whether a text can be the id of a job.
func isID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i, c := range []byte(id) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && (c < '0' || c > '9' && c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

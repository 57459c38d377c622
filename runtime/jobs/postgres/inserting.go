package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/fraiseql/fraiseql/runtime/jobs"
)

// The states in which a key is taken, as River's unique_states: a bit each, available the lowest.
const (
	untilFinished  = 0b11110001
	untilForgotten = 0b11111111
)

// inserting gives jobs that are inserted what River's options do not say: keys of our own, as _system.enqueue makes them, and
// that what is due soon is available at once.
type inserting struct{ river.MiddlewareDefaults }

// InsertMany is a rivertype.JobInsertMiddleware.
func (*inserting) InsertMany(ctx context.Context, all []*rivertype.JobInsertParams, inner func(context.Context) ([]*rivertype.JobInsertResult, error)) ([]*rivertype.JobInsertResult, error) {
	for _, p := range all {
		if p.State == rivertype.JobStateScheduled && p.ScheduledAt != nil && time.Until(*p.ScheduledAt) < near {
			p.State = rivertype.JobStateAvailable
		}
		var m metadata
		if err := json.Unmarshal(p.Metadata, &m); err != nil {
			return nil, err
		}
		if m.UniqueKey == "" {
			continue
		}
		sum := sha256.Sum256([]byte(p.Kind + " " + m.UniqueKey))
		p.UniqueKey, p.UniqueStates = sum[:], untilFinished
		if m.UniqueUntil == jobs.Forgotten {
			p.UniqueStates = untilForgotten
		}
	}
	return inner(ctx)
}

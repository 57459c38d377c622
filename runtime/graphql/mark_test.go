//go:build unix

package graphql

import (
	"log/slog"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/embedded"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// TestAStandbyIsNoPrimary, where the address of the primary leads to one for a moment: nothing is settled by what it says,
// which may be less than what was written.
func TestAStandbyIsNoPrimary(t *testing.T) {
	t.Parallel()
	primary := pgtest.Primary(t)
	standby := pgtest.Standby(t, primary)
	for _, c := range []struct {
		name    string
		cluster *embedded.Cluster
		counts  bool
	}{{"the standby", standby, false}, {"the primary", primary, true}} {
		pool, err := postgres.Connect(t.Context(), c.cluster.URL(embedded.Database), postgres.PoolOptions{Size: 1})
		if err != nil {
			t.Fatal(err)
		}
		r := newReplicas(Deps{Pool: pool, Log: slog.New(slog.DiscardHandler), Replicas: []Replica{{Name: "one", Pool: pool}}}, 1<<20)
		r.pins.put("ann", postgres.Nowhere, time.Now().Add(-time.Hour))
		r.mark(t.Context())
		if got := r.pins.of("ann") != postgres.Nowhere; got != c.counts || (r.stands != nil) != c.counts || (r.timeline.Load() != 0) != c.counts {
			t.Errorf("%s: settled is %t, it stands at %+v", c.name, got, r.stands)
		}
		r.close()
		pool.Close()
	}
}

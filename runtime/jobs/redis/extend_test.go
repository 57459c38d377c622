package redis

import (
	"testing"

	"github.com/fraiseql/fraiseql/runtime/jobs"
	"github.com/fraiseql/fraiseql/runtime/redis/redistest"
)

// TestWhoComesBackHoldsNothing has a server that stood still say that it works a job which another has by now.
func TestWhoComesBackHoldsNothing(t *testing.T) {
	t.Parallel()
	q, err := New(Options{Address: redistest.Start(t).URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	if _, err := q.Enqueue(t.Context(), []jobs.Spec{{Kind: "work", Args: []byte("{}"), Queue: "default", Priority: 2, MaxAttempts: 3}}); err != nil {
		t.Fatal(err)
	}
	take := func(server string, term int) *try {
		t.Helper()
		rows, err := takeScript.Run(t.Context(), q.client, nil, "default", server, term, 0, 0, 0, 5, "work").Slice()
		if err != nil || len(rows) != 1 {
			t.Fatalf("%v, %v", rows, err)
		}
		row, _ := rows[0].([]any)
		return (&conn{queue: q}).tryOf(row)
	}
	first := take("first", 0)
	if n, err := q.rescue(t.Context(), true); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	second := take("second", 10)
	lease := func() float64 { return q.client.ZScore(t.Context(), "asynq:{default:2}:lease", first.id).Val() }
	before := lease()
	for _, c := range []struct {
		t    *try
		want int64
	}{{first, 0}, {second, 1}} {
		said, err := extendScript.Run(t.Context(), q.client, nil, c.t.queue, 100, c.t.id, c.t.token()).Int64Slice()
		if err != nil || len(said) != 1 || said[0] != c.want || (lease() > before) != (c.want == 1) {
			t.Errorf("%s is told %v, %v; the lease ends at %f, and at %f before", c.t.token(), said, err, lease(), before)
		}
	}
	if job, err := q.Get(t.Context(), first.id); err != nil || job.Attempt != 2 || len(job.Failures) != 1 || len(job.Servers) != 2 {
		t.Errorf("%+v, %v", job, err)
	}
}

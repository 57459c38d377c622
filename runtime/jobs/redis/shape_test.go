package redis

import (
	"os"
	"strings"
	"testing"
)

// TestShapes has the keys of asynq's scripts, as of the version that is pinned.
func TestShapes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		keys []string
		want shape
	}{
		{[]string{"asynq:{q:1}:pending", "asynq:{q:1}:paused", "asynq:{q:1}:active", "asynq:{q:1}:lease"}, take},
		{[]string{"asynq:{q:1}:scheduled", "asynq:{q:1}:pending"}, due},
		{[]string{"asynq:{q:1}:retry", "asynq:{q:1}:pending"}, due},
		{[]string{"asynq:{q:1}:lease"}, expired},
		{[]string{"asynq:{q:1}:completed"}, expire},
		{[]string{"asynq:{q:1}:active", "asynq:{q:1}:lease", "asynq:{q:1}:pending", "asynq:{q:1}:t:x"}, requeue},
		{[]string{"asynq:{q:1}:active", "asynq:{q:1}:lease", "asynq:{q:1}:completed", "asynq:{q:1}:t:x", "asynq:{q:1}:processed:2026-01-01", "asynq:{q:1}:processed"}, finish},
		{[]string{"asynq:{q:1}:t:x", "asynq:{q:1}:active", "asynq:{q:1}:lease", "asynq:{q:1}:retry", "asynq:{q:1}:processed:2026-01-01"}, finish},
		{[]string{"asynq:{q:1}:t:x", "asynq:{q:1}:active", "asynq:{q:1}:lease", "asynq:{q:1}:archived", "asynq:{q:1}:failed", "asynq:{q:1}:t:"}, finish},
		{[]string{"asynq:{q:1}:aggregation_sets"}, other},
		{[]string{"asynq:servers:{host:1:x}", "asynq:workers:{host:1:x}"}, other},
	} {
		is, task := shapeOf(c.keys)
		if is != c.want || (task == "asynq:{q:1}:t:x") != (is == finish || is == requeue) {
			t.Errorf("%v: %d, %q", c.keys, is, task)
		}
	}
}

// TestTheVersionIsPinned stops an upgrade that nobody has looked at: scripts are known by their keys, and changed by the places
// of their arguments.
func TestTheVersionIsPinned(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\tgithub.com/hibiken/asynq v0.26.0\n") {
		t.Error("asynq is another version: read the scripts in its internal/rdb/rdb.go against shapes, conn.go and scripts/, then name it here")
	}
}

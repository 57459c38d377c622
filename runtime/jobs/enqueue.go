package jobs

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/retry"
)

// argsLimit is how long the arguments of a job may be; _system.enqueue has the same bound.
const argsLimit = 1 << 20

// Forms of names, as _system.enqueue has them.
var (
	kindForm  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:-]{1,126}$`)
	queueForm = regexp.MustCompile(`^[a-z0-9]+([_-]?[a-z0-9]+)*$`)
)

func bad(code, message string) *fault.Error { return fault.New(fault.Invalid, "jobs/"+code, message) }

// Knows refuses a kind that nobody works.
func (s *Service) Knows(kind string) error {
	if s.handlers[kind] != nil || slices.Contains(s.config.ExternalKinds, kind) {
		return nil
	}
	known := append(s.Kinds(), s.config.ExternalKinds...)
	return bad("no-kind", "nobody works jobs of kind `"+kind+"`").WithHint("%s", diag.DidYouMean(kind, known, "add [jobs.handlers."+kind+"], or name it in [jobs] external_kinds"))
}

// complete fills in what holds for the job's kind, and judges the rest.
func (s *Service) complete(n Spec) (Spec, error) {
	if err := s.Knows(n.Kind); err != nil {
		return n, err
	}
	h := s.handlers[n.Kind]
	if h == nil {
		h = &handler{queue: DefaultQueue, retry: retry.Default()}
	}
	n.Queue, n.Priority, n.MaxAttempts = cmp.Or(n.Queue, h.queue), cmp.Or(n.Priority, DefaultPriority), cmp.Or(n.MaxAttempts, h.retry.MaxAttempts)
	if _, known := s.bounds()[n.Queue]; !known && s.handlers[n.Kind] != nil {
		return n, bad("no-queue", "there is no queue `"+n.Queue+"`").WithHint("%s", diag.DidYouMean(n.Queue, slices.Sorted(maps.Keys(s.bounds())), "add [jobs.queues."+n.Queue+"]"))
	}
	if len(n.Args) == 0 || string(n.Args) == "null" {
		n.Args = json.RawMessage("{}")
	}
	if n.UniqueUntil == Forgotten && !s.deps.Queue.Caps().UniqueForgotten {
		return n, bad("not-able", "keys cannot be kept by jobs in "+s.config.Backend+" until these are forgotten")
	}
	return n, n.check()
}

// check judges what every queue wants; _system.enqueue has the same bounds.
func (n *Spec) check() error {
	var object map[string]json.RawMessage
	switch {
	case !queueForm.MatchString(n.Queue) || len(n.Queue) > 63:
		return bad("bad-queue", "`"+n.Queue+"` cannot be a queue").WithHint("use small letters and digits, with _ and - between them, at most 63")
	case n.Priority < 1 || n.Priority > 4:
		return bad("bad-priority", fmt.Sprintf("the priority is %d, not 1 (first) to 4", n.Priority))
	case n.MaxAttempts < 1 || n.MaxAttempts > 1000:
		return bad("bad-attempts", fmt.Sprintf("max_attempts is %d, not 1 to 1000", n.MaxAttempts))
	case len(n.UniqueKey) > 512:
		return bad("bad-key", "the unique key is longer than 512 bytes").WithHint("use a digest of it")
	case n.UniqueUntil != "" && n.UniqueUntil != Finished && n.UniqueUntil != Forgotten:
		return bad("bad-until", "unique_until is `finished` or `forgotten`")
	case len(n.Args) > argsLimit:
		return bad("args-too-large", "the arguments are larger than a megabyte").WithHint("store them in a table, and enqueue their key")
	case json.Unmarshal(n.Args, &object) != nil:
		return bad("bad-args", "the arguments of a job are a JSON object")
	case strings.Contains(string(n.Args), `\u0000`):
		return bad("bad-args", "the arguments have the character \\u0000, which PostgreSQL cannot keep")
	}
	return nil
}

func (s *Service) completeAll(ctx context.Context, all []Spec) ([]Spec, error) {
	whole := make([]Spec, len(all))
	for i, n := range all {
		var err error
		if n.Delay > 0 {
			if n.RunAt, err = s.store.now(ctx); err != nil {
				return nil, err
			}
			n.RunAt = n.RunAt.Add(n.Delay)
		}
		if whole[i], err = s.complete(n); err != nil {
			return nil, err
		}
	}
	return whole, nil
}

// Enqueue makes jobs, all or none.
func (s *Service) Enqueue(ctx context.Context, all ...Spec) ([]Receipt, error) {
	whole, err := s.completeAll(ctx, all)
	if err != nil {
		return nil, err
	}
	return s.deps.Queue.Enqueue(ctx, whole)
}

// EnqueueTx makes jobs when a transaction of the caller's commits.
func (s *Service) EnqueueTx(ctx context.Context, tx pgx.Tx, all ...Spec) ([]Receipt, error) {
	whole, err := s.completeAll(ctx, all)
	if err != nil {
		return nil, err
	}
	return s.deps.Queue.EnqueueTx(ctx, tx, whole)
}

// Load makes many jobs without unique keys, and tells how many.
func (s *Service) Load(ctx context.Context, all []Spec) (int, error) {
	whole, err := s.completeAll(ctx, all)
	if err != nil {
		return 0, err
	}
	for _, n := range whole {
		if n.UniqueKey != "" {
			return 0, bad("bad-key", "jobs that are loaded have no unique keys")
		}
	}
	return s.deps.Queue.Load(ctx, whole)
}

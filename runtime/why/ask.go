package why

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
)

// Keys that others are given: of an action on an event (events.Event.Ref, observer, number), and of a job.
var (
	actionKey = regexp.MustCompile(`^evt_([0-9]+)_[0-9a-z]+_(.+)_([0-9]+)(_r[0-9]+)?$`)
	eventKey  = regexp.MustCompile(`^evt_([0-9]+)_[0-9a-z]+$`)
	jobKey    = regexp.MustCompile(`^job_([0-9a-f-]+)_[0-9a-z]+$`)
)

// Ask tells of a thing: event/ID, job/ID, request/ID, mail/KEY and webhook/KEY (the id that the receiver was given, also
// without what stands before), or ENTITY/KEY for the newest changes of a row, such as order/42. It looks at what was kept
// since a time. The roots are told; the thing is marked in them.
func Ask(ctx context.Context, d Deps, thing string, since time.Time) ([]*Node, error) {
	s := &search{deps: d, since: since, roots: map[string]*Node{}, asked: map[string]bool{}, seen: map[string]bool{}, climbed: map[string]bool{}}
	kind, id, _ := strings.Cut(thing, "/")
	if id == "" {
		kind, id = "key", thing
	}
	id, _, _ = strings.Cut(strings.Trim(id, "<>"), "@") // of a mail's Message-ID
	var err error
	switch kind {
	case "event":
		err = s.event(ctx, id)
	case "job":
		err = s.job(ctx, id)
	case "request":
		err = s.request(ctx, id)
	case "key", "mail", "webhook":
		err = s.key(ctx, id)
	default:
		err = s.row(ctx, kind, strings.Split(strings.SplitN(thing, "/", 2)[1], ","))
	}
	if err != nil {
		return nil, err
	}
	if len(s.order) == 0 {
		return nil, fault.New(fault.NotFound, "why/not-found", "nothing is known of "+thing+" since "+since.UTC().Format(time.RFC3339)).
			WithHint("name event/ID, job/ID, request/ID, a webhook-id, or a row of a captured table as ENTITY/KEY; --since 30d looks further back")
	}
	return s.order, nil
}

func (s *search) key(ctx context.Context, key string) error {
	switch {
	case actionKey.MatchString(key):
		parts := actionKey.FindStringSubmatch(key)
		s.asked["action "+parts[1]+"/"+strings.ReplaceAll(parts[2], "~", ".")+"/"+parts[3]+parts[4]] = true
		return s.climbEvents(ctx, parts[1])
	case eventKey.MatchString(key):
		return s.event(ctx, eventKey.FindStringSubmatch(key)[1])
	case jobKey.MatchString(key):
		return s.job(ctx, jobKey.FindStringSubmatch(key)[1])
	}
	return nil
}

func (s *search) event(ctx context.Context, id string) error {
	s.asked["event "+id] = true
	return s.climbEvents(ctx, id)
}

func (s *search) climbEvents(ctx context.Context, id string) error {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil //nolint:nilerr // nothing is called so
	}
	found, err := s.deps.Events.List(ctx, events.Filter{IDs: []int64{n}})
	for _, e := range found {
		if err := s.climb(ctx, e); err != nil {
			return err
		}
	}
	return err
}

func (s *search) job(ctx context.Context, id string) error {
	if s.deps.Jobs == nil {
		return nil
	}
	s.asked["job "+id] = true
	j, err := s.deps.Jobs.Get(ctx, id)
	if err != nil {
		return err
	}
	return s.climbJob(ctx, j)
}

func (s *search) request(ctx context.Context, id string) error {
	s.asked["request "+id] = true
	found, err := s.deps.Events.Follow(ctx, events.Trail{Since: s.since, Request: id, Limit: most})
	if err != nil {
		return err
	}
	for _, e := range found {
		if err := s.climb(ctx, e); err != nil {
			return err
		}
	}
	if s.deps.Jobs == nil {
		return nil
	}
	all, err := s.deps.Jobs.List(ctx, jobs.Filter{Cause: jobs.Cause{Request: id}, Limit: 100})
	if err != nil {
		return err
	}
	for _, j := range all {
		if err := s.climbJob(ctx, j); err != nil {
			return err
		}
	}
	return nil
}

func (s *search) row(ctx context.Context, entity string, key []string) error {
	found, err := s.deps.Events.Follow(ctx, events.Trail{Since: s.since, Entity: entity, Key: key, Limit: newest})
	if err != nil {
		return err
	}
	for _, e := range found {
		s.asked["event "+strconv.FormatInt(e.ID, 10)] = true
	}
	for i := len(found) - 1; i >= 0; i-- { // as they came about
		if err := s.climb(ctx, found[i]); err != nil {
			return err
		}
	}
	return nil
}

// above marks a thing as climbed from; false when it was before: whoever enqueues may name anything as its cause, itself too.
func (s *search) above(name string) bool {
	if s.climbed[name] {
		return false
	}
	s.climbed[name] = true
	return true
}

// climb goes from an event to what it all began with, and tells all that came of that.
func (s *search) climb(ctx context.Context, e *events.Event) error {
	if !s.above("event " + strconv.FormatInt(e.ID, 10)) {
		return nil
	}
	kind, rest, _ := strings.Cut(e.Cause, "/")
	switch kind {
	case "job":
		if s.deps.Jobs != nil {
			j, err := s.deps.Jobs.Get(ctx, rest)
			if err == nil {
				return s.climbJob(ctx, j)
			}
			if fault.KindOf(err) != fault.NotFound {
				return err
			}
		}
	case "event":
		id, _, _ := strings.Cut(rest, "/")
		before := len(s.order)
		if err := s.climbEvents(ctx, id); err != nil || len(s.order) > before || s.seen["event "+strconv.FormatInt(e.ID, 10)] {
			return err
		}
	}
	return s.transaction(ctx, e)
}

func (s *search) climbJob(ctx context.Context, j jobs.Job) error {
	if !s.above("job " + j.ID) {
		return nil
	}
	c := jobs.Cause{}
	if j.Cause != nil {
		c = *j.Cause
	}
	before := len(s.order)
	switch {
	case eventKey.MatchString(c.Event):
		if err := s.climbEvents(ctx, eventKey.FindStringSubmatch(c.Event)[1]); err != nil {
			return err
		}
	case strings.HasPrefix(c.By, "job/"):
		above, err := s.deps.Jobs.Get(ctx, strings.TrimPrefix(c.By, "job/"))
		if err == nil {
			err = s.climbJob(ctx, above)
		}
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
	case strings.HasPrefix(c.By, "event/"):
		id, _, _ := strings.Cut(strings.TrimPrefix(c.By, "event/"), "/")
		if err := s.climbEvents(ctx, id); err != nil {
			return err
		}
	case c.XID != "":
		xid, err := strconv.ParseUint(c.XID, 10, 64)
		if err != nil {
			return nil //nolint:nilerr // another program's
		}
		found, err := s.deps.Events.Follow(ctx, events.Trail{Since: j.CreatedAt.Add(-around), Until: j.CreatedAt.Add(around), XID: xid, Limit: 1})
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return s.climb(ctx, found[0])
		}
	}
	if len(s.order) > before || s.seen["job "+j.ID] {
		return nil
	}
	return s.tellJob(ctx, s.root(c), j)
}

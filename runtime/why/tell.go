package why

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/jobs"
)

// root gives where a chain begins: a request, a schedule, or a role of the database.
func (s *search) root(c jobs.Cause) *Node {
	n := &Node{Kind: "transaction", ID: c.XID, What: "transaction " + c.XID + " of " + c.Login}
	switch {
	case c.Request != "":
		n = &Node{Kind: "request", ID: c.Request, What: "request " + c.Request}
	case c.Schedule != "":
		n = &Node{Kind: "schedule", ID: c.Schedule, What: "schedule " + c.Schedule}
	case c.XID == "":
		n = &Node{Kind: "command", What: "somebody by this program"}
	}
	if there := s.roots[n.What]; there != nil {
		return there
	}
	n.Asked = s.asked[n.Kind+" "+n.ID]
	s.roots[n.What] = n
	s.order = append(s.order, n)
	return n
}

// transaction tells all that came of the transaction of an event.
func (s *search) transaction(ctx context.Context, e *events.Event) error {
	xid := strconv.FormatUint(e.XID, 10)
	if s.first("transaction "+xid) == nil {
		return nil
	}
	root := s.root(jobs.Cause{Request: e.Request, XID: xid, Login: e.Login})
	at := root
	if root.Kind == "request" {
		if len(e.Claims) > 0 {
			root.What = "request " + e.Request + " with the claims " + string(e.Claims)
		}
		at = root.add(&Node{Kind: "transaction", ID: xid, What: "transaction " + xid + " of " + e.Login})
	}
	all, err := s.deps.Events.Follow(ctx, events.Trail{Since: e.At.Add(-around), Until: e.At.Add(around), XID: e.XID, Limit: most})
	if err != nil {
		return err
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Cause == e.Cause {
			if err := s.tellEvent(ctx, at, all[i]); err != nil {
				return err
			}
		}
	}
	return s.tellJobs(ctx, at, jobs.Cause{XID: xid, By: e.Cause})
}

// first marks a thing as told; nil when it was before, or when enough has been told.
func (s *search) first(name string) *Node {
	if s.seen[name] || s.count >= most {
		return nil
	}
	s.seen[name] = true
	s.count++
	return &Node{Asked: s.asked[name]}
}

func (s *search) tellEvent(ctx context.Context, at *Node, e *events.Event) error {
	id := strconv.FormatInt(e.ID, 10)
	n := s.first("event " + id)
	if n == nil {
		return nil
	}
	n.Kind, n.ID, n.At = "event", id, &e.At
	n.What = strings.TrimSpace("event " + id + " " + string(e.Op) + " " + e.Entity + " " + string(e.Key) + " " + strings.Join(e.Changed, ", "))
	at.add(n)
	if s.deps.Observers != nil {
		logs, err := s.deps.Observers.LogsOf(ctx, e.ID)
		if err != nil {
			return err
		}
		for _, l := range logs {
			key, replayed := id+"/"+l.Observer+"/"+strconv.Itoa(l.Action), ""
			if l.Replay > 0 {
				key, replayed = key+"_r"+strconv.Itoa(l.Replay), ", replayed"
			}
			a := s.first("action " + key)
			if a == nil {
				continue
			}
			a.Kind, a.ID, a.State, a.At = "action", l.Observer+"/"+strconv.Itoa(l.Action), l.Status, &l.At
			a.What = strings.TrimSpace(fmt.Sprintf("observer %s, action %d%s: %s, %s %s", l.Observer, l.Action, replayed, l.Type, tries(l.Attempts), oneOf(l.Error, l.Response)))
			n.add(a)
			switch l.Type {
			case "job":
				if err := s.tellJobs(ctx, a, jobs.Cause{Event: e.Ref(), Observer: l.Observer}); err != nil {
					return err
				}
			case "database":
				by := "event/" + id + "/" + l.Observer
				if err := s.tellCaused(ctx, a, by, e.At); err != nil {
					return err
				}
				if err := s.tellJobs(ctx, a, jobs.Cause{By: by}); err != nil {
					return err
				}
			}
		}
	}
	open, err := s.deps.Events.Unfinished(ctx, e.ID)
	for _, u := range open {
		state, what := "open", "still to do"
		if u.Dead {
			state, what = "dead", "given up"
		}
		n.add(&Node{Kind: "delivery", State: state, At: u.Due, What: strings.TrimSpace(fmt.Sprintf("%s: %s, %s %s", strings.Replace(u.Consumer, ":", " ", 1), what, tries(u.Attempts), u.Error))})
	}
	return err
}

// tellCaused tells the events that something of this program has made.
func (s *search) tellCaused(ctx context.Context, at *Node, cause string, since time.Time) error {
	all, err := s.deps.Events.Follow(ctx, events.Trail{Since: since, Cause: cause, Limit: 100})
	for i := len(all) - 1; i >= 0; i-- {
		if err := s.tellEvent(ctx, at, all[i]); err != nil {
			return err
		}
	}
	return err
}

func (s *search) tellJobs(ctx context.Context, at *Node, c jobs.Cause) error {
	if s.deps.Jobs == nil {
		return nil
	}
	all, err := s.deps.Jobs.List(ctx, jobs.Filter{Cause: c, Limit: 100})
	for i := len(all) - 1; i >= 0; i-- {
		if err := s.tellJob(ctx, at, all[i]); err != nil {
			return err
		}
	}
	return err
}

func (s *search) tellJob(ctx context.Context, at *Node, j jobs.Job) error {
	n := s.first("job " + j.ID)
	if n == nil {
		return nil
	}
	n.Kind, n.ID, n.State, n.At = "job", j.ID, string(j.State), &j.CreatedAt
	trouble := ""
	if len(j.Failures) > 0 && j.State != jobs.Completed {
		trouble = j.Failures[len(j.Failures)-1].Error
	}
	n.What = strings.TrimSpace(fmt.Sprintf("job %s %s, %s %s", j.ID, j.Kind, tries(j.Attempt), oneOf(trouble, string(j.Result))))
	at.add(n)
	for _, f := range j.Failures {
		if trouble == "" || f.Attempt != j.Attempt {
			n.add(&Node{Kind: "try", State: "failed", At: &f.At, What: fmt.Sprintf("try %d: %s", f.Attempt, oneOf(f.Error, ""))})
		}
	}
	if err := s.tellCaused(ctx, n, "job/"+j.ID, j.CreatedAt); err != nil {
		return err
	}
	return s.tellJobs(ctx, n, jobs.Cause{By: "job/" + j.ID})
}

func tries(n int) string {
	if n == 1 {
		return "1 try"
	}
	return strconv.Itoa(n) + " tries"
}

// oneOf gives the first text that says something, in a line.
func oneOf(texts ...string) string {
	for _, t := range texts {
		if t = strings.Join(strings.Fields(t), " "); t != "" {
			if r := []rune(t); len(r) > 160 {
				t = string(r[:159]) + "…"
			}
			return "- " + t
		}
	}
	return ""
}

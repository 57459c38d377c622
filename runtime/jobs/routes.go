package jobs

import (
	"context"
	"net/http"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// Routes adds the management routes of jobs.
func (s *Service) Routes(mux *http.ServeMux, admin *httpapi.Admin) {
	mux.HandleFunc("GET /jobs", admin.Guard(s.list))
	mux.HandleFunc("POST /jobs", admin.Guard(s.enqueue))
	mux.HandleFunc("GET /jobs/{id}", admin.Guard(one(s.Get)))
	mux.HandleFunc("DELETE /jobs/{id}", admin.Guard(one(s.Delete)))
	mux.HandleFunc("POST /jobs/{id}/retry", admin.Guard(one(s.Retry)))
	mux.HandleFunc("POST /jobs/{id}/cancel", admin.Guard(one(s.Cancel)))
	mux.HandleFunc("GET /jobs/queues", admin.Guard(s.queues))
	mux.HandleFunc("POST /jobs/queues/{queue}/pause", admin.Guard(s.turn(s.Pause, true)))
	mux.HandleFunc("POST /jobs/queues/{queue}/resume", admin.Guard(s.turn(s.Resume, false)))
	mux.HandleFunc("GET /jobs/schedules", admin.Guard(s.listSchedules))
	mux.HandleFunc("POST /jobs/schedules/{schedule}/run", admin.Guard(s.runSchedule))
}

func (s *Service) list(w http.ResponseWriter, r *http.Request) {
	limit, err := httpapi.Limit(r)
	if err != nil {
		httpapi.WriteProblem(w, r, err)
		return
	}
	q := r.URL.Query()
	all, err := s.List(r.Context(), Filter{State: State(q.Get("state")), Kind: q.Get("kind"), Queue: q.Get("queue"), Before: q.Get("cursor"), Limit: limit})
	page := map[string]any{"jobs": all}
	if len(all) == limit {
		page["cursor"] = all[len(all)-1].ID
	}
	answer(w, r, http.StatusOK, page, err)
}

func (s *Service) enqueue(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Spec
		Delay string `json:"delay"`
	}
	err := httpapi.ReadJSON(r, &body)
	n := body.Spec
	if err == nil && body.Delay != "" {
		if n.Delay, err = config.ParseSpan(body.Delay); err != nil || !n.RunAt.IsZero() {
			err = bad("bad-delay", "`delay` is a time span such as 30s or 1d, and goes without `run_at`")
		}
	}
	if err == nil && n.Kind == "" {
		err = bad("no-kind", "`kind` is missing: it says what is to be done").WithHint("one of: %s", strings.Join(s.Kinds(), ", "))
	}
	if err != nil {
		httpapi.WriteProblem(w, r, err)
		return
	}
	n.Cause = Cause{Request: httpapi.RequestID(r.Context()), Trace: r.Header.Get("Traceparent")}
	receipts, err := s.Enqueue(r.Context(), n)
	if err != nil {
		answer(w, r, 0, nil, err)
		return
	}
	w.Header().Set("Location", "/jobs/"+receipts[0].ID)
	answer(w, r, http.StatusAccepted, receipts[0], nil)
}

// one does something with a job, and answers with it as it is then.
func one(do func(ctx context.Context, id string) (Job, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		job, err := do(r.Context(), r.PathValue("id"))
		answer(w, r, http.StatusOK, job, err)
	}
}

func (s *Service) queues(w http.ResponseWriter, r *http.Request) {
	all, err := s.Queues(r.Context())
	answer(w, r, http.StatusOK, map[string]any{"queues": all}, err)
}

func (s *Service) turn(do func(ctx context.Context, queue string) error, paused bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := do(r.Context(), r.PathValue("queue"))
		answer(w, r, http.StatusOK, map[string]any{"name": r.PathValue("queue"), "paused": paused}, err)
	}
}

func (s *Service) listSchedules(w http.ResponseWriter, r *http.Request) {
	all, err := s.Schedules(r.Context())
	answer(w, r, http.StatusOK, map[string]any{"schedules": all}, err)
}

func (s *Service) runSchedule(w http.ResponseWriter, r *http.Request) {
	receipt, err := s.RunSchedule(r.Context(), r.PathValue("schedule"))
	answer(w, r, http.StatusAccepted, receipt, err)
}

func answer(w http.ResponseWriter, r *http.Request, status int, v any, err error) {
	if _, told := fault.As(err); err != nil && !told {
		err = postgres.Explain(err)
	}
	if err != nil {
		httpapi.WriteProblem(w, r, err)
		return
	}
	httpapi.WriteJSON(w, status, v)
}

package observers

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// Routes adds the management routes of observers.
func (s *Service) Routes(mux *http.ServeMux, admin *httpapi.Admin) {
	mux.HandleFunc("GET /observers", admin.Guard(s.list))
	mux.HandleFunc("POST /observers", admin.Guard(s.create))
	mux.HandleFunc("GET /observers/{name}", admin.Guard(s.show))
	mux.HandleFunc("PATCH /observers/{name}", admin.Guard(s.patch))
	mux.HandleFunc("DELETE /observers/{name}", admin.Guard(s.remove))
	mux.HandleFunc("POST /observers/{name}/enable", admin.Guard(s.turn(true)))
	mux.HandleFunc("POST /observers/{name}/disable", admin.Guard(s.turn(false)))
	mux.HandleFunc("POST /observers/{name}/test", admin.Guard(s.test))
	mux.HandleFunc("GET /observers/{name}/logs", admin.Guard(s.logs))
	mux.HandleFunc("GET /observers/dead", admin.Guard(s.dead))
	mux.HandleFunc("POST /observers/dead/{id}/retry", admin.Guard(s.retryOne))
	mux.HandleFunc("POST /observers/dead/retry", admin.Guard(s.retrySome))
}

func (s *Service) list(w http.ResponseWriter, r *http.Request) {
	all, err := s.States(r.Context())
	answer(w, r, map[string]any{"observers": all}, err)
}

func (s *Service) create(w http.ResponseWriter, r *http.Request) {
	var body map[string]json.RawMessage
	var name string
	err := httpapi.ReadJSON(r, &body)
	if err == nil && json.Unmarshal(body["name"], &name) != nil {
		err = fault.New(fault.Invalid, "request/bad-body", "`name` is what the observer is called, a text")
	}
	var made Created
	if err == nil {
		delete(body, "name")
		text, _ := json.Marshal(body) // what was JSON is
		made, err = s.Create(r.Context(), name, text)
	}
	if err != nil {
		events.Problem(w, r, err)
		return
	}
	w.Header().Set("Location", "/observers/"+name)
	httpapi.WriteJSON(w, http.StatusCreated, made)
}

func (s *Service) show(w http.ResponseWriter, r *http.Request) {
	o, err := s.Show(r.Context(), r.PathValue("name"))
	answer(w, r, o, err)
}

func (s *Service) patch(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Enabled *bool `json:"enabled"`
	}
	err := httpapi.ReadJSON(r, &body)
	if err == nil && body.Enabled == nil {
		err = fault.New(fault.Invalid, "request/bad-body", "`enabled` is what can be changed, and it is not there")
	}
	if err == nil {
		err = s.Switch(r.Context(), r.PathValue("name"), *body.Enabled)
	}
	s.answerOne(w, r, err)
}

func (s *Service) remove(w http.ResponseWriter, r *http.Request) {
	if err := s.Delete(r.Context(), r.PathValue("name")); err != nil {
		events.Problem(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Service) turn(enabled bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.answerOne(w, r, s.Switch(r.Context(), r.PathValue("name"), enabled))
	}
}

func (s *Service) answerOne(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		events.Problem(w, r, err)
		return
	}
	s.show(w, r)
}

func (s *Service) test(w http.ResponseWriter, r *http.Request) {
	id, err := httpapi.Number("event", r.URL.Query().Get("event"))
	var trial Trial
	if err == nil {
		trial, err = s.Test(r.Context(), r.PathValue("name"), id)
	}
	answer(w, r, trial, err)
}

func (s *Service) logs(w http.ResponseWriter, r *http.Request) {
	limit, err := httpapi.Limit(r)
	before := time.Now().Add(time.Hour)
	if text := r.URL.Query().Get("cursor"); err == nil && text != "" {
		if before, err = time.Parse(time.RFC3339Nano, text); err != nil {
			err = fault.New(fault.Invalid, "request/bad-cursor", "`cursor` is none of this list's")
		}
	}
	var all []Log
	if err == nil {
		all, err = s.Logs(r.Context(), r.PathValue("name"), r.URL.Query().Get("status"), before, limit)
	}
	page := map[string]any{"logs": all}
	if len(all) == limit {
		page["cursor"] = all[len(all)-1].At.Format(time.RFC3339Nano)
	}
	answer(w, r, page, err)
}

func (s *Service) dead(w http.ResponseWriter, r *http.Request) {
	limit, err := httpapi.Limit(r)
	var before int64
	if err == nil {
		before, err = httpapi.Number("cursor", r.URL.Query().Get("cursor"))
	}
	var all []events.DeadLetter
	if err == nil {
		all, err = s.Dead(r.Context(), r.URL.Query().Get("observer"), before, limit)
	}
	page := map[string]any{"dead": all}
	if len(all) == limit {
		page["cursor"] = all[len(all)-1].ID
	}
	answer(w, r, page, err)
}

func (s *Service) retryOne(w http.ResponseWriter, r *http.Request) {
	id, err := httpapi.Number("id", r.PathValue("id"))
	s.retry(w, r, id, "", err)
}

func (s *Service) retrySome(w http.ResponseWriter, r *http.Request) {
	s.retry(w, r, 0, r.URL.Query().Get("observer"), nil)
}

func (s *Service) retry(w http.ResponseWriter, r *http.Request, id int64, name string, err error) {
	var count int64
	if err == nil {
		count, err = s.Retry(r.Context(), id, name)
	}
	answer(w, r, map[string]int64{"retried": count}, err)
}

func answer(w http.ResponseWriter, r *http.Request, v any, err error) {
	if err != nil {
		events.Problem(w, r, err)
		return
	}
	httpapi.WriteJSON(w, http.StatusOK, v)
}

package events

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// Routes adds the management routes of events.
func (s *Store) Routes(mux *http.ServeMux, admin *httpapi.Admin) {
	mux.HandleFunc("GET /events", admin.Guard(s.list))
	mux.HandleFunc("GET /events/{id}", admin.Guard(s.show))
	mux.HandleFunc("POST /events", admin.Guard(s.emit))
	mux.HandleFunc("POST /events/replay", admin.Guard(s.replay))
}

// Problem answers with an error of the store, which may be one of PostgreSQL.
func Problem(w http.ResponseWriter, r *http.Request, err error) {
	var refused *pgconn.PgError
	if _, told := fault.As(err); !told {
		if errors.As(err, &refused) && (refused.Code == "22023" || refused.Code == "54000") { // what our own functions raise
			told := fault.New(fault.Invalid, "events/refused", refused.Message)
			told.Hint = refused.Hint
			err = told
		} else {
			err = postgres.Explain(err)
		}
	}
	httpapi.WriteProblem(w, r, err)
}

// list is a page: cursor goes on where the one before ended.
type list struct {
	Events []*Event `json:"events"`
	Cursor string   `json:"cursor,omitempty"`
}

func opOf(text string) (Op, error) {
	op := Op(strings.ToUpper(text))
	if text != "" && SetOf(op) == 0 {
		return "", fault.New(fault.Invalid, "events/bad-op", "there is no op `"+text+"`").WithHint("one of INSERT, UPDATE, DELETE, TRUNCATE, CUSTOM")
	}
	return op, nil
}

func (s *Store) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, err := httpapi.Limit(r)
	f := Filter{Entity: q.Get("entity"), Limit: limit}
	if err == nil {
		f.Op, err = opOf(q.Get("op"))
	}
	if err == nil {
		f.Since, err = httpapi.Moment("since", q.Get("since"))
	}
	if err == nil {
		f.Before, err = httpapi.Number("cursor", q.Get("cursor"))
	}
	if err == nil {
		err = s.Captured(r.Context(), f.Entity)
	}
	var all []*Event
	if err == nil {
		all, err = s.List(r.Context(), f)
	}
	if err != nil {
		Problem(w, r, err)
		return
	}
	page := list{Events: all}
	if len(all) == limit {
		page.Cursor = strconv.FormatInt(all[len(all)-1].ID, 10)
	}
	httpapi.WriteJSON(w, http.StatusOK, page)
}

func (s *Store) show(w http.ResponseWriter, r *http.Request) {
	id, err := httpapi.Number("id", r.PathValue("id"))
	var all []*Event
	if err == nil {
		all, err = s.List(r.Context(), Filter{IDs: []int64{id}, Limit: 1})
	}
	switch {
	case err != nil:
		Problem(w, r, err)
	case len(all) == 0:
		Problem(w, r, fault.New(fault.NotFound, "events/not-found", "there is no event "+r.PathValue("id")+", or it is no longer kept"))
	default:
		httpapi.WriteJSON(w, http.StatusOK, all[0])
	}
}

func (s *Store) emit(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Name string          `json:"name"`
		Data json.RawMessage `json:"data"`
		Key  json.RawMessage `json:"key"`
	}
	err := httpapi.ReadJSON(r, &body)
	var id int64
	if err == nil {
		id, err = s.Emit(r.Context(), body.Name, body.Data, body.Key)
	}
	if err != nil {
		Problem(w, r, err)
		return
	}
	httpapi.WriteJSON(w, http.StatusAccepted, map[string]string{"id": strconv.FormatInt(id, 10)})
}

func (s *Store) replay(w http.ResponseWriter, r *http.Request) {
	var body struct {
		IDs      []string `json:"ids"`
		Entity   string   `json:"entity"`
		Op       string   `json:"op"`
		Since    string   `json:"since"`
		Until    string   `json:"until"`
		Observer string   `json:"observer"`
		DryRun   bool     `json:"dry_run"`
	}
	err := httpapi.ReadJSON(r, &body)
	f := Filter{Entity: body.Entity}
	for _, text := range body.IDs {
		var id int64
		if err == nil {
			id, err = httpapi.Number("ids", text)
		}
		f.IDs = append(f.IDs, id)
	}
	if err == nil {
		f.Op, err = opOf(body.Op)
	}
	if err == nil {
		f.Since, err = httpapi.Moment("since", body.Since)
	}
	if err == nil {
		f.Until, err = httpapi.Moment("until", body.Until)
	}
	if body.Observer != "" {
		f.Consumer = "observer:" + strings.TrimPrefix(body.Observer, "observer:") // as consumers are listed
	}
	if err == nil {
		err = s.Captured(r.Context(), f.Entity)
	}
	var count int64
	if err == nil {
		count, err = s.Replay(r.Context(), f, body.DryRun)
	}
	if err != nil {
		Problem(w, r, err)
		return
	}
	httpapi.WriteJSON(w, http.StatusAccepted, map[string]any{"deliveries": count, "dry_run": body.DryRun})
}

// Package status tells how a server and what it shares with others stand, as plain data: for the route /status, the command
// `status` and the dashboard.
package status

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// Section is what one feature tells of itself.
type Section struct {
	Name string
	Read func(ctx context.Context) (any, error)
}

// Snapshot is how things stand at a time. A section that could not be read has its error in place of itself.
type Snapshot struct {
	At       time.Time         `json:"at"`
	Sections map[string]any    `json:"sections"`
	Errors   map[string]string `json:"errors,omitempty"`
}

// patience is how long a section may take.
const patience = 5 * time.Second

// Read asks all sections at once.
func Read(ctx context.Context, sections []Section) Snapshot {
	s := Snapshot{At: time.Now(), Sections: map[string]any{}, Errors: map[string]string{}}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, one := range sections {
		all.Go(func() {
			v, err := one.Read(ctx)
			mu.Lock()
			defer mu.Unlock()
			if told, known := fault.As(err); known {
				s.Errors[one.Name] = told.Message
			} else if err != nil {
				s.Errors[one.Name] = "it could not be read"
			} else {
				s.Sections[one.Name] = v
			}
		})
	}
	all.Wait()
	return s
}

// Routes adds the management route.
func Routes(mux *http.ServeMux, admin *httpapi.Admin, sections []Section) {
	mux.HandleFunc("GET /status", admin.Guard(func(w http.ResponseWriter, r *http.Request) {
		httpapi.WriteJSON(w, http.StatusOK, Read(r.Context(), sections))
	}))
}

package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestEveryServerHasEveryQuery keeps the three servers comparable: a query that one of them lacks is not measured.
func TestEveryServerHasEveryQuery(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"fraiseql", "postgraphile"} {
		files, err := os.ReadDir("../queries/" + server)
		if err != nil {
			t.Fatal(err)
		}
		want := len(queries)
		if server == "postgraphile" {
			want-- // it is not measured with row security
		}
		if len(files) != want {
			t.Errorf("%s has %d queries, the baseline %d", server, len(files), len(queries))
		}
		for _, f := range files {
			if _, known := queries[strings.TrimSuffix(f.Name(), ".graphql")]; !known {
				t.Errorf("the baseline does not know %s of %s", f.Name(), server)
			}
		}
	}
}

type broken struct{}

func (broken) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, errors.New("away")
}

func (broken) SendBatch(context.Context, *pgx.Batch) pgx.BatchResults { return nil }

func TestAnswersThatAreErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{"/row-by-key", `{"id":1}`, http.StatusInternalServerError},
		{"/row-by-key", `{}`, http.StatusBadRequest},
		{"/row-by-key", `{"id":"1"}`, http.StatusBadRequest},
		{"/list-of-20", ``, http.StatusBadRequest},
		{"/unheard", `{}`, http.StatusNotFound},
	} {
		w := httptest.NewRecorder()
		routes(broken{}).ServeHTTP(w, httptest.NewRequest(http.MethodPost, c.path, strings.NewReader(c.body)))
		if w.Code != c.want {
			t.Errorf("%s %s: %d, want %d", c.path, c.body, w.Code, c.want)
		}
	}
}

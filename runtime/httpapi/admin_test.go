package httpapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// TestWhoMayManage asks a management route and another one, as everybody who may ask.
func TestWhoMayManage(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef0123456789abcdef"
	for _, c := range []struct {
		name                string
		token, role         string // configured
		path, header, asked string // asked is the role of the principal; "-" for nobody
		want                int
	}{
		{"the token", token, "", "/events", "Bearer " + token, "-", 200},
		{"the token, written otherwise", token, "", "/events/17", "bearer  " + token, "-", 200},
		{"another token", token, "", "/events", "Bearer " + token + "x", "-", 403},
		{"a part of it", token, "", "/events", "Bearer " + token[:31], "-", 403},
		{"an empty one", token, "", "/events", "Bearer ", "-", 403},
		{"another scheme", token, "", "/events", "Basic " + token, "-", 403},
		{"none", token, "", "/events", "", "-", 401},
		{"nothing is configured", "", "", "/events", "Bearer ", "-", 403},
		{"nothing is configured, and nothing sent", "", "", "/events", "", "admin", 403},
		{"the role", "", "admin", "/events", "", "admin", 200},
		{"another role", "", "admin", "/events", "Bearer jwt", "user", 403},
		{"a principal without a role", "", "", "/events", "Bearer jwt", "", 403},
		{"the role beside a token", token, "admin", "/events", "Bearer jwt", "admin", 200},
		{"the token opens nothing else", token, "", "/graphql", "Bearer " + token, "-", 418},
	} {
		admin := httpapi.NewAdmin(c.token, c.role, "events")
		mux := http.NewServeMux()
		reached := admin.Guard(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "managed") })
		mux.HandleFunc("GET /events", reached)
		mux.HandleFunc("GET /events/{id}", reached)
		mux.HandleFunc("GET /graphql", func(http.ResponseWriter, *http.Request) { t.Errorf("%s: passed by what asks who it is", c.name) })
		asks := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // as package auth does
			if r.URL.Path == "/graphql" {
				w.WriteHeader(http.StatusTeapot)
				return
			}
			if c.asked != "-" {
				r = r.WithContext(httpapi.WithPrincipal(r.Context(), &httpapi.Principal{Role: c.asked}))
			}
			mux.ServeHTTP(w, r)
		})
		r := httptest.NewRequest(http.MethodGet, c.path, nil)
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		w := httptest.NewRecorder()
		admin.Identify(asks, mux).ServeHTTP(w, r)
		if w.Code != c.want || (w.Code == 200) != (w.Body.String() == "managed") || strings.Contains(w.Body.String(), token) {
			t.Errorf("%s: %d %s, want %d", c.name, w.Code, w.Body.String(), c.want)
		}
	}
}

func TestBodiesOfManagementRequests(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"name": "a", "n": 1}`: "", ``: "empty", `{`: "EOF", `{"name": 1}`: "`name`", `{"other": 1}`: "unknown field", `{"n": 1} {"n": 2}`: "more than one", `[]`: "array",
		`{"name": "` + strings.Repeat("x", 2<<20) + `"}`: "too large",
	} {
		var v struct {
			Name string `json:"name"`
			N    int    `json:"n"`
		}
		err := httpapi.ReadJSON(httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), &v)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v, want %q", body, err, want)
		}
	}
}

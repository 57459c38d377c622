package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Admin says who may use the management routes: whoever brings the admin token, and principals of a role. Where neither is
// configured nobody may.
type Admin struct {
	digest [sha256.Size]byte
	token  bool
	role   string
	below  []string // the first segments of the routes that it guards
}

// NewAdmin makes the guard of routes below some first segments, such as "events". Empty token and role are none.
func NewAdmin(token, role string, below ...string) *Admin {
	return &Admin{digest: sha256.Sum256([]byte(token)), token: token != "", role: role, below: below}
}

type adminKey struct{}

// Identify lets requests that bring the admin token to a guarded route pass by what would ask who they are; all others, and
// those for other routes, take the way through it.
func (a *Admin) Identify(otherwise, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.guards(r.URL.Path) && a.brings(r) {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), adminKey{}, true)))
			return
		}
		otherwise.ServeHTTP(w, r)
	})
}

func (a *Admin) guards(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return slices.Contains(a.below, first)
}

// brings tells whether a request has the admin token, in a time that tells nothing of it.
func (a *Admin) brings(r *http.Request) bool {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	digest := sha256.Sum256([]byte(strings.TrimSpace(token)))
	return subtle.ConstantTimeCompare(digest[:], a.digest[:]) == 1 && a.token && strings.EqualFold(kind, "Bearer")
}

// Guard lets through who may use management routes.
func (a *Admin) Guard(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		admin, _ := r.Context().Value(adminKey{}).(bool)
		p := PrincipalOf(r.Context())
		switch {
		case admin, p != nil && a.role != "" && p.Role == a.role:
			w.Header().Set("Cache-Control", "no-store")
			next(w, r)
		case !a.token && a.role == "":
			WriteProblem(w, r, fault.New(fault.Forbidden, "admin/not-configured", "management routes are closed: nobody is configured who may use them").
				WithHint("set [server] admin_token_env, or [auth] admin_role"))
		case r.Header.Get("Authorization") == "":
			w.Header().Set("WWW-Authenticate", "Bearer")
			WriteProblem(w, r, fault.New(fault.Unauthenticated, "admin/no-token", "this route wants the admin token").WithHint("send it as Authorization: Bearer …"))
		default:
			WriteProblem(w, r, fault.New(fault.Forbidden, "admin/refused", "whoever sent this may not use management routes").
				WithHint("send the token of the server's [server] admin_token_env as Authorization: Bearer …, or one of [auth] admin_role"))
		}
	}
}

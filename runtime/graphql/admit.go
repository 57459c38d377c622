package graphql

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strconv"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// admitted is a request that may be answered: what its role sees, and who its statements run as.
type admitted struct {
	*picture
	session *execute.Session // nil is the login, without claims
}

// admit finds what the one who asks may see. A role that is not in [graphql.roles] is refused, whatever the database
// would let the login do.
func (s *Service) admit(who *httpapi.Principal) (admitted, *transport.Response) {
	now := s.pictures.Load()
	if now == nil {
		why := s.notLoaded()
		problem := plan.Problem(plan.InternalError, why.Message+"; try again soon", nil)
		return admitted{}, &transport.Response{Result: execute.Result{Errors: gqlerror.List{problem}, Unavailable: true}}
	}
	name := ""
	if who != nil {
		name = who.Role
	}
	p := now.byName[name]
	switch {
	case p == nil && name == "":
		problem := plan.Problem(plan.Unauthenticated, "nobody says who asks: send a token", nil)
		return admitted{}, &transport.Response{Result: execute.Result{Errors: gqlerror.List{problem}}}
	case p == nil:
		problem := plan.Problem(plan.Forbidden, "the role "+strconv.Quote(plan.Shorten(name, 80))+" may not ask here: [graphql.roles] lists those that may", nil)
		return admitted{}, &transport.Response{Result: execute.Result{Errors: gqlerror.List{problem}}}
	case who == nil && p.role == "":
		return admitted{picture: p}, nil
	}
	a := admitted{picture: p, session: &execute.Session{Role: p.role, Claims: p.unclaimed, Timeout: s.deps.Timeout}}
	if who != nil && who.Claims != nil {
		a.session.Claims = who.Claims
	}
	return a, nil
}

// keyOf makes the key of a request: of who asks, and of what is asked. Who asks is all that is claimed, but for what
// changes from token to token: one person may act for several tenants.
func keyOf(r transport.Request) *execute.Key {
	var who httpapi.Principal
	if r.Principal != nil {
		who = *r.Principal
	}
	claims := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(who.Claims))
	decoder.UseNumber() // ids of tenants may have more digits than a float
	if err := decoder.Decode(&claims); err != nil && len(who.Claims) > 0 {
		claims["claims"] = string(who.Claims) // they have been read before: nobody is to share a key because of it
	}
	for _, passing := range []string{"exp", "iat", "nbf", "jti", "auth_time"} {
		delete(claims, passing)
	}
	return &execute.Key{
		Scope: digest(who.Role, who.Issuer, who.Subject, claims), Name: r.IdempotencyKey,
		Request: digest(r.Query, r.OperationName, r.Variables),
	}
}

// digest is the SHA-256 of values, written as one JSON list: no two lists of values look alike.
func digest(values ...any) []byte {
	text, err := json.Marshal(values) // members of objects in the order of their names
	if err != nil {
		panic(err) // they were decoded from JSON
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

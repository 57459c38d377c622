package httpapi

import (
	"context"
	"time"
)

// Principal is who sent a request. It is a claim that was checked: package auth makes it, whoever needs it reads it.
type Principal struct {
	Subject string // who it is, unique for the issuer
	Issuer  string
	Role    string // the name of the role that is asked for; empty when none is named
	Claims  []byte // all that is claimed, one JSON object; nil for nobody

	Until time.Time // when it ends to hold; zero where nobody says
}

type principalKey struct{}

// WithPrincipal notes who sent a request.
func WithPrincipal(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalOf tells who sent a request; nil when nobody asks that, as [auth] is off.
func PrincipalOf(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey{}).(*Principal)
	return p
}

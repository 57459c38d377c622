// Package auth tells who sent a request: it verifies what others say of that, and makes nothing up.
//
//	Authorization: Bearer …  ──> signature, issuer, audience, time ──┐
//	a proxy's headers        ──> its secret, or its address ─────────┼─> httpapi.Principal
//	neither                  ──> nobody: anonymous_role ─────────────┘
//
// What is there and does not hold is refused with 401: a bad token is never taken for none. A principal's role is a name
// that it asks for; what that may do is decided where it is used.
package auth

package graphql

import (
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

const (
	// introspectedBytes bounds the answers about the schema that are kept, of all roles.
	introspectedBytes = 32 << 20
	// introspectedFrom is the size from which on they are: smaller ones are made faster than they are found.
	introspectedFrom = 16 << 10
)

// introspected are answers about the schema by the texts and operations that ask for it. Those about large schemas have
// tens of megabytes, and whoever opens an editor wants one. They go with the picture of the role whose schema they tell.
type introspected struct{ *lru[*transport.Kept] }

func newIntrospected(share int) introspected {
	return introspected{newLRU[*transport.Kept](0, introspectedBytes/max(1, share))}
}

// keeps tells whether the answer to a request is one to keep, and its key.
func (c introspected) keeps(op *plan.Operation, r transport.Request) (key string, keeps bool) {
	if !op.Fixed || !r.Open || r.Cost || len(r.Variables) > 0 || len(r.Query) > keptText {
		return "", false
	}
	return op.Name + "\n" + r.Query, true
}

// keep keeps an answer, which is not used any more.
func (c introspected) keep(key string, response transport.Response) transport.Response {
	if len(response.Body) < introspectedFrom {
		return response
	}
	k := transport.Keep(response.Body, func(k *transport.Kept, bytes int) { c.grow(key, k, bytes) })
	response.Release()
	return transport.Response{Kept: c.put(key, k, len(key)+k.Held())}
}

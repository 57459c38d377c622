// Package execute runs plans: statements on PostgreSQL connections, rows into the bytes of a response.
//
//	Plan ──> one connection ──pipeline──> rows ──> {"data":{…}} as bytes, never as Go maps
//
// One root field is one statement in a transaction of its own. Several are sent together in one
// read-only snapshot, so that what they show fits together. A request costs one round trip; the first
// one of its shape on a connection also prepares the statement in that same round trip.
package execute

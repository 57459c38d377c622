// Package execute runs plans: statements on connections that it owns, rows into the bytes of a response.
//
//	Bound ──> unit ──> a lane's connection ──pipeline──> rows ──> {"data":{…}} as bytes, never as Go maps
//
// One root field is one statement in a transaction of its own. Several short ones are one statement; longer ones
// are sent together in one read-only snapshot, so that what they show fits together. A request costs one round
// trip; the first one of its shape on a connection also prepares the statement in that same round trip.
//
// Statements that are known to be quick share connections (lanes.go), each unit up to a synchronisation of its own
// (exchange.go); all others have one each (direct.go). A unit is a read, so that it may be sent again: after a lost
// connection, a stale plan, a neighbour's failure, or when it or what runs before it takes long (watch.go).
package execute

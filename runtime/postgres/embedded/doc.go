// Package embedded runs a private PostgreSQL cluster in a folder, for people who have no server yet
// and for our own tests.
//
// The first process that needs the cluster makes it (initdb) and starts it; others that come while it
// runs attach to it. A small shell loop, the keeper, is the parent of the server. Every process that
// uses the cluster holds the writing end of a pipe whose reading end the keeper has: when the last one
// ends, however it ends, the pipe closes and the keeper stops the server. If the server itself dies
// while it is needed, the keeper starts it again.
//
//	fraiseql serve ──┐
//	fraiseql query ──┼──pipe──> keeper (sh) ──> postgres
//	a test ──────────┘             └─ pipe closed: stop the server, end
//
// The server listens on 127.0.0.1 only, at a free port, and wants a random password that stands in a
// file which only its owner can read. Started as root, everything runs as an account without rights,
// because PostgreSQL refuses root.
package embedded

// Package why tells what a thing came from, and what came of it: from a request, a schedule or a transaction of the database
// by way of events, observers and jobs to what was answered, and back.
//
//	request ─> transaction ─> event ─> action (tries, reply) ─> job (tries, result) ─> event ─> …
//
// Whatever of this program works in the database says so in its transaction (events.Origin), so that events and jobs know it.
// What has been forgotten by then ends the chain.
package why

// Package redis keeps jobs in Redis, with asynq (github.com/hibiken/asynq): tasks, their queues and the loops that work them
// are asynq's, so its own tools show them.
//
// A logical queue is four of asynq's, QUEUE:1 to QUEUE:4, one for each priority. A task's payload is an envelope; what asynq has
// no place for are further fields of the task's hash, which live as long as it does: how often it was begun, by whom, what its
// tries said and why they failed. The id of a job is that of its task; a sorted set has all ids, for lists.
//
// What asynq leaves open is done where its scripts go through a connection of ours (conn.go): jobs are taken within bounds over
// all servers and of known kinds only (scripts/take.lua), whoever ends a job must have it still (scripts/end.lua), and Redis's
// clock decides what is due and who is gone. This rests on the keys that asynq's scripts are given, so its version is pinned, and
// what is promised here is tested.
//
//	transaction ──> _system.job_outbox ──> Redis: available or scheduled ──> …
//	                relayed by any server, removed when Redis has it
//
// Redis cannot take part in a transaction of PostgreSQL: a job may be worked again when a server dies before it could say that it
// is done, also when its work was committed.
package redis

// Package jobs has work done later, elsewhere, or again and again: each job ends exactly once, as completed, cancelled or dead.
//
//	              due              taken            done
//	scheduled ─────────> available ─────> running ─────────> completed
//	                       ^  ^             │ │ │
//	                       │  └─ snoozed, ──┘ │ ├─ cancelled ─> cancelled
//	                       │     server gone  │ │
//	                       └── retryable <────┘ └─ failed for the last time, or for good ─> dead
//
// A Service knows kinds of jobs (Handler) and schedules, and talks to a Queue, which keeps the jobs: in PostgreSQL (package
// jobs/postgres). What a queue cannot do it says (Caps), and a configuration that asks for it is refused.
//
// A job is worked at least once: what it does outside of the database may happen again when a server dies before it could say
// that it is done. Its key (Try.Key) is the same then. Functions and statements run in the transaction that completes the job:
// exactly once.
package jobs

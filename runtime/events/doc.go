// Package events captures what changes in the database, whoever changes it, and lets it be read.
//
//	            in the transaction of the change
//	   ┌────────────────────────────────────────────────┐
//	write ─> trigger ─> capture_N() ─> event                    (what happened: append-only, a partition a day)
//	                              └──> event_delivery           (who is still to act: package dispatch)
//	select _system.emit_event(…) ──────┘
//
// A table is captured when somebody hears of it (Interest). Its triggers belong to the owner of the tables and are made by
// Install; what they call is made anew by the database itself (_system.recapture) whenever interests or columns change,
// for which no right on the table is needed. An event that nobody hears is not written.
//
// There are two ways to hear. Deliveries are rows of their own and end as done or dead, in order for each key. Readers
// (Reader) go through the events as a log: each event once, as soon as it is visible, in an order in which changes of one row
// keep theirs. The position of a reader is a snapshot: what it did not see and the next does is new. An order by ids or
// by transactions would lose or reorder what commits late.
package events

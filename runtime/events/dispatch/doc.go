// Package dispatch hands changes of data to who hears them, each at least once, in order for each key, on all servers
// together as if there were one.
//
// The transaction of a change has written a row of _system.event_delivery for each consumer. It is there when the change
// was committed, never before, and is gone when its work is done. Nothing is claimed row by row: keys are divided into
// sixteen lanes, and who holds a lane (package cluster) works for it alone.
//
//	               ┌── what has become visible since the last look (tail) ──┐
//	event_delivery ┤                                                        ├─> lines, one for each key ─> work ─> settle
//	               └── what was there before, in order of ids (catch-up) ───┘        │  head only            │
//	                                                                                 └──── retry, later <────┤
//	                                                                                       dead letter <─────┘
//
// A look asks for what the snapshot of this look sees and that of the last one did not: transactions that commit late,
// with a lower id than others, are found like all, and nobody waits for a session that idles in its transaction. Two
// changes of one row are visible in the order of their ids, as the second had to wait for the lock of the first; so a
// line that is filled in that order is in order.
//
// A change of a key stands in the line of its new key and waits for what came before it in the old one; what comes
// later in the old one waits for it. TRUNCATE does so for all keys.
//
// Work is done at least once: a server that dies between the work and its mark leaves the row to the next. Work within
// the database (Consumer.Batch) is done in the transaction that removes the row, and so exactly once.
package dispatch

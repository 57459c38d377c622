// Package subscribe tells clients of changes of rows, from the feed of events.
//
//	                       ┌─> group: rows by key, as its role ─┬─> outbox ─> client
//	events ─> Hub: Reader ─┤                                    └─> outbox ─> client
//	                       └─> group …
//
// A group is subscriptions that read alike: one document, its values, one role and, where policies or functions can tell the
// difference, the same claims. For what has changed meanwhile a group reads the rows by one statement, and writes each payload
// once for all of its members. A group that is slow holds up no other: what waits for it is read at once, the next time.
//
// Who is told of what. Of a row that the statement gives, which is one that PostgreSQL shows to the role now and that meets
// the conditions now. Of one that it does not give any more, only who knew of it: it was among the rows of the group when the
// group began, or was told since. So nobody is told of a row, not even of its key, that PostgreSQL has not shown to him.
// Where a group has no condition and its role sees every row of the table, there is nothing to know: all are told.
//
// What waits for a client is bounded (Outbox). One that is too slow loses its connection, and no change in silence.
package subscribe

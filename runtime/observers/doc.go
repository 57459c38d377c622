// Package observers does something when data changes: [observers.NAME] says after which change of what, on which condition,
// and which actions follow.
//
//	change ─> event_delivery ─> condition ─┬─ no ──> done, nothing is noted
//	                                       └─ yes ─> action 1 ─> action 2 ─> … ─> done
//	                                                  │  ^
//	                                                  └──┘ tried again, after waits that double
//	                                                  └──> for the last time: dead letter, or on_failure says else
//
// What an action promises depends on what it does. A function of the database runs in the transaction that notes that it
// ran: exactly once. Whatever leaves the database is done at least once, and a second time looks like the first: the id of a
// webhook derives from the event, the observer and the action. Changes of one row are acted on in their order.
//
// Each action leaves a row in _system.observer_logs: pending while it is tried again, then success or failed.
package observers

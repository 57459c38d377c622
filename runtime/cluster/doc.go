// Package cluster lets servers on one database share work without one of them being special.
//
// Each server is a node: it says once a second that it lives. Work that one node at a time may do is a slot of a
// lease, a row in the database; the nodes divide the slots of a lease evenly between them.
//
//	       acquire                    renewed every second
//	free ───────────> held by a node ───────────────────────┐
//	 ^  ^                │        └<────────────────────────┘
//	 │  └── given back ──┤  another node came, or this one ends: what is at work is finished first
//	 └───── expires ─────┘  after Term without a renewal: the node died, or cannot reach the database
//
// Only the clock of the database decides when a slot expires. A holder stops by its own clock a little earlier, counted
// from before it asked (Slot.Until), so that two holders never act at once, whatever their clocks say. Each holder of
// a slot has a higher epoch than the one before: what a late one still writes is told by it, and refused.
package cluster

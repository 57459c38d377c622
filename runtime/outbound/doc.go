// Package outbound is the one way by which this program calls others over HTTP: webhooks, handlers of jobs, providers.
//
// What it promises of a call:
//
//   - It is sent once, and ends within its time, whatever the other side does: answers that trickle, bodies without an end,
//     a connection that nothing comes of. Of an answer's body 1 MiB is read at most.
//   - It reaches no address that [outbound] allow does not open: loopback, private, link-local (where clouds keep their
//     metadata), and all others that are not of the public internet. That is judged when a connection is dialled, on the
//     address that the name was resolved to, so that a name which resolves differently the next time does not pass.
//   - It follows no redirect, asks no proxy of the environment, keeps no cookies, and verifies certificates always.
//   - What came of it is one of four classes, and whether the other side may have acted without our knowing is said, too.
//   - Neither errors nor logs have an address's path, query or password: the paths of webhooks are secrets.
//
// A host is a scheme, a name and a port. One that fails is left alone, so that calls to it do not hold up those to others:
//
//	      break_after failures in a row            break_for is over
//	well ──────────────────────────────> rests ───────────────────────> one call tries
//	 ^                                     ^                               │     │
//	 │                                     └─────────── it fails ──────────┘     │
//	 └───────────────────────────────────────────────── it is answered ──────────┘
//
// While a host rests, calls to it end at once, with the class Again and the time until the next try. An answer of any kind
// that is no failure, brought by whichever call, makes it well. That is known to this process alone, and hosts that are well
// are not remembered.
//
// What the guard cannot know: with a proxy it is the proxy that resolves names, so only addresses that a URL gives as
// numbers are judged, and names that mean loopback; the proxy has to judge the rest. Nor does it know which public addresses
// lead to the inside of a network (this machine's own, a load balancer's, a NAT64 prefix of one's own): that is for a firewall.
//
// [Keys] signs calls as Standard Webhooks 1.0 says, and verifies those of others.
package outbound

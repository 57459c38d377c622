// Package httpapi is the HTTP side of the program that all features share: the listener, what happens
// around every request, health, and how errors look.
//
// States of a server, which /ready shows:
//
//	starting ──checks pass──> ready ──told to stop──> draining ──delay over, requests done──> stopped
//	              <──a check fails──
//
// While draining, requests are still taken until the delay is over, because load balancers need that
// long to see; then the listener closes and requests at work are finished.
package httpapi

package graphql

import (
	"strconv"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// TestPinsThatAreForgotten show nobody what was there before.
func TestPinsThatAreForgotten(t *testing.T) {
	t.Parallel()
	p, began := newPins(), time.Now()
	at := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	expect := func(caller string, want postgres.Position) {
		t.Helper()
		if got := p.of(caller); got != want {
			t.Fatalf("%s sees %d, want %d", caller, got, want)
		}
	}
	p.put("ann", 10, at(0))
	p.put("bob", 20, at(1))
	p.put("ann", 5, at(2)) // two at once, told in the other order
	expect("ann", 10)
	expect("carl", 0)
	p.age(at(2))
	expect("ann", 20) // with bob's, who is forgotten
	expect("bob", 20)
	expect("carl", 20)
	p.put("dora", postgres.Nowhere, at(3))
	expect("dora", postgres.Nowhere)
	p.settle(30, at(3))
	expect("dora", postgres.Nowhere) // it may still be at work
	p.settle(40, at(4))
	expect("dora", 40)
	p.put("emil", postgres.Nowhere, at(5))
	for i := range mostPins {
		p.put(strconv.Itoa(i), 50, at(6))
	}
	if p.order.Len() != mostPins || len(p.byCaller) != mostPins {
		t.Fatalf("%d pins", p.order.Len())
	}
	expect("carl", postgres.Nowhere) // emil's
	p.settle(60, at(6))
	expect("carl", 60)
	expect("7", 60)
}

// TestCallers have the name of their subject, whatever role it takes on.
func TestCallers(t *testing.T) {
	t.Parallel()
	r := &replicas{pins: newPins()}
	write := func(who *httpapi.Principal, role string, at postgres.Position) {
		caller, _ := callerOf(who, role)
		r.pins.put(caller, at, time.Now())
	}
	ann := &httpapi.Principal{Subject: "ann", Issuer: "us"}
	write(ann, "member", 10)
	write(nil, "", 20)
	for _, c := range []struct {
		who     *httpapi.Principal
		role    string
		version postgres.Position
		want    postgres.Position
	}{
		{ann, "staff", 0, 10},
		{ann, "staff", 5, 10},
		{ann, "staff", 15, 15},
		{&httpapi.Principal{Subject: "ann", Issuer: "others"}, "member", 0, 0},
		{nil, "", 0, 20},
		{nil, "", 5, 5}, // it says itself what it has seen
		{&httpapi.Principal{Role: "guest"}, "guest", 0, 0},
	} {
		if got := r.sees(c.role, transport.Request{Principal: c.who, Version: c.version}); got != c.want {
			t.Errorf("%+v sees %d", c, got)
		}
	}
}

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
		if got := r.sees(c.role, transport.Request{Principal: c.who, Version: transport.Version{At: c.version}}); got != c.want {
			t.Errorf("%+v sees %d", c, got)
		}
	}
}

// TestPinsOfUnknownEnds are held to the primary until what they wrote must have ended, whatever they write after it.
func TestPinsOfUnknownEnds(t *testing.T) {
	t.Parallel()
	p, began := newPins(), time.Now()
	at := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	p.put("guest", postgres.Nowhere, at(0))
	for second := 1; second < 30; second++ { // it goes on writing all the time
		p.put("guest", postgres.Position(second), at(second))
		p.settle(postgres.Position(second), at(second-15))
		if got, want := p.of("guest"), second > 15; (got != postgres.Nowhere) != want || want && got != postgres.Position(second) {
			t.Fatalf("after %d s it sees %d", second, got)
		}
	}
	p.put("guest", postgres.Nowhere, at(30))
	p.put("guest", postgres.Nowhere, at(40)) // the later one counts
	p.settle(100, at(35))
	if got := p.of("guest"); got != postgres.Nowhere {
		t.Errorf("it sees %d", got)
	}
	p.settle(110, at(41))
	if got := p.of("guest"); got != 110 || len(p.unsure) != 0 {
		t.Errorf("it sees %d", got)
	}
	p.put("first", postgres.Nowhere, at(50))
	p.put("later", postgres.Nowhere, at(60))
	for i := range mostPins {
		p.put(strconv.Itoa(i), 120, at(61))
	}
	p.settle(130, at(55))
	if got := p.of("later"); got != postgres.Nowhere {
		t.Errorf("what was forgotten is no longer unsure: it sees %d", got)
	}
	p.settle(140, at(61))
	if got := p.of("later"); got != 140 || len(p.unsure) != 0 {
		t.Errorf("it sees %d", got)
	}
}

// TestPinsOfAnotherHistory has places that the log does not have any more.
func TestPinsOfAnotherHistory(t *testing.T) {
	t.Parallel()
	p, began := newPins(), time.Now()
	at := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	p.put("old", 500, at(0))
	p.age(at(1)) // the floor is 500
	p.put("ann", 600, at(2))
	p.put("bob", 100, at(3))
	p.put("carl", 350, at(5))
	p.rebase(300, at(4))
	for caller, want := range map[string]postgres.Position{"ann": 300, "bob": 300, "carl": 350, "dora": 300} {
		if got := p.of(caller); got != want {
			t.Errorf("%s sees %d, want %d", caller, got, want)
		}
	}
}

// TestVersionsOfUnknownEnds are those of mutations that may have been made, some time.
func TestVersionsOfUnknownEnds(t *testing.T) {
	t.Parallel()
	now := time.Now()
	r := &replicas{pins: newPins(), unsure: 10 * time.Second}
	sees := func(version postgres.Position) postgres.Position {
		return r.sees("", transport.Request{Principal: &httpapi.Principal{Subject: "ann"}, Version: transport.Version{At: version}})
	}
	if got := sees(postgres.UnsureAt(now.Add(-time.Hour))); got != postgres.Nowhere {
		t.Errorf("before the primary was asked it sees %d", got)
	}
	r.stands, r.asked = &postgres.Standing{Position: 700}, now
	for version, want := range map[postgres.Position]postgres.Position{
		postgres.UnsureAt(now.Add(-12 * time.Second)): 700,
		postgres.UnsureAt(now.Add(-8 * time.Second)):  postgres.Nowhere,
		postgres.UnsureAt(now.Add(time.Hour)):         postgres.Nowhere,
		postgres.Nowhere:                              postgres.Nowhere, // no header of ours
		800:                                           800,
		0:                                             0,
	} {
		if got := sees(version); got != want {
			t.Errorf("%x sees %d, want %d", uint64(version), got, want)
		}
	}
}

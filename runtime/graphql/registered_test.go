package graphql

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// registering gives the request of a client that sends a text with its digest, or the digest alone.
func registering(text string, with bool) transport.Request {
	sum := sha256.Sum256([]byte(text))
	r := transport.Request{Digest: hex.EncodeToString(sum[:])}
	if with {
		r.Query = text
	}
	return r
}

// TestWhatClientsRegisterIsBounded by number and by bytes; what was used the longest ago goes first, and no
// role's texts push out another's.
func TestWhatClientsRegisterIsBounded(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	c.Persisted = &Persisted{}
	c.Roles = map[string]Role{"a": {}, "b": {}}
	for name, bound := range map[string]struct {
		size, most int
	}{
		"by number": {20, registeredTexts / 2},
		"by bytes":  {256 << 10, registeredBytes / 2 / (256<<10 + registeredFrame)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPersisted(c, Deps{})
			text := func(i int) string { return fmt.Sprintf("%-*d", bound.size, i) }
			known := func(role string, i int) bool {
				r := registering(text(i), false)
				return p.find(t.Context(), role, &r) == nil && r.Query == text(i) && r.Digest == ""
			}
			p.register(t.Context(), "b", registering(text(1), true))
			for i := range bound.most {
				p.register(t.Context(), "a", registering(text(i), true))
			}
			if !known("a", 1) || !known("a", 0) {
				t.Fatal("a text has gone before the bound")
			}
			p.register(t.Context(), "a", registering(text(bound.most), true))
			if !known("a", bound.most) || !known("a", 0) || !known("a", 1) || known("a", 2) {
				t.Error("it was not what was used the longest ago that has gone")
			}
			if !known("b", 1) {
				t.Error("one role's texts push out another's")
			}
		})
	}
}

// TestRegisteredTextsHoldNothingElse has texts that are pieces of long addresses. It is not parallel: the memory of all is
// counted.
func TestRegisteredTextsHoldNothingElse(t *testing.T) { //nolint:paralleltest // see above
	c := DefaultConfig()
	c.Persisted = &Persisted{}
	p := newPersisted(c, Deps{})
	before := living()
	for i := range 50 {
		address := fmt.Sprintf("query=query q%04d { __typename }&x=%s", i, strings.Repeat("x", 1<<20))
		p.register(t.Context(), "", registering(address[6:32], true))
	}
	if taken := living() - before; taken > 4<<20 {
		t.Errorf("%d KB are kept", taken>>10)
	}
	if r := registering("query q0049 { __typename }", false); p.find(t.Context(), "", &r) != nil {
		t.Error("it is not known")
	}
}

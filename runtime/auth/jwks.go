package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	keysFresh  = 10 * time.Minute // how long keys count without another look
	keysStale  = 24 * time.Hour   // how long they do when there is no other look to be had
	keysAgain  = time.Minute      // between two looks because of keys that nobody knows
	keysRetry  = time.Second      // between two looks while there are no keys at all, or a key that nobody knows was looked for in vain
	keysTime   = 2 * time.Second
	keysBytes  = 64 << 10
	mostOfKeys = 100
)

var (
	errUnknownKey = errors.New("it is signed by a key that the issuer has not")
	errNoKeys     = errors.New("the issuer's keys cannot be had")
)

// keySet is the keys at an address. They are asked for when they are needed, by one request at a time; whoever sends tokens
// with made-up keys makes it ask once a minute.
type keySet struct {
	url    string
	wanted []string // algorithms
	client *http.Client
	now    func() time.Time

	asking  sync.Mutex // held while the issuer is asked
	mu      sync.Mutex // guards what follows
	keys    []key
	fetched time.Time
	tried   time.Time
	failed  bool // the last look
}

func newKeySet(url string, wanted []string, now func() time.Time) *keySet {
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &keySet{url: url, wanted: wanted, now: now, client: &http.Client{Timeout: keysTime, CheckRedirect: refuse}}
}

// find gives the key that a token names; without a name, the only one that suits.
func (s *keySet) find(ctx context.Context, id, method string) (key, error) {
	k, err := s.known(id, method)
	if !s.due(err) {
		return k, err
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	if k, err = s.known(id, method); !s.due(err) { // another one has asked meanwhile
		return k, err
	}
	keys, failed := s.fetch(ctx)
	s.mu.Lock()
	s.tried, s.failed = s.now(), failed != nil
	if failed == nil {
		s.keys, s.fetched = keys, s.tried
	}
	s.mu.Unlock()
	if k, err = s.known(id, method); err != nil && failed != nil {
		return key{}, fmt.Errorf("%w: %w", errNoKeys, failed)
	}
	return k, err
}

// due tells whether the issuer is to be asked, when a look at the keys has ended with err.
func (s *keySet) due(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	since := s.now().Sub(s.tried)
	switch {
	case s.tried.IsZero():
		return true
	case s.keys == nil || s.now().Sub(s.fetched) > keysStale:
		return since >= keysRetry
	case err != nil && s.failed: // whereas tokens of known keys do not wait for an issuer that is away
		return since >= keysRetry
	case err != nil || s.now().Sub(s.fetched) > keysFresh:
		return since >= keysAgain
	}
	return false
}

func (s *keySet) known(id, method string) (key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil || s.now().Sub(s.fetched) > keysStale {
		return key{}, errNoKeys
	}
	var found []key
	for _, k := range s.keys {
		if slices.Contains(k.methods, method) && (id == "" || k.id == id) {
			found = append(found, k)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case s.failed: // it may be a new one
		return key{}, errNoKeys
	}
	return key{}, errUnknownKey
}

func (s *keySet) fetch(ctx context.Context) ([]key, error) {
	// Whoever asked may hang up: the keys are for all.
	r, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer answers %s", answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, keysBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > keysBytes {
		return nil, fmt.Errorf("the issuer's keys have more than %d bytes", keysBytes)
	}
	return parseKeys(text, s.wanted)
}

// webKey is a key as RFC 7517 and RFC 7518, section 6, write it.
type webKey struct {
	Kty, Kid, Use, Crv string
	Operations         []string `json:"key_ops"`
	N, E, X, Y         string
}

// parseKeys reads a set; keys that verify no tokens are left out.
func parseKeys(text []byte, wanted []string) ([]key, error) {
	var set struct{ Keys []webKey }
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("the issuer's keys are no JSON Web Key Set: %w", err)
	}
	keys := []key{}
	for _, w := range set.Keys[:min(len(set.Keys), mostOfKeys)] {
		if w.Use != "" && w.Use != "sig" || len(w.Operations) > 0 && !slices.Contains(w.Operations, "verify") {
			continue
		}
		if k, err := w.key(); err == nil {
			keys = append(keys, k.narrowed(wanted))
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the issuer's answer has no key that verifies tokens")
	}
	return keys, nil
}

func (w webKey) key() (key, error) {
	number := func(text string) *big.Int {
		b, _ := base64.RawURLEncoding.DecodeString(text) // what is no number is too small a one
		return new(big.Int).SetBytes(b)
	}
	switch w.Kty {
	case "RSA":
		e := number(w.E)
		if !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 {
			return key{}, errUnknownKey
		}
		return publicKey(w.Kid, &rsa.PublicKey{N: number(w.N), E: int(e.Int64())})
	case "EC":
		curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[w.Crv]
		if curve == nil {
			return key{}, errUnknownKey
		}
		size := (curve.Params().BitSize + 7) / 8
		x, y := number(w.X), number(w.Y)
		if x.BitLen() > 8*size || y.BitLen() > 8*size {
			return key{}, errUnknownKey
		}
		point := append(append([]byte{4}, x.FillBytes(make([]byte, size))...), y.FillBytes(make([]byte, size))...)
		public, err := ecdsa.ParseUncompressedPublicKey(curve, point) // it must be on the curve
		if err != nil {
			return key{}, err
		}
		return publicKey(w.Kid, public)
	case "OKP":
		x, err := base64.RawURLEncoding.DecodeString(w.X)
		if w.Crv != "Ed25519" || err != nil || len(x) != ed25519.PublicKeySize {
			return key{}, errUnknownKey
		}
		return publicKey(w.Kid, ed25519.PublicKey(x))
	}
	return key{}, errUnknownKey
}

package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// Deps is what a Service works with.
type Deps struct {
	Dir string           // where relative paths of the configuration begin
	Now func() time.Time // nil is the clock
}

// Service tells who sent a request. It is safe for use by many goroutines.
type Service struct {
	config   Config
	tokens   *verifier // nil when no tokens are taken
	header   *TrustedHeader
	secret   []byte
	from     []netip.Prefix
	nobody   *httpapi.Principal
	fallback string
}

// New reads the keys that the configuration names. Keys at an address are asked for when they are needed.
func New(c Config, d Deps) (*Service, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	s := &Service{config: c, nobody: &httpapi.Principal{Role: c.AnonymousRole}, fallback: c.DefaultRole}
	if err := s.readKeys(c.JWT, d); err != nil {
		return nil, err
	}
	if h := c.TrustedHeader; h != nil && h.On() {
		s.header = h
		secret, err := h.Secret.Resolve(os.LookupEnv, d.Dir)
		if err != nil {
			return nil, err
		}
		s.secret = []byte(secret)
		for _, text := range h.From {
			prefix, err := netip.ParsePrefix(text)
			if err != nil {
				return nil, fault.Wrap(fault.Invalid, "auth/bad-address", "[auth.trusted_header] from has no address range", err)
			}
			s.from = append(s.from, prefix)
		}
	}
	return s, nil
}

func (s *Service) readKeys(c JWT, d Deps) error {
	bad := func(err error) error {
		return fault.Wrap(fault.Invalid, "auth/bad-key", "the key of [auth.jwt] cannot be used", err)
	}
	var k key
	var keys *keySet
	switch {
	case c.Secret.Given():
		secret, err := c.Secret.Resolve(os.LookupEnv, d.Dir)
		if err != nil {
			return err
		}
		if k, err = secretKey(secret); err != nil {
			return bad(err)
		}
	case c.PublicKey != "":
		path := c.PublicKey
		if !filepath.IsAbs(path) {
			path = filepath.Join(d.Dir, path)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return bad(err)
		}
		if k, err = pemKey(text); err != nil {
			return bad(err)
		}
	case c.JWKSURL != "":
		keys = newKeySet(c.JWKSURL, c.Algorithms, d.Now)
	default:
		return nil
	}
	k = k.narrowed(c.Algorithms)
	if keys == nil && len(k.methods) == 0 {
		return bad(errors.New("none of `algorithms` suits it"))
	}
	s.tokens = newVerifier(c, k, keys, d.Now)
	return nil
}

// Verify gives who a token is of, or a fault: auth/invalid-token, or auth/keys-unavailable.
func (s *Service) Verify(ctx context.Context, token string) (*httpapi.Principal, error) {
	if s.tokens == nil {
		return nil, invalid(errors.New("this server takes no tokens ([auth.jwt])"))
	}
	p, err := s.tokens.verify(ctx, token)
	switch {
	case errors.Is(err, errNoKeys):
		return nil, fault.Wrap(fault.Unavailable, "auth/keys-unavailable", errNoKeys.Error(), err)
	case err != nil:
		return nil, invalid(err)
	}
	return placed(p, s.fallback), nil
}

// Nobody gives who asks where nobody says it.
func (s *Service) Nobody() *httpapi.Principal { return s.nobody }

// Claimed gives who somebody is whose word is taken, as that of a person at the command line: claims are those of a token,
// as JSON, and empty are none; role is the one to take on whatever they say, and empty is the one that they have here. Nobody
// is nil where nobody has a role. Where nobody is asked (c is nil, or off) none is that of claims or of nobody.
func Claimed(c *Config, claims, role string) (*httpapi.Principal, error) {
	if c == nil || !c.On() {
		c = &Config{}
	}
	p := &httpapi.Principal{Role: c.AnonymousRole}
	if claims != "" {
		said, text, err := decodeClaims(claims)
		if err != nil {
			return nil, err
		}
		p = placed(principalOf(said, text, c.JWT.RoleClaim), c.DefaultRole)
	}
	if role != "" {
		p.Role = role
	}
	if claims == "" && p.Role == "" {
		return nil, nil //nolint:nilnil // nobody is a valid answer
	}
	return p, nil
}

// placed gives a principal without a role the one of those without.
func placed(p *httpapi.Principal, fallback string) *httpapi.Principal {
	if p.Role != "" || fallback == "" {
		return p
	}
	placed := *p
	placed.Role = fallback
	return &placed
}

func invalid(err error) *fault.Error {
	return fault.New(fault.Unauthenticated, "auth/invalid-token", fmt.Sprintf("the token is refused: %s", err))
}

// Identify lets requests through with who sent them, and refuses those that say so in a way that does not hold.
func (s *Service) Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := s.identify(r)
		if err != nil {
			if fault.KindOf(err) == fault.Unauthenticated {
				w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`) // RFC 6750, section 3
			}
			httpapi.WriteProblem(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(httpapi.WithPrincipal(r.Context(), p)))
	})
}

func (s *Service) identify(r *http.Request) (*httpapi.Principal, error) {
	token, given, err := bearer(r.Header["Authorization"])
	if err != nil {
		return nil, invalid(err)
	}
	p, headed, err := s.headed(r)
	switch {
	case err != nil:
		return nil, fault.New(fault.Unauthenticated, "auth/untrusted-header", err.Error())
	case headed && given:
		return nil, fault.New(fault.Unauthenticated, "auth/two-claims", "the request has a token and a proxy's headers: one of them says who asks")
	case headed:
		return placed(p, s.fallback), nil
	case given:
		return s.Verify(r.Context(), token)
	}
	return s.nobody, nil
}

// bearer reads the header Authorization (RFC 6750, section 2.1).
func bearer(values []string) (token string, given bool, err error) {
	if len(values) == 0 {
		return "", false, nil
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimLeft(token, " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" || strings.ContainsAny(token, " ,") {
		return "", true, errors.New("send one header `Authorization: Bearer …`")
	}
	return token, true, nil
}

// headed reads what a proxy says. Whoever is not the proxy must not say it: to overlook that would hide a mistake, and to
// believe it would be one.
func (s *Service) headed(r *http.Request) (p *httpapi.Principal, headed bool, err error) {
	if s.header == nil {
		return nil, false, nil
	}
	secrets := r.Header.Values(s.header.SecretHeader)
	r.Header.Del(s.header.SecretHeader) // nobody behind needs it
	claims, roles := r.Header.Values(s.header.Claims), r.Header.Values(s.header.Role)
	if len(claims) == 0 && len(roles) == 0 {
		return nil, false, nil
	}
	switch {
	case len(s.secret) > 0 && (len(secrets) != 1 || subtle.ConstantTimeCompare([]byte(secrets[0]), s.secret) != 1), !s.believed(r.RemoteAddr):
		return nil, true, errors.New("the headers that say who asks are not from the proxy that may say it")
	case len(claims) != 1 || len(roles) > 1:
		return nil, true, errors.New("there must be one header " + s.header.Claims + ", and at most one " + s.header.Role)
	}
	said, text, err := decodeClaims(claims[0])
	if err != nil {
		return nil, true, err
	}
	p = principalOf(said, text, s.config.JWT.RoleClaim)
	if len(roles) == 1 && roles[0] != "" {
		if p.Role != "" && p.Role != roles[0] {
			return nil, true, errors.New("the claims and the header " + s.header.Role + " say different roles")
		}
		p.Role = roles[0]
	}
	return p, true, nil
}

func (s *Service) believed(address string) bool {
	if len(s.from) == 0 {
		return true
	}
	peer, err := netip.ParseAddrPort(address)
	return err == nil && slices.ContainsFunc(s.from, func(p netip.Prefix) bool { return p.Contains(peer.Addr().Unmap()) })
}

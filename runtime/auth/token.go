package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"

	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// maxToken is the size of the largest token that is looked at.
const maxToken = 8 << 10

// verifier verifies tokens (RFC 7519), as RFC 8725 wants it.
type verifier struct {
	key       key     // that tokens are verified by, when keys is nil
	keys      *keySet // where they are
	parser    *jwt.Parser
	roleClaim string
	now       func() time.Time
	verified  verified
}

func newVerifier(c JWT, k key, keys *keySet, now func() time.Time) *verifier {
	methods := k.methods
	if keys != nil {
		methods = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	}
	options := []jwt.ParserOption{
		jwt.WithValidMethods(methods), jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(c.Leeway), jwt.WithTimeFunc(now), jwt.WithJSONNumber(),
	}
	if c.Issuer != "" {
		options = append(options, jwt.WithIssuer(c.Issuer))
	}
	if len(c.Audience) > 0 {
		options = append(options, jwt.WithAudience(c.Audience...))
	}
	return &verifier{key: k, keys: keys, parser: jwt.NewParser(options...), roleClaim: c.RoleClaim, now: now, verified: verified{leeway: c.Leeway}}
}

// verify gives who a token is of.
func (v *verifier) verify(ctx context.Context, token string) (*httpapi.Principal, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("it has more than %d bytes", maxToken)
	}
	digest := sha256.Sum256([]byte(token))
	if p := v.verified.get(digest, v.now()); p != nil {
		return p, nil
	}
	claims := jwt.MapClaims{}
	if _, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) { return v.material(ctx, t) }); err != nil {
		return nil, plain(err)
	}
	text, err := payload(token)
	if err != nil {
		return nil, err
	}
	p := principalOf(claims, text, v.roleClaim)
	ends, err := claims.GetExpirationTime()
	if err != nil {
		return nil, err
	}
	p.Until = ends.Add(v.verified.leeway)
	v.verified.put(digest, p, ends.Time, v.now())
	return p, nil
}

// material gives the key for a token. Of its header only the names of key and algorithm are looked at; an extension that
// has to be understood is one that is not (RFC 7515, section 4.1.11).
func (v *verifier) material(ctx context.Context, t *jwt.Token) (any, error) {
	if _, critical := t.Header["crit"]; critical {
		return nil, errors.New("it has extensions that have to be understood")
	}
	if v.keys == nil {
		return v.key.material, nil
	}
	id, _ := t.Header["kid"].(string)
	k, err := v.keys.find(ctx, id, t.Method.Alg())
	return k.material, err
}

// plain says why a token does not hold, and nothing of what is in it.
func plain(err error) error {
	switch {
	case errors.Is(err, errNoKeys):
		return err
	case errors.Is(err, errUnknownKey):
		return errUnknownKey
	case errors.Is(err, jwt.ErrTokenExpired):
		return errors.New("it has expired")
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return errors.New("it is from the future")
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return errors.New("it is of another issuer")
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return errors.New("it is for another audience")
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return errors.New("it does not say until when it holds, or lacks another claim")
	case errors.Is(err, jwt.ErrTokenMalformed):
		return errors.New("it is no token")
	}
	return errors.New("its signature does not hold")
}

// payload gives the claims as they stand in a token that was verified.
func payload(token string) ([]byte, error) {
	_, rest, _ := strings.Cut(token, ".")
	part, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return nil, errors.New("it is no token")
	}
	return object(text)
}

// object wants one JSON object in which no name stands twice: which of two is meant, others may read in another way.
func object(text []byte) ([]byte, error) {
	value := jsontext.Value(text)
	if value.Kind() != '{' || !value.IsValid() {
		return nil, errors.New("the claims are not one JSON object, or have a name twice")
	}
	if err := value.Compact(); err != nil || bytes.Contains(value, []byte(`\u0000`)) {
		return nil, errors.New("the claims have a character that no text of the database can have")
	}
	return value, nil
}

func principalOf(claims map[string]any, text []byte, roleClaim string) *httpapi.Principal {
	p := &httpapi.Principal{Claims: text, Role: claimed(claims, roleClaim)}
	p.Subject, _ = claims["sub"].(string)
	p.Issuer, _ = claims["iss"].(string)
	return p
}

// claimed finds a role: the claim of that name, or else the one that its dots lead to; of a list the first. Names may have
// dots themselves: at each step the longest one that is there counts.
func claimed(claims map[string]any, path string) string {
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		value, found := claims[path[:end]]
		if !found {
			continue
		}
		if end < len(path) {
			inner, _ := value.(map[string]any)
			return claimed(inner, path[end+1:])
		}
		if list, is := value.([]any); is && len(list) > 0 {
			value = list[0]
		}
		role, _ := value.(string)
		return role
	}
	return ""
}

// mostVerified bounds the tokens that are known to hold.
const mostVerified = 10_000

// verified is tokens that hold, by their digests: a signature costs more to verify than a request to answer.
type verified struct {
	leeway time.Duration
	mu     sync.RWMutex // guards what follows
	tokens map[[32]byte]holding
}

type holding struct {
	principal *httpapi.Principal
	from      time.Time // it was verified
	until     time.Time
}

func (v *verified) get(digest [32]byte, now time.Time) *httpapi.Principal {
	v.mu.RLock()
	defer v.mu.RUnlock()
	h, known := v.tokens[digest]
	// A key may be taken back: after some time the signature is verified again.
	if !known || !now.Before(h.until.Add(v.leeway)) || now.Sub(h.from) > keysFresh {
		return nil
	}
	return h.principal
}

func (v *verified) put(digest [32]byte, p *httpapi.Principal, until, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tokens == nil {
		v.tokens = map[[32]byte]holding{}
	}
	for other := range v.tokens {
		if len(v.tokens) < mostVerified {
			break
		}
		delete(v.tokens, other) // left to chance
	}
	v.tokens[digest] = holding{principal: p, from: now, until: until}
}

// decodeClaims reads claims that were not in a token.
func decodeClaims(text string) (map[string]any, []byte, error) {
	compact, err := object([]byte(text))
	if err != nil {
		return nil, nil, err
	}
	var claims map[string]any
	err = json.Unmarshal(compact, &claims)
	return claims, compact, err
}

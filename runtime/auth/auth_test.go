package auth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fraiseql/fraiseql/runtime/auth"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

const shared = "a secret of at least thirty-two bytes"

func service(t testing.TB, change func(c *auth.Config, d *auth.Deps)) *auth.Service {
	t.Helper()
	var c auth.Config
	config.Defaults(&c)
	d := auth.Deps{Dir: t.TempDir()}
	change(&c, &d)
	s, err := auth.New(c, d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// file writes a secret where the configuration may name it.
func file(t testing.TB, text string) config.Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Secret{File: path}
}

func claims(more map[string]any) jwt.MapClaims {
	c := jwt.MapClaims{"sub": "7", "role": "member", "iss": "us", "aud": []string{"api", "other"}, "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix()}
	for name, value := range more {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

func signed(t testing.TB, method jwt.SigningMethod, key any, c jwt.MapClaims, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, c)
	for name, value := range header {
		token.Header[name] = value
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var keys = sync.OnceValue(func() (k struct {
	rsa, short *rsa.PrivateKey
	ec         *ecdsa.PrivateKey
	ed         ed25519.PrivateKey
},
) {
	k.rsa, _ = rsa.GenerateKey(rand.Reader, 2048)
	k.short, _ = rsa.GenerateKey(rand.Reader, 1024)
	k.ec, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, k.ed, _ = ed25519.GenerateKey(rand.Reader)
	return k
})

func pemOf(t testing.TB, public any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// TestTokensThatHold are of each kind of key.
func TestTokensThatHold(t *testing.T) {
	t.Parallel()
	k := keys()
	for method, c := range map[jwt.SigningMethod]struct{ private, public any }{
		jwt.SigningMethodHS256: {[]byte(shared), nil}, jwt.SigningMethodHS512: {[]byte(shared), nil},
		jwt.SigningMethodRS256: {k.rsa, k.rsa.Public()}, jwt.SigningMethodPS384: {k.rsa, k.rsa.Public()},
		jwt.SigningMethodES256: {k.ec, k.ec.Public()}, jwt.SigningMethodEdDSA: {k.ed, k.ed.Public()},
	} {
		s := service(t, func(cfg *auth.Config, d *auth.Deps) {
			if c.public == nil {
				cfg.JWT.Secret = file(t, shared)
				return
			}
			cfg.JWT.PublicKey = "public.pem"
			if err := os.WriteFile(filepath.Join(d.Dir, "public.pem"), pemOf(t, c.public), 0o600); err != nil {
				t.Fatal(err)
			}
		})
		token := signed(t, method, c.private, claims(nil), nil)
		for range 2 { // the second time it is known
			p, err := s.Verify(t.Context(), token)
			if err != nil {
				t.Errorf("%s: %v", method.Alg(), err)
				break
			}
			var said map[string]any
			if err := json.Unmarshal(p.Claims, &said); err != nil || said["sub"] != "7" || p.Subject != "7" || p.Role != "member" || p.Issuer != "us" {
				t.Errorf("%s: %+v %s", method.Alg(), p, p.Claims)
			}
		}
	}
}

// TestTokensThatDoNotHold are refused, each for its reason, and nothing of them is said again.
func TestTokensThatDoNotHold(t *testing.T) {
	t.Parallel()
	k := keys()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "public.pem"), pemOf(t, k.rsa.Public()), 0o600); err != nil {
		t.Fatal(err)
	}
	bySecret := service(t, func(c *auth.Config, _ *auth.Deps) {
		c.JWT.Secret, c.JWT.Issuer, c.JWT.Audience = file(t, shared), "us", []string{"api"}
	})
	byKey := service(t, func(c *auth.Config, d *auth.Deps) { c.JWT.PublicKey, d.Dir = "public.pem", dir })
	onlyPS := service(t, func(c *auth.Config, d *auth.Deps) {
		c.JWT.PublicKey, c.JWT.Algorithms, d.Dir = "public.pem", []string{"PS256"}, dir
	})
	none := service(t, func(*auth.Config, *auth.Deps) {})
	hs := func(c jwt.MapClaims, header map[string]any) string {
		return signed(t, jwt.SigningMethodHS256, []byte(shared), c, header)
	}
	raw := func(header, payload string) string {
		text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
		signature, err := jwt.SigningMethodHS256.Sign(text, []byte(shared))
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + base64.RawURLEncoding.EncodeToString(signature)
	}
	good := hs(claims(nil), nil)
	if _, err := bySecret.Verify(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	flipped := []byte(good)
	flipped[len(flipped)/2] ^= 1
	for name, c := range map[string]struct {
		s     *auth.Service
		token string
	}{
		"none":                     {bySecret, signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil), nil)},
		"signed by the public key": {byKey, signed(t, jwt.SigningMethodHS256, pemOf(t, k.rsa.Public()), claims(nil), nil)},
		"another algorithm":        {onlyPS, signed(t, jwt.SigningMethodRS256, k.rsa, claims(nil), nil)},
		"another secret":           {bySecret, signed(t, jwt.SigningMethodHS256, []byte(strings.ToUpper(shared)), claims(nil), nil)},
		"expired":                  {bySecret, hs(claims(map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}), nil)},
		"for ever":                 {bySecret, hs(claims(map[string]any{"exp": nil}), nil)},
		"not yet":                  {bySecret, hs(claims(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}), nil)},
		"from the future":          {bySecret, hs(claims(map[string]any{"iat": time.Now().Add(time.Hour).Unix()}), nil)},
		"another issuer":           {bySecret, hs(claims(map[string]any{"iss": "them"}), nil)},
		"no issuer":                {bySecret, hs(claims(map[string]any{"iss": nil}), nil)},
		"another audience":         {bySecret, hs(claims(map[string]any{"aud": "web"}), nil)},
		"no audience":              {bySecret, hs(claims(map[string]any{"aud": nil}), nil)},
		"extensions":               {bySecret, hs(claims(nil), map[string]any{"crit": []string{"b64"}, "b64": false})},
		"a changed letter":         {bySecret, string(flipped)},
		"cut":                      {bySecret, good[:len(good)-4]},
		"no signature":             {bySecret, good[:strings.LastIndex(good, ".")+1]},
		"too long":                 {bySecret, hs(claims(map[string]any{"x": strings.Repeat("x", 9000)}), nil)},
		"a name twice":             {bySecret, raw(`{"alg":"HS256"}`, fmt.Sprintf(`{"iss":"us","aud":"api","exp":%d,"role":"member","role":"staff"}`, time.Now().Add(time.Hour).Unix()))},
		"a list":                   {bySecret, raw(`{"alg":"HS256"}`, `[]`)},
		"no text of the database":  {bySecret, hs(claims(map[string]any{"x": "\x00"}), nil)},
		"nothing":                  {bySecret, ""},
		"no key":                   {none, good},
	} {
		p, err := c.s.Verify(t.Context(), c.token)
		if fault.CodeOf(err) != "auth/invalid-token" || fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("%s: it is taken as %+v: %v", name, p, err)
		}
		if err != nil && len(c.token) > 20 && strings.Contains(err.Error(), c.token[:20]) {
			t.Errorf("%s: the error has the token: %v", name, err)
		}
	}
}

// TestRolesInClaims stand where the configuration says.
func TestRolesInClaims(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"role": "member", "app.roles": "first", "app.deep.role": "deep", "https://x.test/role": "dotted", "https://x.test/claims.x-role": "inside", "app": "", "app.none": "", "list.role": "", "number": "", "": "",
	} {
		s := service(t, func(c *auth.Config, _ *auth.Deps) { c.JWT.Secret, c.JWT.RoleClaim = file(t, shared), path })
		p, err := s.Verify(t.Context(), signed(t, jwt.SigningMethodHS256, []byte(shared), claims(map[string]any{
			"app": map[string]any{"roles": []string{"first", "second"}, "deep": map[string]any{"role": "deep"}}, "https://x.test/role": "dotted", "https://x.test/claims": map[string]any{"x-role": "inside"}, "list": []any{1}, "number": 3,
		}), nil))
		if err != nil || p.Role != want {
			t.Errorf("%q: %+v %v, want %q", path, p, err, want)
		}
	}
}

// TestWhoIsAsking sends requests with all that may be said of it.
func TestWhoIsAsking(t *testing.T) {
	t.Parallel()
	secret := file(t, "proxy's own")
	s := service(t, func(c *auth.Config, _ *auth.Deps) {
		c.AnonymousRole, c.DefaultRole, c.JWT.Secret = "guest", "some", file(t, shared)
		h := auth.TrustedHeader{}
		config.Defaults(&h)
		h.Secret, h.From = secret, []string{"192.0.2.0/24"}
		c.TrustedHeader = &h
	})
	token := "Bearer " + signed(t, jwt.SigningMethodHS256, []byte(shared), claims(map[string]any{"role": nil}), nil)
	proxy := map[string][]string{"X-Fraiseql-Claims": {`{"sub": "9"}`}, "X-Fraiseql-Proxy-Secret": {"proxy's own"}}
	with := func(base map[string][]string, name string, values ...string) map[string][]string {
		all := map[string][]string{name: values}
		for n, v := range base {
			if n != name {
				all[n] = v
			}
		}
		return all
	}
	for name, c := range map[string]struct {
		headers map[string][]string
		from    string
		want    string // role and subject; empty when it is refused
	}{
		"nobody":                 {nil, "", "guest "},
		"a token":                {map[string][]string{"Authorization": {token}}, "", "some 7"},
		"another case":           {map[string][]string{"Authorization": {"bearer" + token[6:]}}, "", "some 7"},
		"a password":             {map[string][]string{"Authorization": {"Basic eDp5"}}, "", ""},
		"no token":               {map[string][]string{"Authorization": {"Bearer "}}, "", ""},
		"nothing":                {map[string][]string{"Authorization": {""}}, "", ""},
		"two":                    {map[string][]string{"Authorization": {token, token}}, "", ""},
		"a bad one":              {map[string][]string{"Authorization": {token + "x"}}, "", ""},
		"the proxy":              {proxy, "192.0.2.9:80", "some 9"},
		"the proxy, and a role":  {with(proxy, "X-Fraiseql-Role", "staff"), "192.0.2.9:80", "staff 9"},
		"an empty role":          {with(proxy, "X-Fraiseql-Role", ""), "192.0.2.9:80", "some 9"},
		"two roles":              {with(with(proxy, "X-Fraiseql-Claims", `{"sub":"9","role":"member"}`), "X-Fraiseql-Role", "staff"), "192.0.2.9:80", ""},
		"another's address":      {proxy, "198.51.100.1:80", ""},
		"another's secret":       {with(proxy, "X-Fraiseql-Proxy-Secret", "guessed"), "192.0.2.9:80", ""},
		"no secret":              {with(proxy, "X-Fraiseql-Proxy-Secret"), "192.0.2.9:80", ""},
		"a role alone":           {map[string][]string{"X-Fraiseql-Role": {"staff"}, "X-Fraiseql-Proxy-Secret": {"proxy's own"}}, "192.0.2.9:80", ""},
		"claims twice":           {with(proxy, "X-Fraiseql-Claims", `{"sub":"1"}`, `{"sub":"2"}`), "192.0.2.9:80", ""},
		"claims that are none":   {with(proxy, "X-Fraiseql-Claims", `sub=1`), "192.0.2.9:80", ""},
		"a token and the proxy":  {with(proxy, "Authorization", token), "192.0.2.9:80", ""},
		"a secret, and no claim": {map[string][]string{"X-Fraiseql-Proxy-Secret": {"proxy's own"}}, "192.0.2.9:80", "guest "},
	} {
		got, secretSeen := "", false
		handler := s.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			p := httpapi.PrincipalOf(r.Context())
			got, secretSeen = p.Role+" "+p.Subject, len(r.Header.Values("X-Fraiseql-Proxy-Secret")) > 0
		}))
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", nil)
		for n, v := range c.headers {
			r.Header[n] = append([]string(nil), v...)
		}
		if c.from != "" {
			r.RemoteAddr = c.from
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if got != c.want || secretSeen || (c.want == "") != (w.Code == http.StatusUnauthorized) || w.Code == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %q %s", name, w.Code, got, w.Body)
		}
	}
}

// issuer has keys at an address, and counts how often they are asked for.
type issuer struct {
	*httptest.Server
	asked  atomic.Int64
	answer atomic.Pointer[func(w http.ResponseWriter)]
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.asked.Add(1)
		(*i.answer.Load())(w)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) does(answer func(w http.ResponseWriter)) { i.answer.Store(&answer) }

// has makes it answer with keys, by their names.
func (i *issuer) has(public map[string]*rsa.PublicKey, more ...string) {
	list := more
	for id, k := range public {
		list = append(list, fmt.Sprintf(`{"kty":"RSA","kid":%q,"use":"sig","n":%q,"e":"AQAB"}`, id, base64.RawURLEncoding.EncodeToString(k.N.Bytes())))
	}
	i.does(func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"keys":[` + strings.Join(list, ",") + `]}`)) })
}

// TestKeysAtAnAddress are asked for seldom, whatever tokens come.
func TestKeysAtAnAddress(t *testing.T) {
	t.Parallel()
	k, at := keys(), newIssuer(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	var clock atomic.Int64 // stands still, however long signing takes
	now := func() time.Time { return start.Add(time.Duration(clock.Load())) }
	s := service(t, func(c *auth.Config, d *auth.Deps) { c.JWT.JWKSURL, d.Now = at.URL, now })
	by := func(key *rsa.PrivateKey, id string) string {
		header := map[string]any{"kid": id, "jku": "http://127.0.0.1:1/", "jwk": "x"}
		if id == "" {
			delete(header, "kid")
		}
		return signed(t, jwt.SigningMethodRS256, key, claims(map[string]any{"exp": start.Add(1000 * time.Hour).Unix(), "iat": start.Unix(), "jti": id + fmt.Sprint(clock.Load())}), header)
	}
	at.does(func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) })
	for range 20 {
		if _, err := s.Verify(t.Context(), by(k.rsa, "one")); fault.CodeOf(err) != "auth/keys-unavailable" || fault.KindOf(err) != fault.Unavailable {
			t.Fatalf("without keys: %v", err)
		}
	}
	if n := at.asked.Load(); n != 1 {
		t.Errorf("the issuer that is away was asked %d times in a moment", n)
	}
	clock.Add(int64(2 * time.Second))
	at.has(map[string]*rsa.PublicKey{"one": &k.rsa.PublicKey, "short": &k.short.PublicKey}, `{"kty":"oct","k":"AAAA","kid":"s"}`, `{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"bad"}`)
	for id, key := range map[string]*rsa.PrivateKey{"one": k.rsa, "": k.rsa} {
		if _, err := s.Verify(t.Context(), by(key, id)); err != nil {
			t.Errorf("key %q: %v", id, err)
		}
	}
	before := at.asked.Load()
	for i := range 300 {
		if _, err := s.Verify(t.Context(), by(k.rsa, fmt.Sprint("made up ", i))); fault.CodeOf(err) != "auth/invalid-token" {
			t.Fatalf("a key that is not there: %v", err)
		}
	}
	if _, err := s.Verify(t.Context(), by(k.short, "short")); fault.CodeOf(err) != "auth/invalid-token" {
		t.Errorf("a key that is too short: %v", err)
	}
	if n := at.asked.Load() - before; n > 1 {
		t.Errorf("made-up keys had the issuer asked %d times", n)
	}
	at.has(map[string]*rsa.PublicKey{"one": &k.rsa.PublicKey, "two": &other.PublicKey})
	clock.Add(int64(2 * time.Minute))
	before = at.asked.Load()
	var asking sync.WaitGroup
	tokens := map[string]string{"one": by(k.rsa, "one"), "two": by(other, "two")} // signed before: the issuer has its time by the true clock
	for i := range 100 {
		asking.Go(func() {
			id := []string{"two", "one"}[i%2]
			for range 10 {
				if _, err := s.Verify(t.Context(), tokens[id]); err != nil {
					t.Errorf("after a rotation, %s: %v", id, err)
				}
			}
		})
	}
	asking.Wait()
	if n := at.asked.Load() - before; n > 2 {
		t.Errorf("a rotation had the issuer asked %d times", n)
	}
	at.does(func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) })
	clock.Add(int64(time.Hour))
	if _, err := s.Verify(t.Context(), by(other, "two")); err != nil {
		t.Errorf("with an issuer that is away for an hour: %v", err)
	}
	clock.Add(int64(24 * time.Hour))
	if _, err := s.Verify(t.Context(), by(other, "two")); fault.CodeOf(err) != "auth/keys-unavailable" {
		t.Errorf("with one that is away for a day: %v", err)
	}
}

// TestARotationWhileTheIssuerIsAway refuses nothing for good: whether the key is a new one is not known then.
func TestARotationWhileTheIssuerIsAway(t *testing.T) {
	t.Parallel()
	k, at := keys(), newIssuer(t)
	start := time.Now()
	var clock atomic.Int64
	s := service(t, func(c *auth.Config, d *auth.Deps) {
		c.JWT.JWKSURL, d.Now = at.URL, func() time.Time { return start.Add(time.Duration(clock.Load())) }
	})
	verify := func(id string) error {
		_, err := s.Verify(t.Context(), signed(t, jwt.SigningMethodRS256, k.rsa, claims(map[string]any{"exp": start.Add(time.Hour).Unix(), "iat": start.Unix(), "jti": id + fmt.Sprint(clock.Load())}), map[string]any{"kid": id}))
		return err
	}
	at.has(map[string]*rsa.PublicKey{"one": &k.rsa.PublicKey})
	if err := verify("one"); err != nil {
		t.Fatal(err)
	}
	at.does(func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) })
	clock.Add(int64(2 * time.Minute))
	for range 3 {
		if err := verify("two"); fault.CodeOf(err) != "auth/keys-unavailable" || fault.KindOf(err) != fault.Unavailable {
			t.Errorf("a key that may be a new one: %v", err)
		}
		if err := verify("one"); err != nil {
			t.Errorf("a key that is known: %v", err)
		}
	}
	if n := at.asked.Load(); n != 2 {
		t.Errorf("the issuer was asked %d times", n)
	}
	at.has(map[string]*rsa.PublicKey{"two": &k.rsa.PublicKey})
	clock.Add(int64(2 * time.Second))
	if err := verify("two"); err != nil {
		t.Errorf("when the issuer is back: %v", err)
	}
	if err := verify("three"); fault.CodeOf(err) != "auth/invalid-token" {
		t.Errorf("a key that is none: %v", err)
	}
}

// TestIssuersThatAnswerBadly give no keys.
func TestIssuersThatAnswerBadly(t *testing.T) {
	t.Parallel()
	good := newIssuer(t)
	good.has(map[string]*rsa.PublicKey{"one": &keys().rsa.PublicKey})
	for name, answer := range map[string]func(w http.ResponseWriter){
		"elsewhere": func(w http.ResponseWriter) {
			w.Header().Set("Location", good.URL)
			w.WriteHeader(http.StatusFound)
		},
		"too large": func(w http.ResponseWriter) {
			_, _ = w.Write([]byte(`{"keys":[],"x":"` + strings.Repeat("x", 70<<10) + `"}`))
		},
		"no keys": func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{}`)) },
		"no JSON": func(w http.ResponseWriter) { _, _ = w.Write([]byte(`<html>`)) },
	} {
		at := newIssuer(t)
		at.does(answer)
		s := service(t, func(c *auth.Config, _ *auth.Deps) { c.JWT.JWKSURL = at.URL })
		if _, err := s.Verify(t.Context(), signed(t, jwt.SigningMethodRS256, keys().rsa, claims(nil), map[string]any{"kid": "one"})); fault.CodeOf(err) != "auth/keys-unavailable" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if good.asked.Load() > 0 {
		t.Error("it was led elsewhere")
	}
}

// TestKeysThatCannotBeUsed end the start.
func TestKeysThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string][]byte{"short.pem": pemOf(t, keys().short.Public()), "none.pem": []byte("x"), "rsa.pem": pemOf(t, keys().rsa.Public())} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, j := range map[string]auth.JWT{
		"a short secret": {Secret: file(t, "short")}, "a short key": {PublicKey: "short.pem"}, "no key": {PublicKey: "none.pem"}, "no file": {PublicKey: "missing.pem"},
		"no algorithm": {PublicKey: "rsa.pem", Algorithms: []string{"HS256"}},
	} {
		if _, err := auth.New(auth.Config{JWT: j}, auth.Deps{Dir: dir}); fault.CodeOf(err) != "auth/bad-key" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	s := service(b, func(c *auth.Config, _ *auth.Deps) { c.JWT.Secret = file(b, shared) })
	tokens := make([]string, 20_000)
	for i := range tokens {
		tokens[i] = signed(b, jwt.SigningMethodHS256, []byte(shared), claims(map[string]any{"jti": i}), nil)
	}
	for name, among := range map[string]int{"hot": 1, "cold": len(tokens)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := s.Verify(b.Context(), tokens[i%among]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

// TestWhoseWordIsTaken is what the command line says, with the roles that a server would give.
func TestWhoseWordIsTaken(t *testing.T) {
	t.Parallel()
	var full auth.Config
	config.Defaults(&full)
	full.AnonymousRole, full.DefaultRole, full.JWT.RoleClaim = "guest", "member", "app.role"
	bare := full
	bare.AnonymousRole, bare.DefaultRole = "", ""
	off := full
	off.Enabled = new(false)
	for _, c := range []struct {
		config       *auth.Config
		claims, role string
		want         string // role, subject, issuer
	}{
		{&full, "", "", "guest  "},
		{&full, "", "staff", "staff  "},
		{&full, `{"sub": "7", "iss": "us"}`, "", "member 7 us"},
		{&full, `{"sub": "7", "app": {"role": "staff"}}`, "", "staff 7 "},
		{&full, `{"sub": "7", "app": {"role": "staff"}}`, "guest", "guest 7 "},
		{&bare, "", "", "nobody"},
		{&bare, `{"sub": "7"}`, "", " 7 "},
		{&off, "", "", "nobody"},
		{&off, `{"sub": "7", "app": {"role": "staff"}}`, "", " 7 "},
		{nil, "", "", "nobody"},
		{nil, `{"sub": "7", "role": "staff"}`, "", " 7 "},
		{nil, "", "staff", "staff  "},
		{&full, `["sub"]`, "", "error"},
		{&full, `{"sub": "\u0000"}`, "", "error"},
	} {
		got := "nobody"
		switch who, err := auth.Claimed(c.config, c.claims, c.role); {
		case err != nil:
			got = "error"
		case who != nil:
			got = strings.Join([]string{who.Role, who.Subject, who.Issuer}, " ")
			if (c.claims != "") != (len(who.Claims) > 0) {
				t.Errorf("%s: the claims are %q", c.claims, who.Claims)
			}
		}
		if got != c.want {
			t.Errorf("%q as %q: %q, want %q", c.claims, c.role, got, c.want)
		}
	}
}

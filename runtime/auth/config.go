package auth

import (
	"net/netip"
	"net/url"
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/config/planned"
)

// Config is the table [auth]: who is asking.
type Config struct {
	config.Switch
	AnonymousRole string         `toml:"anonymous_role" doc:"The role of requests that say nothing of who asks. Without it they have none."`
	DefaultRole   string         `toml:"default_role" doc:"The role of tokens that name none."`
	JWT           JWT            `toml:"jwt" doc:"Tokens that others make."`
	TrustedHeader *TrustedHeader `toml:"trusted_header" doc:"Headers of a proxy that has found out who asks."`

	SessionType        string                          `toml:"session_type" default:"jwt" enum:"jwt,cookie" planned:"true" doc:"What a client carries."`
	AccessTokenExpiry  time.Duration                   `toml:"access_token_expiry" default:"15m" min:"1s" planned:"true" doc:"How long an access token holds."`
	RefreshTokenExpiry time.Duration                   `toml:"refresh_token_expiry" default:"7d" min:"1s" planned:"true" doc:"How long a refresh token holds."`
	JWTSecret          config.Secret                   `toml:"jwt_secret" planned:"true" doc:"The key of tokens that this server makes."`
	RedirectURL        string                          `toml:"redirect_url" form:"url" planned:"true" doc:"Where a login ends."`
	AllowedRedirects   []string                        `toml:"allowed_redirects" planned:"true" doc:"Where else it may end."`
	CallbackBaseURL    string                          `toml:"callback_base_url" form:"url" planned:"true" doc:"How providers reach this server."`
	AdminRole          string                          `toml:"admin_role" doc:"The role that may use the management routes, as tokens name it."`
	UserMapping        map[string]string               `toml:"user_mapping" planned:"true" doc:"Claims and the columns of the user that they come from."`
	Password           planned.Password                `toml:"password" planned:"true" doc:"Login by password."`
	MagicLink          planned.MagicLink               `toml:"magic_link" planned:"true" doc:"Login by a link in a mail."`
	TOTP               planned.TOTP                    `toml:"totp" planned:"true" doc:"Second factor by an app."`
	Passkeys           planned.Passkeys                `toml:"passkeys" planned:"true" doc:"Login by passkey."`
	Cookie             planned.Cookie                  `toml:"cookie" planned:"true" doc:"The cookie, with session_type = \"cookie\"."`
	Providers          map[string]planned.AuthProvider `toml:"providers" planned:"true" doc:"Login by others, by name."`
}

// Check wants a way to tell who asks, and of what is planned names that are no routes and tokens that outlive each other.
func (c *Config) Check(r *config.Report) {
	config.CheckNames(r.At("providers"), c.Providers, "/auth", "signup", "login", "refresh", "logout", "me", "sessions", "magic-link", "totp", "passkeys", "callback")
	if len(c.Providers) > 0 && c.CallbackBaseURL == "" && !r.Reported("callback_base_url") {
		r.Error("providers", "config/missing-key", "providers need `callback_base_url` in [auth], to send people back", `callback_base_url = "https://api.example.com"`)
	}
	if c.RefreshTokenExpiry < c.AccessTokenExpiry {
		key := "refresh_token_expiry"
		if !r.Given(key) {
			key = "access_token_expiry"
		}
		r.Error(key, "config/out-of-range", "a refresh token ends before the access token that it renews", "make `refresh_token_expiry` longer")
	}
}

// JWT is the table [auth.jwt]: one of the three keys, and what a token must say.
type JWT struct {
	Secret     config.Secret `toml:"secret" doc:"A shared key of at least 32 bytes, for HS256, HS384 and HS512."`
	PublicKey  string        `toml:"public_key_path" doc:"A public key's file, PEM: RSA, ECDSA or Ed25519."`
	JWKSURL    string        `toml:"jwks_url" form:"url" doc:"Where the public keys are (RFC 7517)."`
	Issuer     string        `toml:"issuer" doc:"Who must have made a token."`
	Audience   []string      `toml:"audience" doc:"Whom a token must be for: one of these."`
	Algorithms []string      `toml:"algorithms" enum:"HS256,HS384,HS512,RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA" doc:"Which signatures count, of those that suit the key. Default: all of these."`
	RoleClaim  string        `toml:"role_claim" default:"role" doc:"The claim with the role; dots lead inside."`
	Leeway     time.Duration `toml:"leeway" default:"30s" max:"10m" doc:"How far clocks may differ."`
}

// Check wants one key at most, and one that nobody can change on its way.
func (j *JWT) Check(r *config.Report) {
	if j.PublicKey != "" && !r.File(j.PublicKey) {
		r.Need("public_key_path", "config/missing-file", "the file `"+j.PublicKey+"` is not there", "")
	}
	given := 0
	for _, has := range []bool{j.Secret.Given(), j.PublicKey != "", j.JWKSURL != ""} {
		if has {
			given++
		}
	}
	if given > 1 {
		r.Error("", "config/two-sources", "a token is verified by one kind of key: `secret_env`, `public_key_path` or `jwks_url`", "remove all but one")
	}
	if u, err := url.Parse(j.JWKSURL); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) && !r.Reported("jwks_url") {
		r.Error("jwks_url", "config/insecure-url", "keys that come by http can be exchanged on their way: whoever does makes tokens at will", "use https")
	}
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// TrustedHeader is the table [auth.trusted_header].
type TrustedHeader struct {
	config.Switch
	Claims       string        `toml:"claims" default:"x-fraiseql-claims" doc:"The header with what is claimed of who asks: a JSON object."`
	Role         string        `toml:"role" default:"x-fraiseql-role" doc:"The header with the role, when the claims do not say it."`
	Secret       config.Secret `toml:"secret" doc:"What the proxy proves by that it is the one."`
	SecretHeader string        `toml:"secret_header" default:"x-fraiseql-proxy-secret" doc:"The header with the secret."`
	From         []string      `toml:"from" form:"cidr" doc:"Addresses that are believed; with a secret, both must hold."`
}

// Check wants something that tells the proxy from anybody else.
func (t *TrustedHeader) Check(r *config.Report) {
	if t.On() && !t.Secret.Given() && len(t.From) == 0 && !r.Reported("secret") && !r.Reported("from") {
		r.Error("", "config/missing-key", "without `secret_env` or `from`, anybody could say to be anyone", `secret_env = "PROXY_SECRET"`)
	}
}

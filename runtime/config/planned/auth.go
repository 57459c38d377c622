package planned

import (
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// Auth is the table [auth]: who is asking.
type Auth struct {
	config.Switch
	SessionType        string                  `toml:"session_type" default:"jwt" enum:"jwt,cookie" doc:"What a client carries."`
	AccessTokenExpiry  time.Duration           `toml:"access_token_expiry" default:"15m" min:"1s" doc:"How long an access token holds."`
	RefreshTokenExpiry time.Duration           `toml:"refresh_token_expiry" default:"7d" min:"1s" doc:"How long a refresh token holds."`
	JWTSecret          config.Secret           `toml:"jwt_secret" doc:"The key of tokens that this server makes."`
	JWT                JWT                     `toml:"jwt" doc:"Tokens that others make."`
	RedirectURL        string                  `toml:"redirect_url" form:"url" doc:"Where a login ends."`
	AllowedRedirects   []string                `toml:"allowed_redirects" doc:"Where else it may end."`
	CallbackBaseURL    string                  `toml:"callback_base_url" form:"url" doc:"How providers reach this server."`
	AnonymousRole      string                  `toml:"anonymous_role" doc:"The database role of requests without a token."`
	DefaultRole        string                  `toml:"default_role" doc:"The database role of tokens that name none."`
	AdminRole          string                  `toml:"admin_role" doc:"The role that may use the management routes."`
	UserMapping        map[string]string       `toml:"user_mapping" doc:"Claims and the columns of the user that they come from."`
	Password           Password                `toml:"password" doc:"Login by password."`
	MagicLink          MagicLink               `toml:"magic_link" doc:"Login by a link in a mail."`
	TOTP               TOTP                    `toml:"totp" doc:"Second factor by an app."`
	Passkeys           Passkeys                `toml:"passkeys" doc:"Login by passkey."`
	Cookie             Cookie                  `toml:"cookie" doc:"The cookie, with session_type = \"cookie\"."`
	Providers          map[string]AuthProvider `toml:"providers" doc:"Login by others, by name."`
}

// Check wants names that are no routes, a way back from providers, and tokens that outlive each other.
func (a *Auth) Check(r *config.Report) {
	checkNames(r.At("providers"), a.Providers, "/auth", "signup", "login", "refresh", "logout", "me", "sessions", "magic-link", "totp", "passkeys", "callback")
	if len(a.Providers) > 0 && a.CallbackBaseURL == "" && !r.Reported("callback_base_url") {
		r.Error("providers", "config/missing-key", "providers need `callback_base_url` in [auth], to send people back", `callback_base_url = "https://api.example.com"`)
	}
	if a.RefreshTokenExpiry < a.AccessTokenExpiry {
		key := "refresh_token_expiry"
		if !r.Given(key) {
			key = "access_token_expiry"
		}
		r.Error(key, "config/out-of-range", "a refresh token ends before the access token that it renews", "make `refresh_token_expiry` longer")
	}
}

// JWT is the table [auth.jwt].
type JWT struct {
	Secret     config.Secret `toml:"secret" doc:"A shared key."`
	PublicKey  string        `toml:"public_key_path" doc:"A public key's file, PEM."`
	JWKSURL    string        `toml:"jwks_url" form:"url" doc:"Where the public keys are."`
	Issuer     string        `toml:"issuer" doc:"Who must have made a token."`
	Audience   []string      `toml:"audience" doc:"Whom a token must be for."`
	Algorithms []string      `toml:"algorithms" enum:"HS256,HS384,HS512,RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA" doc:"Which signatures count."`
	RoleClaim  string        `toml:"role_claim" default:"role" doc:"The claim with the database role; dots lead inside."`
	Leeway     time.Duration `toml:"leeway" default:"30s" max:"10m" doc:"How far clocks may differ."`
}

// Check looks for the key's file.
func (j *JWT) Check(r *config.Report) {
	if j.PublicKey != "" && !r.File(j.PublicKey) {
		r.Need("public_key_path", "config/missing-file", "the file `"+j.PublicKey+"` is not there", "")
	}
}

// Password is the table [auth.password].
type Password struct {
	Enabled   bool `toml:"enabled" doc:"Whether people log in by password."`
	MinLength int  `toml:"min_length" default:"10" min:"6" max:"128" doc:"Shortest password."`
	Signup    bool `toml:"signup" doc:"Whether anybody may sign up."`
}

// MagicLink is the table [auth.magic_link].
type MagicLink struct {
	Enabled  bool          `toml:"enabled" doc:"Whether people log in by a link."`
	Expiry   time.Duration `toml:"expiry" default:"15m" min:"1m" max:"1d" doc:"How long a link holds."`
	Template string        `toml:"template" default:"magic_link" doc:"The mail's template."`
}

// TOTP is the table [auth.totp].
type TOTP struct {
	Enabled bool   `toml:"enabled" doc:"Whether there is a second factor."`
	Issuer  string `toml:"issuer" doc:"The name that the app shows."`
}

// Passkeys is the table [auth.passkeys].
type Passkeys struct {
	Enabled bool     `toml:"enabled" doc:"Whether people log in by passkey."`
	RPID    string   `toml:"rp_id" form:"hostname" doc:"The domain that passkeys are for."`
	Origins []string `toml:"origins" form:"url" doc:"Pages that may ask for one."`
}

// Cookie is the table [auth.cookie].
type Cookie struct {
	Name     string `toml:"name" default:"fraiseql_session" doc:"Its name."`
	Domain   string `toml:"domain" form:"hostname" doc:"Hosts that get it."`
	Secure   *bool  `toml:"secure" default:"true" doc:"Only over TLS."`
	SameSite string `toml:"same_site" default:"lax" enum:"lax,strict,none" doc:"Whether other sites' pages send it."`
}

// AuthProvider is the table [auth.providers.NAME].
type AuthProvider struct {
	config.Switch
	Type         string        `toml:"type" enum:"oidc,oauth2,google,github,gitlab,microsoft,apple,facebook,discord,slack,twitter,linkedin" doc:"What it speaks. Default: its name."`
	ClientID     config.Secret `toml:"client_id" doc:"This server's name there."`
	ClientSecret config.Secret `toml:"client_secret" doc:"Its password there."`
	Issuer       string        `toml:"issuer" form:"url" doc:"oidc: the issuer, whose discovery document says the rest."`
	AuthorizeURL string        `toml:"authorize_url" form:"url" doc:"oauth2: where people log in."`
	TokenURL     string        `toml:"token_url" form:"url" doc:"oauth2: where tokens are made."`
	UserInfoURL  string        `toml:"userinfo_url" form:"url" doc:"oauth2: where the person is described."`
	Scopes       []string      `toml:"scopes" doc:"What is asked for."`
	Tenant       string        `toml:"tenant" doc:"microsoft: the tenant."`
}

// Check wants what the provider's protocol needs.
func (p *AuthProvider) Check(r *config.Report) {
	if !p.ClientID.Given() {
		r.Error("", "config/missing-key", "a provider needs `client_id_env`", `client_id_env = "CLIENT_ID"`)
	}
	if p.Type == "oidc" && p.Issuer == "" && !r.Reported("issuer") {
		r.Error("type", "config/missing-key", "an oidc provider needs `issuer`", `issuer = "https://login.example.com"`)
	}
	if p.Type == "oauth2" && (p.AuthorizeURL == "" || p.TokenURL == "") && !r.Reported("authorize_url") && !r.Reported("token_url") {
		r.Error("type", "config/missing-key", "an oauth2 provider needs `authorize_url` and `token_url`", "")
	}
}

package planned

import (
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
)

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

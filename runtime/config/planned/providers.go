package planned

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/diag"
)

// ProviderKeys are the keys of all providers; providerRules says which of them each one looks at.
type ProviderKeys struct {
	From                string            `toml:"from" doc:"The sender: an address, a number or a name."`
	ReplyTo             string            `toml:"reply_to" doc:"Where answers go."`
	RateLimit           string            `toml:"rate_limit" planned:"true" form:"rate" doc:"Messages that it takes in a time."`
	Timeout             time.Duration     `toml:"timeout" default:"10s" min:"100ms" doc:"How long one try may take."`
	Host                string            `toml:"host" form:"hostname" doc:"smtp: the server."`
	Port                int               `toml:"port" default:"587" min:"1" max:"65535" doc:"smtp: its port."`
	TLS                 string            `toml:"tls" default:"starttls" enum:"starttls,implicit,none" doc:"smtp: how the connection is encrypted."`
	Username            config.Secret     `toml:"username" doc:"smtp: the account."`
	Password            config.Secret     `toml:"password" doc:"smtp: its password."`
	APIKey              config.Secret     `toml:"api_key" doc:"sendgrid, postmark, resend, mailgun, vonage, onesignal: the key."`
	APISecret           config.Secret     `toml:"api_secret" doc:"vonage: the secret that goes with the key."`
	BaseURL             string            `toml:"base_url" form:"url" doc:"Where its API is, when not at the usual place."`
	Domain              string            `toml:"domain" form:"hostname" doc:"mailgun: the sending domain."`
	Region              string            `toml:"region" doc:"ses, sns: the AWS region."`
	AccessKey           config.Secret     `toml:"access_key" doc:"ses, sns: the access key. Default: the usual AWS sources."`
	SecretKey           config.Secret     `toml:"secret_key" doc:"ses, sns: its secret."`
	ConfigurationSet    string            `toml:"configuration_set" doc:"ses: the configuration set."`
	AccountSID          config.Secret     `toml:"account_sid" doc:"twilio: the account."`
	AuthToken           config.Secret     `toml:"auth_token" doc:"twilio, ntfy: the token."`
	MessagingServiceSID string            `toml:"messaging_service_sid" doc:"twilio: a messaging service in place of from."`
	Credentials         config.Secret     `toml:"credentials" doc:"firebase: the service account, JSON."`
	ProjectID           string            `toml:"project_id" doc:"firebase: the project, when not the credentials' own."`
	AppID               string            `toml:"app_id" doc:"onesignal: the app."`
	TeamID              string            `toml:"team_id" doc:"apns: the team."`
	KeyID               string            `toml:"key_id" doc:"apns: the key's name."`
	PrivateKey          config.Secret     `toml:"private_key" doc:"apns, webpush: the signing key."`
	PublicKey           string            `toml:"public_key" doc:"webpush: the key that browsers know."`
	Topic               string            `toml:"topic" doc:"apns: the bundle. ntfy: the topic."`
	WebhookURL          config.Secret     `toml:"webhook_url" doc:"slack, discord: the incoming webhook."`
	BotToken            config.Secret     `toml:"bot_token" doc:"slack, telegram: the bot."`
	ChatID              string            `toml:"default_chat_id" doc:"telegram: the chat of messages without an address."`
	URL                 string            `toml:"url" form:"url" doc:"webhook, ntfy: where it goes."`
	URLFrom             config.Secret     `toml:"url" doc:"webhook, ntfy: where the address is when it is not in the file."`
	Secret              config.Secret     `toml:"secret" doc:"webhook: the key that signs."`
	Headers             map[string]string `toml:"headers" doc:"webhook: further headers."`
}

// providerRules is every provider of every channel.
var providerRules = map[string]map[string]config.Kind{
	"email": {
		"smtp":     {Needs: []string{"host"}, Takes: []string{"port", "tls", "username", "password"}},
		"sendgrid": {Needs: []string{"api_key"}, Takes: []string{"base_url"}},
		"postmark": {Needs: []string{"api_key"}, Takes: []string{"base_url"}},
		"resend":   {Needs: []string{"api_key"}, Takes: []string{"base_url"}},
		"mailgun":  {Needs: []string{"api_key", "domain"}, Takes: []string{"base_url"}},
		"ses":      {Needs: []string{"region"}, Takes: []string{"access_key", "secret_key", "configuration_set", "base_url"}},
	},
	"sms": {
		"twilio": {Needs: []string{"account_sid", "auth_token"}, Takes: []string{"messaging_service_sid", "base_url"}},
		"sns":    {Needs: []string{"region"}, Takes: []string{"access_key", "secret_key", "base_url"}},
		"vonage": {Needs: []string{"api_key", "api_secret"}, Takes: []string{"base_url"}},
	},
	"push": {
		"firebase":  {Needs: []string{"credentials"}, Takes: []string{"project_id", "base_url"}},
		"onesignal": {Needs: []string{"app_id", "api_key"}, Takes: []string{"base_url"}},
		"apns":      {Needs: []string{"team_id", "key_id", "private_key", "topic"}, Takes: []string{"base_url"}},
		"webpush":   {Needs: []string{"public_key", "private_key"}},
		"ntfy":      {Needs: []string{"url"}, Takes: []string{"topic", "auth_token"}},
	},
	"slack":    {"slack": {Needs: []string{"webhook_url|bot_token"}, Takes: []string{"base_url"}}},
	"discord":  {"discord": {Needs: []string{"webhook_url"}}},
	"telegram": {"telegram": {Needs: []string{"bot_token"}, Takes: []string{"default_chat_id", "base_url"}}},
	"webhook":  {"webhook": {Needs: []string{"url"}, Takes: []string{"secret", "headers"}}},
}

// usual is what an example names.
var usual = map[string]string{"email": "smtp", "sms": "twilio", "push": "firebase"}

// checkKind wants a provider that the channel has, with its keys.
func checkKind(r *config.Report, key, kind string, kinds map[string]config.Kind) {
	k, known := kinds[kind]
	if known {
		k.Check(r, kind, allProviders)
		return
	}
	words := slices.Sorted(maps.Keys(kinds))
	help := diag.DidYouMean(kind, words, "one of: "+strings.Join(words, ", "))
	r.Error(key, "config/unknown-value", "`"+kind+"` is no provider of this channel", help)
}

var allProviders = func() map[string]config.Kind {
	all := map[string]config.Kind{}
	for _, kinds := range providerRules {
		maps.Copy(all, kinds)
	}
	return all
}()

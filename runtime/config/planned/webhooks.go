package planned

import (
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// Webhooks is the table [webhooks]: calls of others that are taken.
type Webhooks struct {
	config.Switch
	Named map[string]Webhook `toml:"*" doc:"One webhook."`
}

// Check wants names that are no routes.
func (w *Webhooks) Check(r *config.Report) {
	config.CheckNames(r, w.Named, "/webhooks", "deliveries", "enabled")
}

// Webhook is the table [webhooks.NAME].
type Webhook struct {
	config.Switch
	Provider           string                  `toml:"provider" doc:"Who calls, which decides the signature. Default: the name."`
	Path               string                  `toml:"path" form:"route" doc:"Its route. Default: /webhooks/NAME."`
	Secret             config.Secret           `toml:"secret" doc:"The key that the caller signs with."`
	SignatureScheme    string                  `toml:"signature_scheme" enum:"stripe,github,shopify,slack,twilio,sendgrid,paddle,standard,hmac-sha256,hmac-sha1,ed25519,basic,none" doc:"How calls are signed, when the provider is not known."`
	SignatureHeader    string                  `toml:"signature_header" doc:"Where the signature is."`
	TimestampHeader    string                  `toml:"timestamp_header" doc:"Where the time of signing is."`
	TimestampTolerance time.Duration           `toml:"timestamp_tolerance" default:"5m" min:"1s" doc:"How old a signature may be."`
	Idempotent         *bool                   `toml:"idempotent" default:"true" doc:"Do a call that comes again only once."`
	MaxSize            config.Bytes            `toml:"max_size" default:"1MB" min:"1KB" doc:"Bytes of a call."`
	Events             map[string]WebhookEvent `toml:"events" doc:"What is done, by the event's type; \"*\" is all others."`
}

// Check wants signed calls.
func (w *Webhook) Check(r *config.Report) {
	if !w.Secret.Given() && w.SignatureScheme != "none" {
		r.Error("", "config/missing-key", "a webhook needs the key that its calls are signed with", `secret_env = "WEBHOOK_SECRET"`)
	}
	if w.SignatureScheme == "none" {
		r.Warn("signature_scheme", "config/unsigned", "anybody can send what this webhook takes", "")
	}
	if len(w.Events) == 0 && !r.Reported("events") {
		r.Warn("", "config/missing-key", "a webhook without events does nothing", "add ["+r.Path()+".events.\"*\"] with `function = \"…\"`")
	}
}

// WebhookEvent is the table [webhooks.NAME.events.TYPE].
type WebhookEvent struct {
	config.Switch
	Function  string            `toml:"function" doc:"A function of the database, called in the transaction that notes the call."`
	Job       string            `toml:"job" doc:"A kind of job to enqueue in that transaction."`
	Mapping   map[string]string `toml:"mapping" doc:"Parameters and where in the body their values are: user_id = \"data.object.id\"."`
	Condition string            `toml:"condition" doc:"A call that does not fit is taken and skipped."`
}

// Check wants something to do.
func (e *WebhookEvent) Check(r *config.Report) {
	if e.Function == "" && e.Job == "" && !r.Reported("function") {
		r.Error("", "config/missing-key", "an event needs `function` or `job`; a type with dots stands in quotes", `function = "on_payment"`)
	}
}

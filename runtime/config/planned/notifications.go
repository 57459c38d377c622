package planned

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/retry"
)

// Notifications is the table [notifications]: the channels that messages leave by. What is not tagged planned is what mails of
// observers need: the channel email, by SMTP.
type Notifications struct {
	config.Switch
	DedupeWindow time.Duration `toml:"dedupe_window" planned:"true" default:"0s" doc:"A message that equals one sent this recently is not sent."`
	Retry        retry.Policy  `toml:"retry" planned:"true" doc:"How a message that could not be sent is tried again."`
	Retention    time.Duration `toml:"retention" planned:"true" default:"90d" min:"1h" doc:"How long finished messages are kept."`
	Email        *Channel      `toml:"email" doc:"Mail: smtp, sendgrid, postmark, ses, resend, mailgun."`
	SMS          *Channel      `toml:"sms" planned:"true" doc:"Text messages: twilio, sns, vonage."`
	Push         *Channel      `toml:"push" planned:"true" doc:"Push messages: firebase, onesignal, apns, webpush, ntfy."`
	Slack        *Channel      `toml:"slack" planned:"true" doc:"Slack, by webhook or bot."`
	Discord      *Channel      `toml:"discord" planned:"true" doc:"Discord, by webhook."`
	Telegram     *Channel      `toml:"telegram" planned:"true" doc:"Telegram, by bot."`
	Webhook      *Channel      `toml:"webhook" planned:"true" doc:"Any other service, by HTTP."`
}

// Channels gives the channels that are there, by name, without those that are switched off.
func (n *Notifications) Channels() map[string]*Channel {
	there := map[string]*Channel{}
	for name, c := range map[string]*Channel{
		"email": n.Email, "sms": n.SMS, "push": n.Push, "slack": n.Slack, "discord": n.Discord, "telegram": n.Telegram, "webhook": n.Webhook,
	} {
		if c != nil && c.On() {
			there[name] = c
		}
	}
	return there
}

// Check judges each channel by its name.
func (n *Notifications) Check(r *config.Report) {
	for name, c := range n.Channels() {
		c.check(r.At(name), name)
	}
}

// Channel is the table [notifications.CHANNEL]. With one provider its keys stand in the channel itself
// (provider = "…"); with several each has a table below providers.
type Channel struct {
	config.Switch
	Provider  string          `toml:"provider" doc:"The only provider; its keys stand beside this one."`
	Primary   string          `toml:"primary_provider" doc:"Which of providers is tried first. Default: the first one."`
	Fallback  []string        `toml:"fallback" doc:"Which are tried next. Default: the others, as they stand in the file."`
	DefaultTo string          `toml:"default_to" planned:"true" doc:"Where a message without an address goes."`
	OnUnknown string          `toml:"on_unknown" enum:"retry,hold" doc:"What follows when nobody knows whether a message was sent. Default: retry, for sms hold."`
	Providers []NamedProvider `toml:"providers" doc:"The providers by name, in the order in which they are tried."`

	ProviderKeys
}

// NamedProvider is the table [notifications.CHANNEL.providers.NAME].
type NamedProvider struct {
	ConfigName string
	config.Switch
	Type string `toml:"type" doc:"What kind of provider it is. Default: its name."`

	ProviderKeys
}

func (c *Channel) check(r *config.Report, channel string) {
	kinds := providerRules[channel]
	switch {
	case c.Provider != "" && len(c.Providers) > 0:
		r.Error("provider", "config/two-sources", "`provider` is the short form for one provider, but there are tables below `providers` too", "remove `provider`, or move its keys into ["+r.Path()+".providers."+c.Provider+"]")
	case len(c.Providers) == 0:
		kind := c.Provider
		if kind == "" && len(kinds) == 1 {
			kind = channel
		}
		if kind == "" {
			r.Error("", "config/missing-key", "a channel needs `provider` or tables below `providers`", `provider = "`+usual[channel]+`"`)
			return
		}
		checkKind(r, "provider", kind, kinds)
		checkBuilt(r, "provider", channel, kind)
		c.checkSender(r, channel, kind, c.From)
	}
	names := c.checkProviders(r, channel, kinds)
	c.checkNamed(r, "primary_provider", c.Primary, names)
	for _, name := range c.Fallback {
		c.checkNamed(r, "fallback", name, names)
		if name == c.Primary {
			r.Warn("fallback", "config/contradiction", fmt.Sprintf("`%s` is the primary provider and its own fallback", name), "")
		}
	}
}

func (c *Channel) checkProviders(r *config.Report, channel string, kinds map[string]config.Kind) []string {
	var names []string
	for _, p := range c.Providers {
		names = append(names, p.ConfigName)
		if !p.On() {
			continue
		}
		at, key, kind := r.At("providers").Item(p.ConfigName), "type", p.Type
		if kind == "" {
			key, kind = "", p.ConfigName
		}
		if key == "" && kinds[kind].Needs == nil {
			at.Error("", "config/missing-key", "provider `"+p.ConfigName+"` needs `type`", `type = "`+cmp.Or(usual[channel], channel)+`"`)
			continue
		}
		checkKind(at, key, kind, kinds)
		checkBuilt(at, key, channel, kind)
		from := p.From
		if from == "" {
			from = c.From
		}
		c.checkSender(at, channel, kind, from)
	}
	return names
}

// Ordered gives the providers that are not switched off in the order in which they are tried: the primary one, those of
// fallback, and without these the others. The keys of the channel hold where a provider has none of its own.
func (c *Channel) Ordered() []NamedProvider {
	if len(c.Providers) == 0 {
		return []NamedProvider{{ConfigName: c.Provider, Type: c.Provider, ProviderKeys: c.ProviderKeys}}
	}
	var first, next, rest []NamedProvider
	for _, p := range c.Providers {
		p.Type, p.From, p.ReplyTo = cmp.Or(p.Type, p.ConfigName), cmp.Or(p.From, c.From), cmp.Or(p.ReplyTo, c.ReplyTo)
		switch at := slices.Index(c.Fallback, p.ConfigName); {
		case !p.On():
		case p.ConfigName == c.Primary:
			first = append(first, p)
		case at >= 0:
			next = append(next, p)
		case len(c.Fallback) == 0:
			rest = append(rest, p)
		case c.Primary == "" && len(first) == 0: // the first one of the file is tried first
			first = append(first, p)
		}
	}
	slices.SortStableFunc(next, func(a, b NamedProvider) int {
		return slices.Index(c.Fallback, a.ConfigName) - slices.Index(c.Fallback, b.ConfigName)
	})
	return slices.Concat(first, next, rest)
}

// checkBuilt tells that mails leave by SMTP only. All other channels are told of as a whole.
func checkBuilt(r *config.Report, key, channel, kind string) {
	if _, known := providerRules[channel][kind]; channel == "email" && known && kind != "smtp" {
		r.Need(key, "config/not-built", "this version cannot send by "+kind+" yet", "")
	}
}

// checkSender warns of mail that would have no sender: sends fail with notifications/no-sender.
func (c *Channel) checkSender(r *config.Report, channel, kind, from string) {
	if channel == "email" && from == "" && providerRules[channel][kind].Needs != nil && !r.Given("from") {
		r.Warn("", "config/no-sender", "mail of this provider has no sender", `from = "Shop <shop@example.com>"`)
	}
}

func (c *Channel) checkNamed(r *config.Report, key, name string, names []string) {
	if name == "" || slices.Contains(names, name) {
		return
	}
	help := "add [" + r.Path() + ".providers." + name + "]"
	if near := diag.Nearest(name, names); near != "" {
		help = "did you mean `" + near + "`?"
	}
	r.Error(key, "config/unknown-reference", fmt.Sprintf("`%s` names `%s`, which is no provider of this channel", key, name), help)
}

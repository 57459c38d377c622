package observers

import (
	"errors"
	"time"

	"github.com/fraiseql/fraiseql/runtime/conditions"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
	"github.com/fraiseql/fraiseql/runtime/retry"
)

// Config is the table [observers].
type Config struct {
	config.Switch
	Named map[string]Rule `toml:"*" doc:"One observer."`
}

// Check wants names that are no routes.
func (c *Config) Check(r *config.Report) {
	config.CheckNames(r, c.Named, "/observers", "dead", "enabled")
}

// Rule is the table [observers.NAME]: what happens after which change.
type Rule struct {
	config.Switch
	Description string        `toml:"description" doc:"What it is for."`
	Event       []string      `toml:"event" enum:"INSERT,UPDATE,DELETE,CUSTOM" doc:"The changes that it hears, one or a list."`
	Entity      string        `toml:"entity" doc:"GraphQL type or \"schema.table\"; of CUSTOM events their name."`
	Columns     []string      `toml:"columns" doc:"Of updates only those that change one of these columns."`
	When        string        `toml:"when" doc:"Condition over old, new, op and claims."`
	Mode        string        `toml:"mode" default:"queue" enum:"queue,immediate" doc:"immediate: a change that was not tried yet waits for nobody, whatever concurrency says."`
	Concurrency int           `toml:"concurrency" default:"10" min:"1" max:"10000" doc:"Actions at work at once, on all servers together."`
	Timeout     time.Duration `toml:"timeout" default:"30s" min:"10ms" doc:"How long one action may take."`
	Retry       retry.Policy  `toml:"retry" doc:"How an action that fails is tried again."`
	OnFailure   string        `toml:"on_failure" default:"dead" enum:"dead,continue,stop" doc:"When an action was tried for the last time: keep a dead letter, go on with the next action, or leave it at that."`
	Actions     []Action      `toml:"actions" doc:"What it does, in this order."`
}

// Check wants to know what is heard and what is done.
func (o *Rule) Check(r *config.Report) {
	if len(o.Event) == 0 && !r.Reported("event") {
		r.Error("", "config/missing-key", "an observer needs `event`", `event = "INSERT"`)
	}
	if o.Entity == "" && !r.Reported("entity") {
		r.Error("", "config/missing-key", "an observer needs `entity`", `entity = "User"`)
	}
	if o.When != "" && !r.Reported("when") {
		if _, err := conditions.Compile(o.When, nil); err != nil {
			told, hint := err.Error(), ""
			if f, known := fault.As(err); known {
				told, hint = f.Message, f.Hint
			}
			var at *conditions.Error
			if errors.As(err, &at) && at.Width > 0 {
				told += ", at " + o.When[at.Offset:at.Offset+at.Width]
			}
			r.Error("when", "config/bad-condition", "the condition cannot be read: "+told, hint)
		}
	}
	if len(o.Actions) == 0 && !r.Reported("actions") {
		r.Error("", "config/missing-key", "an observer needs at least one action", "add [["+r.Path()+".actions]] with `type = \"log\"`")
	}
}

// Action is one entry of [[observers.NAME.actions]].
type Action struct {
	Type     string            `toml:"type" enum:"email,webhook,database,log,notify,job,wasm,lua" doc:"What kind of action it is."`
	Template string            `toml:"template" doc:"email, notify: the template's name."`
	To       string            `toml:"to" doc:"email, notify: a column of the row, a literal address or a template."`
	Subject  string            `toml:"subject" doc:"email, notify: the subject, when there is no template."`
	Body     string            `toml:"body" doc:"email, notify: the text, when there is no template. webhook: a body in place of the event, a template of JSON."`
	From     string            `toml:"from" doc:"email: the sender, in place of the channel's."`
	Channel  string            `toml:"channel" enum:"email,sms,push,slack,discord,telegram,webhook" doc:"notify: how it is sent."`
	URL      string            `toml:"url" form:"urls" doc:"webhook: where it goes; it may be a template."`
	URLFrom  config.Secret     `toml:"url" doc:"webhook: where the address is when it is not in the file."`
	Secret   config.Secret     `toml:"secret" doc:"webhook: the key that signs."`
	Method   string            `toml:"method" default:"POST" enum:"POST,PUT,PATCH,DELETE,GET" doc:"webhook: the method."`
	Headers  map[string]string `toml:"headers" doc:"webhook: further headers, templates."`
	Timeout  time.Duration     `toml:"timeout" default:"30s" min:"10ms" doc:"webhook: how long an answer may take."`
	Function string            `toml:"function" doc:"database: the function, called with the event as jsonb. wasm, lua: the function in the module."`
	Level    string            `toml:"level" default:"info" enum:"debug,info,warn,error" doc:"log: the entry's level."`
	Message  string            `toml:"message" doc:"log: the entry's text, a template."`
	Kind     string            `toml:"kind" doc:"job: the kind to enqueue."`
	Args     map[string]any    `toml:"args" doc:"job: its arguments, templates over the event. Default: the event."`
	Queue    string            `toml:"queue" doc:"job: its queue, in place of the kind's."`
	Data     map[string]any    `toml:"data" doc:"email, notify: more values for the template."`
	Source   string            `toml:"source" doc:"lua: the script. wasm: the module."`
}

var actionRules = map[string]config.Kind{
	"email":    {Needs: []string{"to", "template|body"}, Takes: []string{"subject", "from", "data"}},
	"webhook":  {Needs: []string{"url"}, Takes: []string{"secret", "method", "headers", "timeout", "body"}},
	"database": {Needs: []string{"function"}},
	"log":      {Takes: []string{"level", "message"}},
	"notify":   {Needs: []string{"channel", "template|body"}, Takes: []string{"to", "subject", "data"}},
	"job":      {Needs: []string{"kind"}, Takes: []string{"args", "queue"}},
	"wasm":     {Needs: []string{"source"}, Takes: []string{"function"}},
	"lua":      {Needs: []string{"source"}, Takes: []string{"function"}},
}

// built are the types that there are; the others are judged by their rules already.
var built = map[string]bool{"webhook": true, "database": true, "log": true, "job": true, "email": true}

// Check wants the keys of the action's type.
func (a *Action) Check(r *config.Report) {
	if r.Reported("type") {
		return
	}
	if a.Type == "" {
		r.Error("", "config/missing-key", "an action needs `type`", `type = "log"`)
		return
	}
	actionRules[a.Type].Check(r, "an action of type "+a.Type, actionRules)
	if !built[a.Type] {
		r.Need("type", "config/not-built", "this version has no actions of type "+a.Type+" yet", "")
	}
	a.checkTexts(r)
	switch a.Type {
	case "email":
		a.checkMail(r)
	case "webhook":
		outbound.CheckSecret(r, "secret", a.Secret)
	}
	if (a.Type == "lua" || a.Type == "wasm") && a.Source != "" && !r.File(a.Source) {
		r.Need("source", "config/missing-file", "the file `"+a.Source+"` is not there", "")
	}
}

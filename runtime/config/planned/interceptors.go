package planned

import (
	"regexp"
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// Interceptors is the table [interceptors].
type Interceptors struct {
	config.Switch
	RequireSignature bool                   `toml:"require_signature" doc:"Take only modules that a trusted key has signed."`
	TrustedKeys      map[string]string      `toml:"trusted_keys" doc:"Public ed25519 keys by name, base64."`
	Named            map[string]Interceptor `toml:"*" doc:"One interceptor."`
}

// Check wants names that are no routes, and keys where signatures are required.
func (i *Interceptors) Check(r *config.Report) {
	config.CheckNames(r, i.Named, "/interceptors")
	if i.RequireSignature && len(i.TrustedKeys) == 0 {
		r.Error("require_signature", "config/missing-key", "signatures are required, but no key is trusted", "add [interceptors.trusted_keys]")
	}
}

// Interceptor is the table [interceptors.NAME]: code of the operator's own.
type Interceptor struct {
	config.Switch
	Type      string            `toml:"type" enum:"wasm,lua,http" doc:"What it is written in."`
	Module    string            `toml:"module" doc:"wasm: the module's file."`
	ModuleURL string            `toml:"module_url" form:"url" doc:"wasm: where the module is fetched."`
	SHA256    string            `toml:"sha256" form:"sha256" doc:"wasm: the module's digest; without it the first deploy pins what it got."`
	Source    string            `toml:"source" doc:"lua: the script's file."`
	URL       string            `toml:"url" form:"url" doc:"http: the service."`
	URLFrom   config.Secret     `toml:"url" doc:"http: where the address is when it is not in the file."`
	Secret    config.Secret     `toml:"secret" doc:"http: the key that signs."`
	Event     []string          `toml:"event" enum:"before_request,before_query,before_mutation,before_subscription,after_response,validate,field_resolve,on_event,on_error" doc:"When it runs; the same as events."`
	Events    []string          `toml:"events" enum:"before_request,before_query,before_mutation,before_subscription,after_response,validate,field_resolve,on_event,on_error" doc:"When it runs."`
	Field     []string          `toml:"field" doc:"The same as fields."`
	Fields    []string          `toml:"fields" doc:"field_resolve: the fields that it resolves, \"User.avatar\"."`
	Types     map[string]string `toml:"types" doc:"field_resolve: types of new fields; String without one."`
	Requires  []string          `toml:"requires" doc:"field_resolve: fields of the parent that it needs."`
	Order     int               `toml:"order" default:"0" doc:"Lower runs first."`
	Timeout   time.Duration     `toml:"timeout" default:"50ms" min:"1ms" max:"1m" doc:"How long one call may take."`
	Memory    config.Bytes      `toml:"memory" default:"16MB" min:"1MB" max:"1GB" doc:"Memory of one instance."`
	Fuel      int               `toml:"fuel" default:"20000000" min:"1000" doc:"Steps that one call may take."`
	OnFailure string            `toml:"on_failure" enum:"fail_closed,fail_open" doc:"What a failure does. Default: closed before and in validate, open after."`
	Isolation string            `toml:"isolation" default:"wasm" enum:"wasm,inprocess" doc:"lua: inprocess is faster and trusts the script."`
	Instances string            `toml:"instances" default:"fresh" enum:"fresh,pooled" doc:"wasm: one instance a request, or a pool."`
	Allow     []string          `toml:"allow" enum:"clock,random,log,kv,http,query" doc:"What it may use."`
	AllowHost []string          `toml:"allow_hosts" form:"hostname" doc:"Hosts that it may call."`
	Match     Match             `toml:"match" doc:"Which requests it sees."`
	Config    map[string]any    `toml:"config" doc:"Values that it is given."`
}

// Match is the table [interceptors.NAME.match].
type Match struct {
	Operations []string `toml:"operations" doc:"Names of operations."`
	Roles      []string `toml:"roles" doc:"Roles."`
	Fields     []string `toml:"fields" doc:"Root fields."`
}

var fieldForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$`)

var interceptorRules = map[string]config.Kind{
	"wasm": {Needs: []string{"module|module_url"}, Takes: []string{"sha256", "instances"}},
	"lua":  {Needs: []string{"source"}, Takes: []string{"isolation"}},
	"http": {Needs: []string{"url"}, Takes: []string{"secret"}},
}

// Check wants code, and to know when it runs.
func (i *Interceptor) Check(r *config.Report) {
	if r.Reported("type") {
		return
	}
	if i.Type == "" {
		r.Error("", "config/missing-key", "an interceptor needs `type`", `type = "wasm"`)
		return
	}
	interceptorRules[i.Type].Check(r, "an interceptor of type "+i.Type, interceptorRules)
	for key, file := range map[string]string{"module": i.Module, "source": i.Source} {
		if file != "" && !r.File(file) {
			r.Need(key, "config/missing-file", "the file `"+file+"` is not there", "")
		}
	}
	if i.Module != "" && i.ModuleURL != "" {
		r.Error("module_url", "config/two-sources", "`module` and `module_url` both give the module", "keep one of the two")
	}
	if i.ModuleURL != "" && i.SHA256 == "" && !r.Reported("sha256") {
		r.Warn("module_url", "config/unpinned-module", "the module is not pinned: the first deploy takes what the address then holds", `sha256 = "…"`)
	}
	i.checkEvents(r)
}

func (i *Interceptor) checkEvents(r *config.Report) {
	events, fields := append(i.Event[:len(i.Event):len(i.Event)], i.Events...), append(i.Field[:len(i.Field):len(i.Field)], i.Fields...)
	if len(events) == 0 && !r.Reported("event") && !r.Reported("events") {
		r.Error("", "config/missing-key", "an interceptor needs `events`", `events = ["before_query"]`)
	}
	resolves := false
	for _, e := range events {
		resolves = resolves || e == "field_resolve"
	}
	switch {
	case resolves && len(fields) == 0:
		r.Error("", "config/missing-key", "field_resolve needs `fields`", `fields = ["User.avatar"]`)
	case !resolves && len(fields) > 0 && len(events) > 0:
		r.Warn("fields", "config/unused-key", "`fields` counts with the event field_resolve only", `events = ["field_resolve"]`)
	}
	for _, f := range fields {
		if !fieldForm.MatchString(f) {
			r.Error("fields", "config/bad-value", "`"+f+"` is not TYPE.FIELD", `fields = ["User.avatar"]`)
		}
	}
}

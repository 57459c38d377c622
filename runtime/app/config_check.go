package app

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/config/planned"
	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
	"github.com/fraiseql/fraiseql/runtime/observers"
	"github.com/fraiseql/fraiseql/runtime/templates"
)

// Check judges what one table says of another.
func (c *RuntimeConfig) Check(r *config.Report) {
	c.checkRoutes(r)
	if c.Observers != nil && c.Observers.On() {
		for name, o := range c.Observers.Named {
			if o.On() {
				c.checkObserver(r.At("observers").Item(name), o)
			}
		}
	}
	if c.Jobs != nil && c.Jobs.On() {
		c.checkJobs(r.At("jobs"))
	}
	if c.Files != nil && c.Files.On() {
		for name, b := range c.Files.Named {
			if b.On() {
				c.checkBucket(r.At("files").Item(name), name, b)
			}
		}
	}
	if c.Webhooks != nil && c.Webhooks.On() {
		c.checkWebhooks(r.At("webhooks"))
	}
	c.checkRoles(r)
	if c.Auth != nil && c.Auth.On() && c.Auth.MagicLink.Enabled {
		c.checkMessage(r.At("auth.magic_link"), "enabled", "email", c.Auth.MagicLink.Template)
	}
}

// checkRoles wants roles that somebody can have, and those that are given to be among them.
func (c *RuntimeConfig) checkRoles(r *config.Report) {
	on := c.Auth != nil && c.Auth.On()
	if len(c.GraphQL.Roles) > 0 && !on {
		r.At("graphql").Error("roles", "config/missing-key", "without [auth] no request has a role, and none could be answered", "[auth]\nanonymous_role = \""+slices.Sorted(maps.Keys(c.GraphQL.Roles))[0]+"\"")
	}
	if !on {
		return
	}
	auth := r.At("auth")
	for key, role := range map[string]string{"anonymous_role": c.Auth.AnonymousRole, "default_role": c.Auth.DefaultRole} {
		if _, listed := c.GraphQL.Roles[role]; role != "" && !listed {
			names := slices.Sorted(maps.Keys(c.GraphQL.Roles))
			auth.Error(key, "config/unknown-role", "there is no role `"+role+"` in [graphql.roles]: its requests would be refused", diag.DidYouMean(role, names, "[graphql.roles."+role+"]"))
		}
	}
	if admin := c.Auth.AdminRole; admin != "" && (admin == c.Auth.AnonymousRole || admin == c.Auth.DefaultRole) {
		auth.Error("admin_role", "config/contradiction", "who says nothing of a role would have `"+admin+"`, and so the management routes", "give `admin_role` to tokens that name it alone")
	}
	if j := c.Auth.JWT; !j.Secret.Given() && j.PublicKey == "" && j.JWKSURL == "" && (c.Auth.TrustedHeader == nil || !c.Auth.TrustedHeader.On()) && len(c.Auth.Providers) == 0 {
		auth.Warn("", "config/missing-key", "nothing tells who asks: every request is anonymous", "[auth.jwt]\nsecret_env = \"JWT_SECRET\"")
	}
}

// checkRoutes wants a route for each thing that is served.
func (c *RuntimeConfig) checkRoutes(r *config.Report) {
	taken := map[string]string{"/": "the answer to unknown routes", "/startup": "a probe that is always there"}
	routes := []struct{ table, key, path string }{
		{"lifecycle", "health_path", c.Lifecycle.HealthPath}, {"lifecycle", "ready_path", c.Lifecycle.ReadyPath},
	}
	if c.GraphQL.Enabled == nil || *c.GraphQL.Enabled {
		routes = append(routes, struct{ table, key, path string }{"graphql", "path", c.GraphQL.Path})
	}
	for _, route := range routes {
		owner := taken[route.path]
		if route.path == "/readiness" && route.key != "ready_path" {
			owner = "[lifecycle] ready_path"
		}
		switch {
		case r.Reported(route.table + "." + route.key):
			continue
		case route.path == "":
			r.At(route.table).Error(route.key, "config/bad-value", "`"+route.key+"` is empty", `write it like "/path"`)
			continue
		case owner != "":
			r.At(route.table).Error(route.key, "config/route-taken", "the route `"+route.path+"` is taken by "+owner, "choose another path")
			continue
		}
		taken[route.path] = "[" + route.table + "] " + route.key
	}
}

func (c *RuntimeConfig) checkObserver(r *config.Report, o observers.Rule) {
	for i, a := range o.Actions {
		at := r.At(fmt.Sprintf("actions[%d]", i))
		switch a.Type {
		case "email":
			c.checkMessage(at, "type", "email", a.Template)
		case "notify":
			c.checkMessage(at, "channel", a.Channel, a.Template)
		case "job":
			c.checkQueue(at, a.Queue)
			c.checkKind(at, a.Kind)
		}
	}
}

// checkMessage wants the channel of a message, and its template's folder.
func (c *RuntimeConfig) checkMessage(r *config.Report, key, channel, template string) {
	switch {
	case channel == "" || r.Reported(key):
	case c.Notifications != nil && !c.Notifications.On():
		r.Error(key, "config/no-channel", "this sends by "+channel+", but [notifications] is switched off", "remove `enabled = false` from [notifications]")
	case c.Notifications == nil || c.Notifications.Channels()[channel] == nil:
		r.Error(key, "config/no-channel", "this sends by "+channel+", but there is no [notifications."+channel+"]", "add [notifications."+channel+"] with its provider")
	}
	if template == "" {
		return
	}
	folder := filepath.ToSlash(filepath.Join(c.Templates.Folder(), template))
	if !filepath.IsLocal(template) {
		r.Error("template", "config/bad-value", "`"+template+"` leads out of the folder of templates", `template = "welcome_email"`)
		return
	}
	if !r.File(folder) {
		first := map[string]string{"email": "subject.txt.hbs and body.html.hbs", "sms": "sms.txt.hbs"}[channel]
		if first == "" {
			first = "body.txt.hbs"
		}
		r.Need("template", "config/missing-template", "there is no template `"+template+"`: the folder "+folder+" is not there", "make "+folder+"/"+first)
	} else if channel == "email" {
		c.checkMail(r, template)
	}
}

// checkMail wants the parts of a mail, and that they can be read.
func (c *RuntimeConfig) checkMail(r *config.Report, template string) {
	dir := c.Templates.Folder()
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(r.Files(), dir)
	}
	_, err := templates.ReadMail(dir, template, c.Templates.Missing())
	told, _ := fault.As(err)
	var at *templates.Error
	switch {
	case err == nil:
	case errors.As(err, &at):
		r.Error("template", "config/bad-template", fmt.Sprintf("the template cannot be read: %s:%d:%d: %s", at.Name, at.Line, at.Column, told.Message), told.Hint)
	default:
		r.Need("template", "config/missing-template", told.Message, told.Hint)
	}
}

func (c *RuntimeConfig) checkQueue(r *config.Report, queue string) {
	known := []string{jobs.DefaultQueue}
	if c.Jobs != nil {
		known = append(known, slices.Sorted(maps.Keys(c.Jobs.Queues))...)
	}
	if queue == "" || slices.Contains(known, queue) {
		return
	}
	help := diag.DidYouMean(queue, known, "add [jobs.queues."+queue+"]")
	r.Error("queue", "config/unknown-reference", "there is no queue `"+queue+"`", help)
}

// checkKind warns only: kinds may be registered by a program of one's own, too.
func (c *RuntimeConfig) checkKind(r *config.Report, kind string) {
	if kind == "" || c.Jobs != nil && (c.handles(kind) || slices.Contains(c.Jobs.ExternalKinds, kind)) {
		return
	}
	var known []string
	if c.Jobs != nil {
		known = append(slices.Sorted(maps.Keys(c.Jobs.Handlers)), c.Jobs.ExternalKinds...)
	}
	r.Warn("kind", "config/no-handler", "nothing in this file handles jobs of kind `"+kind+"`", diag.DidYouMean(kind, known, "add [jobs.handlers."+kind+"]"))
}

func (c *RuntimeConfig) handles(kind string) bool { _, known := c.Jobs.Handlers[kind]; return known }

func (c *RuntimeConfig) checkJobs(r *config.Report) {
	for name, s := range c.Jobs.Schedules {
		if s.On() {
			at := r.At("schedules").Item(name)
			c.checkQueue(at, s.Queue)
			c.checkKind(at, s.Kind)
		}
	}
	for kind, h := range c.Jobs.Handlers {
		if !h.On() {
			continue
		}
		at := r.At("handlers").Item(kind)
		c.checkQueue(at, h.Queue)
		if h.Type == "notification" {
			c.checkMessage(at, "channel", h.Channel, h.Template)
		}
	}
}

func (c *RuntimeConfig) checkWebhooks(r *config.Report) {
	for name, w := range c.Webhooks.Named {
		for event, e := range w.Events {
			if w.On() && e.On() && e.Job != "" && (c.Jobs == nil || !c.handles(e.Job)) {
				at := r.Item(name).At("events").Item(event)
				at.Warn("job", "config/no-handler", "nothing in this file handles jobs of kind `"+e.Job+"`", "add [jobs.handlers."+e.Job+"]")
			}
		}
	}
}

func (c *RuntimeConfig) checkBucket(r *config.Report, name string, b planned.Bucket) {
	var known []string
	if c.Storage != nil && c.Storage.On() {
		known = slices.Sorted(maps.Keys(c.Storage.Named))
	}
	if b.Storage == "" || slices.Contains(known, b.Storage) {
		return
	}
	help := diag.DidYouMean(b.Storage, known, "add [storage."+b.Storage+"] with `backend = \"local\"` and `base_path`")
	r.Error("storage", "config/unknown-reference", "files of `"+name+"` go to the storage `"+b.Storage+"`, which is not there", help)
}

package planned_test

import (
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/config/planned"
)

// TestProvidersAreOrdered by primary_provider, fallback, and their places in the file.
func TestProvidersAreOrdered(t *testing.T) {
	t.Parallel()
	off := false
	for _, c := range []struct {
		primary, fallback, want string
	}{
		{"", "", "a b d"},
		{"b", "", "b a d"},
		{"b", "d a", "b d a"},
		{"b", "d", "b d"},
		{"", "d b", "a d b"},
		{"c", "", "a b d"}, // is switched off
	} {
		channel := planned.Channel{Primary: c.primary, Fallback: strings.Fields(c.fallback), ProviderKeys: planned.ProviderKeys{From: "shop", ReplyTo: "help"}}
		for _, name := range []string{"a", "b", "c", "d"} {
			p := planned.NamedProvider{ConfigName: name}
			if name == "c" {
				p.Enabled = &off
			}
			if name == "d" {
				p.Type, p.From = "smtp", "other"
			}
			channel.Providers = append(channel.Providers, p)
		}
		var got []string
		for _, p := range channel.Ordered() {
			got = append(got, p.ConfigName)
			if want := map[bool]string{true: "other", false: "shop"}[p.ConfigName == "d"]; p.From != want || p.ReplyTo != "help" {
				t.Errorf("%s is of %s, answers go to %s", p.ConfigName, p.From, p.ReplyTo)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("primary %q, fallback %q: %v, want %s", c.primary, c.fallback, got, c.want)
		}
	}
	short := planned.Channel{Provider: "smtp", ProviderKeys: planned.ProviderKeys{Host: "h", Password: config.Secret{Env: "P"}}}
	if all := short.Ordered(); len(all) != 1 || all[0].ConfigName != "smtp" || all[0].Host != "h" || all[0].Password.Env != "P" {
		t.Errorf("the short form is %+v", all)
	}
}

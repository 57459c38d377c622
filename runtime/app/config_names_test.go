package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/config"
)

// read loads a configuration from a text.
func read(t *testing.T, text string, env map[string]string, flags map[string]string) (*app.RuntimeConfig, *config.File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fraiseql.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	c, file, problems := app.Load(config.Options{Path: path, Env: lookup, Flags: flags})
	var b bytes.Buffer
	for _, write := range []func() error{
		func() error { return problems.Text(&b, file.Source, true) },
		func() error { return problems.JSON(&b) },
		func() error { return problems.GitHub(&b) },
	} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	return c, file, b.String()
}

// TestProvidersKeepTheirOrder matters because they are tried in it.
func TestProvidersKeepTheirOrder(t *testing.T) {
	t.Parallel()
	c, _, text := read(t, `
[notifications.email]
from = "a@example.com"
[notifications.email.providers.Zeta]
type = "smtp"
host = "z"
[notifications.email.providers.alpha]
type = "smtp"
host = "a"
[notifications.email.providers.Mid]
type = "smtp"
host = "m"
`, nil, nil)
	if c.Notifications == nil || c.Notifications.Email == nil {
		t.Fatalf("the channel was not read:\n%s", text)
	}
	var names []string
	for _, p := range c.Notifications.Email.Providers {
		names = append(names, p.ConfigName+"="+p.Host)
	}
	if want := []string{"Zeta=z", "alpha=a", "Mid=m"}; !slices.Equal(names, want) {
		t.Errorf("the providers are %v, want %v", names, want)
	}
	if p := c.Notifications.Email.Providers[0].Port; p != 587 {
		t.Errorf("the port is %d by default, want 587", p)
	}
}

// TestOneTableIsAListOfOne reads the short way to write a list.
func TestOneTableIsAListOfOne(t *testing.T) {
	t.Parallel()
	c, _, text := read(t, "[observers.UserCreated]\nevent = \"INSERT\"\nentity = \"User\"\n[observers.UserCreated.actions]\ntype = \"log\"\n", nil, nil)
	if strings.Contains(text, "\"error\"") || c.Observers == nil {
		t.Fatalf("there are errors:\n%s", text)
	}
	o, named := c.Observers.Named["UserCreated"]
	if !named || len(o.Event) != 1 || len(o.Actions) != 1 || o.Actions[0].Type != "log" {
		t.Errorf("the observer is %+v", o)
	}
	if o.Retry.MaxAttempts != 10 || o.Mode != "queue" || !o.On() {
		t.Errorf("the observer's defaults are %+v", o)
	}
}

// TestSwitchesOfTheEnvironment turns tables on and off from outside.
func TestSwitchesOfTheEnvironment(t *testing.T) {
	t.Parallel()
	c, _, text := read(t, "[cache]\n", map[string]string{"FRAISEQL_CACHE_ENABLED": "false", "FRAISEQL_EVENTS_RETENTION": "2d", "FRAISEQL_SEARCH_ENABLED": "true"}, nil)
	if c.Cache == nil || c.Cache.On() {
		t.Errorf("the cache is on: %+v", c.Cache)
	}
	if strings.Contains(text, "[cache]") || !strings.Contains(text, "[search]") {
		t.Errorf("what is not built is told as:\n%s", text)
	}
	if c.Events == nil || c.Events.Retention.Hours() != 48 {
		t.Errorf("events are %+v", c.Events)
	}
}

// TestAFlagOutranksTheOtherSources lets --database-url win over url_env of the file.
func TestAFlagOutranksTheOtherSources(t *testing.T) {
	t.Parallel()
	file := "[database]\nurl_env = \"DB\"\n"
	c, _, text := read(t, file, map[string]string{"DB": "postgres://file/x"}, map[string]string{"database.url": "postgres://flag/x"})
	if strings.Contains(text, "two-sources") || c.Database.URL != "postgres://flag/x" || c.Database.URLFrom.Given() {
		t.Errorf("the database is %+v:\n%s", c.Database, text)
	}
	c, _, _ = read(t, "[database]\nurl = \"postgres://file/x\"\n", map[string]string{"FRAISEQL_DATABASE_URL_ENV": "DB", "DB": "postgres://env/x"}, nil)
	if c.Database.URL != "" || c.Database.URLFrom.Env != "DB" {
		t.Errorf("the database is %+v", c.Database)
	}
}

// TestNoSecretIsShown writes one canary wherever people put secrets, with a mistake on each line, and
// looks for it in everything that the program would print.
func TestNoSecretIsShown(t *testing.T) {
	t.Parallel()
	const canary = "c4naryS3cret"
	lines := []string{
		`[database]`, `url = "postgres://app:` + canary + `@db/app"; port = 1`,
		`[database]`, `url = "mysql://app:` + canary + `@db/app"`,
		`[database]`, `url_env = "postgres://app:` + canary + `@db/app"`,
		`[database]`, `url = "postgres://app:` + canary + `@db:port/app"`,
		`[server]`, `admin_token = "` + canary + `"`,
		`[server]`, `admin_token_env = "` + canary + `!"`,
		`[server]`, `secret = """` + canary + `"""`,
		`[server]`, `secret = '` + canary,
		`[server]`, `port = "${SECRET}"`,
		`[server]`, `rate_limit = { default = "${SECRET}" }`,
		`[server]`, `host = "${SECRET}:${SECRET}"`,
		`[notifications.email]`, `provider = "sendgrid"` + "\n" + `api_key = "` + canary + `"`,
		`[notifications.slack]`, `webhook_url = "https://hooks.example.com/` + canary + `"`,
		`[notifications.webhook]`, `headers = { Authorization = "Bearer ` + canary + `", x = 1 }`,
		`[auth]`, `jwt_secret = "` + canary + `"`,
		`[storage.a]`, `{ secret_key = "` + canary + `" }`,
	}
	for i := 0; i < len(lines); i += 2 {
		_, file, text := read(t, lines[i]+"\n"+lines[i+1]+"\n", map[string]string{"SECRET": canary}, nil)
		if !strings.Contains(text, "error") {
			t.Errorf("%s: there is no error", lines[i+1])
		}
		if strings.Contains(text, canary) {
			t.Errorf("%s: the secret is shown:\n%s", lines[i+1], text)
		}
		for _, o := range file.Explain("") {
			if strings.Contains(o.Value, canary) {
				t.Errorf("%s: the secret is explained: %s", lines[i+1], o.Value)
			}
		}
	}
}

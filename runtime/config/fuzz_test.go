package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// sample has a field of every kind that the binder knows.
type sample struct {
	Name  string             `toml:"name" enum:"a,b"`
	Port  int                `toml:"port" default:"1" min:"0" max:"9"`
	Wait  time.Duration      `toml:"wait" default:"5s" min:"1s"`
	Size  config.Bytes       `toml:"size"`
	On    *bool              `toml:"on"`
	List  []string           `toml:"list"`
	Inner *inner             `toml:"inner"`
	Many  []inner            `toml:"many"`
	Named map[string]inner   `toml:"named"`
	Free  map[string]any     `toml:"free"`
	Key   config.Secret      `toml:"key"`
	Ratio map[string]float64 `toml:"ratio"`
}

type inner struct {
	config.Switch
	Name  string        `toml:"name" enum:"a,b"`
	Wait  time.Duration `toml:"wait" default:"5s" min:"1s"`
	Size  config.Bytes  `toml:"size"`
	List  []string      `toml:"list" form:"route"`
	Hits  string        `toml:"hits" form:"rate" planned:"true"`
	Inner struct {
		On  bool          `toml:"on"`
		Key config.Secret `toml:"key"`
	} `toml:"inner"`
	Order []keyed        `toml:"order"`
	Rest  map[string]int `toml:"*"`
}

// keyed is a table of tables that keeps the order of the file.
type keyed struct {
	ConfigName string
	Key        config.Secret `toml:"key"`
	Address    string        `toml:"key" form:"url"`
}

// FuzzLoad feeds files to the loader: it must not panic, and every place must lie in the file.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("../../testdata/config/*/*/fraiseql.toml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("name = \"${A:-b}\"\nport = 7\n[named.\"a.b\"]\nwait = \"2d\"\n[[many]]\n[many.inner]\non = true\n[inner]\nhits = \"5/s\"\n[order.x]\nkey_env = \"X\"\nkey = \"http://a\"\n"))
	f.Add([]byte("many = [{name = 'a', list = 'x'}, {size = '4KB'}]\nratio = {x = 1.5}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "c.toml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		_, problems := config.Load(&sample{}, config.Options{Path: path, Env: func(string) (string, bool) { return "", false }})
		for _, p := range problems {
			at := p.Primary
			if at.File != path {
				continue
			}
			if at.Line < 0 || at.Line > len(lines) || at.Line > 0 && (at.Column < 1 || at.Column > len(lines[at.Line-1])+1) {
				t.Errorf("%s at %d:%d is outside of the file", p.Code, at.Line, at.Column)
			}
			if p.Code == "" || p.Message == "" {
				t.Errorf("a problem says nothing: %+v", p)
			}
		}
	})
}

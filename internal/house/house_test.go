package house

import (
	"bufio"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/fraiseql/fraiseql/"
)

// floors lists packages from the ground up; a package may import only what is listed before it.
// A line is a floor of its own: packages on one line do not import each other.
var floors = [][]string{
	{"runtime/fault", "runtime/diag", "runtime/socket", "runtime/cron", "examples/shop", "migrations"},
	{"runtime/config"},
	{"runtime/retry"},
	{"runtime/config/planned"},
	{"runtime/postgres/embedded", "runtime/httpapi", "runtime/observability", "runtime/redis"},
	{"runtime/redis/redistest", "runtime/status"},
	{"runtime/postgres"},
	{"runtime/postgres/pgtest"},
	{"runtime/auth", "runtime/cluster", "runtime/outbound", "runtime/conditions", "runtime/templates", "runtime/notifications/smtp", "runtime/notifications/sink"},
	{"runtime/events"},
	{"runtime/events/dispatch", "runtime/jobs"},
	{"runtime/jobs/postgres", "runtime/jobs/redis", "runtime/jobs/jobstest"},
	{"runtime/graphql/catalog"},
	{"runtime/graphql/schema"},
	{"runtime/graphql/plan"},
	{"runtime/graphql/execute"},
	{"runtime/graphql/graphiql", "runtime/graphql/subscribe"},
	{"runtime/graphql/transport", "runtime/graphql/trusted", "runtime/graphql/resolve", "runtime/graphql/watch"},
	{"runtime/graphql", "runtime/observers"},
	{"runtime/deployment/doctor", "runtime/deployment/policy", "runtime/why"},
	{"runtime/deployment"},
	{"runtime/app"},
	{"commands"},
	{"cmd/fraiseql", "bench/baseline", "bench/torture", "bench/subscribers"},
	{"internal/house"},
}

// homes names where a heavy dependency may be used, so that it can be exchanged in one place.
var homes = map[string][]string{
	"github.com/spf13/cobra":             {"commands"},
	"github.com/spf13/viper":             {"runtime/config"},
	"github.com/pelletier/go-toml":       {"runtime/config"},
	"github.com/jackc/pgx":               {"migrations", "runtime/postgres", "runtime/jobs", "runtime/cluster", "runtime/events", "runtime/observers", "runtime/graphql", "runtime/deployment", "runtime/app", "bench/baseline", "bench/torture", "bench/subscribers"},
	"github.com/expr-lang/expr":          {"runtime/conditions"},
	"github.com/pressly/goose":           {"runtime/deployment"},
	"github.com/riverqueue/river":        {"migrations", "runtime/jobs/postgres"},
	"github.com/redis/rueidis":           {"runtime/redis"},
	"github.com/hibiken/asynq":           {"runtime/jobs/redis"},
	"github.com/redis/go-redis":          {"runtime/jobs/redis"},
	"github.com/ulikunitz/xz":            {"runtime/postgres/embedded"},
	"github.com/vektah/gqlparser":        {"runtime/graphql", "commands"},
	"github.com/go-json-experiment/json": {"runtime/graphql/transport", "runtime/graphql/trusted", "runtime/auth", "runtime/events"},
	"github.com/golang-jwt/jwt":          {"runtime/auth"},
	"github.com/jinzhu/inflection":       {"runtime/graphql/schema"},
	"github.com/agnivade/levenshtein":    {"runtime/diag"},
	"github.com/klauspost/compress":      {"runtime/httpapi"},
	"github.com/coder/websocket":         {"runtime/graphql/transport", "bench/subscribers"},
	"github.com/andybalholm/brotli":      {"runtime/httpapi"},
	"github.com/wneessen/go-mail":        {"runtime/notifications/smtp"},
	"github.com/emersion/go-smtp":        {"runtime/notifications/sink"},
	"github.com/Shopify/toxiproxy":       {}, // tests only
	"github.com/rs/zerolog":              {}, // tests only
}

func floorOf(pkg string) int {
	for i, floor := range floors {
		for _, p := range floor {
			if p == pkg {
				return i
			}
		}
	}
	return -1
}

// judge says what is wrong with an import; empty when it is fine.
func judge(from, imported string) string {
	if inner, ours := strings.CutPrefix(imported, module); ours {
		a, b := floorOf(from), floorOf(inner)
		switch {
		case a < 0:
			return fmt.Sprintf("%s stands on no floor: add it to floors", from)
		case b < 0:
			return fmt.Sprintf("%s imports %s, which stands on no floor", from, inner)
		case a <= b:
			return fmt.Sprintf("%s imports %s, which is not below it", from, inner)
		}
		return ""
	}
	for dependency, allowed := range homes {
		if imported != dependency && !strings.HasPrefix(imported, dependency+"/") {
			continue
		}
		for _, home := range allowed {
			if from == home || strings.HasPrefix(from, home+"/") {
				return ""
			}
		}
		return fmt.Sprintf("%s imports %s, whose home is %v", from, imported, allowed)
	}
	return ""
}

func goFiles(t *testing.T, visit func(path, pkg string)) {
	t.Helper()
	count := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		count++
		pkg, err := filepath.Rel(root, filepath.Dir(path))
		visit(path, filepath.ToSlash(pkg))
		return err
	})
	if err != nil || count < 20 {
		t.Fatalf("read the tree: %d files, %v", count, err)
	}
}

func TestFloors(t *testing.T) {
	t.Parallel()
	goFiles(t, func(path, pkg string) {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			return
		}
		for _, i := range file.Imports {
			if wrong := judge(pkg, strings.Trim(i.Path.Value, `"`)); wrong != "" {
				t.Errorf("%s: %s", path, wrong)
			}
		}
	})
}

func TestFloorsAreGuarded(t *testing.T) {
	t.Parallel()
	for _, bad := range [][2]string{
		{"runtime/config", module + "runtime/graphql"},
		{"runtime/httpapi", module + "runtime/observability"},
		{"runtime/graphql/schema", "github.com/spf13/viper"},
		{"runtime/unheard", module + "runtime/fault"},
	} {
		if judge(bad[0], bad[1]) == "" {
			t.Errorf("%s may import %s", bad[0], bad[1])
		}
	}
	if wrong := judge("commands", module+"runtime/app"); wrong != "" {
		t.Error(wrong)
	}
}

// longest is the most lines that a file may have.
const longest = 450

func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	goFiles(t, func(path, _ string) {
		f, err := os.Open(path)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = f.Close() }()
		lines := 0
		for s := bufio.NewScanner(f); s.Scan(); {
			lines++
		}
		if lines > longest {
			t.Errorf("%s has %d lines; at most %d", path, lines, longest)
		}
	})
}

func TestNamespaceHasNoCode(t *testing.T) {
	t.Parallel()
	goFiles(t, func(path, pkg string) {
		if pkg == "runtime" {
			t.Errorf("%s stands directly in runtime/, which is a namespace", path)
		}
	})
}

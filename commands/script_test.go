package commands_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/commands"
)

var update = flag.Bool("update", false, "write what the scripts got as what they expect")

// asProgram makes this test binary behave as the program itself, for scripts that run it.
const asProgram = "FRAISEQL_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(commands.Main(os.Args[1:], commands.System()))
	}
	os.Exit(m.Run())
}

// TestOfflineScripts drives the commands that need no database as a shell would. A script is a text with
// the files that it works on below it, as golang.org/x/tools/txtar has them.
func TestOfflineScripts(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("../testdata/script/offline/*.txtar")
	if err != nil || len(scripts) < 4 {
		t.Fatalf("found %d scripts: %v", len(scripts), err)
	}
	for _, path := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := &script{t: t, archive: parseArchive(string(text))}
			s.run()
			if *update && s.changed {
				if err := os.WriteFile(path, s.archive.bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// archive is a script and its files, in order.
type archive struct {
	script string
	names  []string
	files  map[string]string
}

func parseArchive(text string) *archive {
	a := &archive{files: map[string]string{}}
	name := ""
	for line := range strings.Lines(text) {
		bare := strings.TrimSpace(line)
		if strings.HasPrefix(bare, "-- ") && strings.HasSuffix(bare, " --") && len(bare) > 6 {
			name = bare[3 : len(bare)-3]
			a.names = append(a.names, name)
			a.files[name] = ""
			continue
		}
		if name == "" {
			a.script += line
		} else {
			a.files[name] += line
		}
	}
	return a
}

func (a *archive) bytes() []byte {
	var b bytes.Buffer
	b.WriteString(a.script)
	for _, name := range a.names {
		b.WriteString("-- " + name + " --\n" + a.files[name])
	}
	return b.Bytes()
}

package commands_test

import (
	"errors"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fraiseql/fraiseql/commands"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
	"github.com/fraiseql/fraiseql/runtime/redis/redistest"
)

var update = flag.Bool("update", false, "write what the scripts got as what they expect")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"fraiseql": func() { os.Exit(commands.Main(os.Args[1:], commands.System())) },
	})
}

// TestScripts drives every command as a shell would. Beside testscript's own verbs there are:
//
//	$EXAMPLES                  the folder of examples
//	exits CODE PROGRAM ARGS…   the program ends with that code
//	database [FILE…]           DATABASE_URL is a new database with what the files of testdata make
//	redis [OPTION…]            REDIS_URL is a new Redis; redis-stops and redis-starts have it go and come back
//	pooled                     DATABASE_URL becomes that of a PgBouncer before it, OWNER_URL what it was
//
// and those of serverCommands.
func TestScripts(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "../testdata/script", UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("EXAMPLES", filepath.Join(root, "..", "examples"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, ".config"))
			// A private PostgreSQL runs under another account when root starts it, and has to reach its folder.
			for dir := env.WorkDir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
				if err := os.Chmod(dir, 0o755); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: verbs(t, root),
	})
}

func verbs(t *testing.T, root string) map[string]func(*testscript.TestScript, bool, []string) {
	all := maps.Clone(serverCommands)
	all["exits"] = exits
	all["database"] = func(ts *testscript.TestScript, _ bool, files []string) {
		for i, name := range files {
			files[i] = filepath.Join(root, name)
		}
		ts.Setenv("DATABASE_URL", pgtest.Database(t, files...))
	}
	all["redis"] = func(ts *testscript.TestScript, _ bool, options []string) {
		r := redistest.Start(t, options...)
		redises.Store(ts, r)
		ts.Setenv("REDIS_URL", r.URL())
	}
	all["redis-stops"] = func(ts *testscript.TestScript, _ bool, _ []string) { redisOf(ts).Stop() }
	all["redis-starts"] = func(ts *testscript.TestScript, _ bool, _ []string) { redisOf(ts).Start() }
	all["pooled"] = func(ts *testscript.TestScript, _ bool, _ []string) {
		ts.Setenv("OWNER_URL", ts.Getenv("DATABASE_URL"))
		ts.Setenv("DATABASE_URL", pgtest.Pooled(t, ts.Getenv("DATABASE_URL"), 20))
	}
	return all
}

// redises has the newest Redis of each script.
var redises sync.Map

func redisOf(ts *testscript.TestScript) *redistest.Server {
	r, there := redises.Load(ts)
	if !there {
		ts.Fatalf("there is no Redis")
	}
	return r.(*redistest.Server)
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var ended *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &ended):
		got = ended.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Binaries is an installation of PostgreSQL's programs.
type Binaries struct {
	Dir   string // the folder that has postgres, initdb and the clients
	Major int
}

// Path gives one program of the installation.
func (b Binaries) Path(program string) string { return filepath.Join(b.Dir, program) }

// oldest is the first version that we support.
const oldest = 14

// places are where packages put the programs of each version: Debian, RPM distributions, Homebrew on
// both kinds of Mac, Postgres.app, and a build of one's own.
var places = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
	"/usr/local/pgsql/bin",
}

// Find gives the installations on this machine, the newest first. A program on PATH counts for what
// it is, wherever it stands. With patterns of folders given, only those are looked at.
func Find(ctx context.Context, only ...string) []Binaries {
	patterns := only
	var folders []string
	if len(only) == 0 {
		patterns = places
		if path, err := exec.LookPath("postgres"); err == nil {
			if real, err := filepath.EvalSymlinks(path); err == nil {
				folders = append(folders, filepath.Dir(real))
			}
		}
	}
	for _, pattern := range patterns {
		matches, err := filepath.Glob(pattern)
		if err == nil {
			folders = append(folders, matches...)
		}
	}
	var found []Binaries
	for _, folder := range folders {
		known := slices.ContainsFunc(found, func(b Binaries) bool { return b.Dir == folder })
		if major := majorOf(ctx, folder); major >= oldest && !known {
			found = append(found, Binaries{Dir: folder, Major: major})
		}
	}
	slices.SortStableFunc(found, func(a, b Binaries) int { return b.Major - a.Major })
	return found
}

var versionForm = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// majorOf asks the program itself; 0 when the folder has no complete server.
func majorOf(ctx context.Context, folder string) int {
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := os.Stat(filepath.Join(folder, program)); err != nil {
			return 0
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(folder, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	match := versionForm.FindSubmatch(out)
	if match == nil {
		return 0
	}
	major, _ := strconv.Atoi(string(match[1]))
	return major
}

// choose picks the installation for a cluster: the version that made it, or for a new one the newest.
func choose(found []Binaries, wanted int) (Binaries, error) {
	if len(found) == 0 {
		return Binaries{}, fault.New(fault.Unavailable, "postgres/not-installed", "there is no database configured and no PostgreSQL on this machine").
			WithHint("apt-get install postgresql (Debian), brew install postgresql@17 (macOS), or set [database] url to a server")
	}
	if wanted == 0 {
		return found[0], nil
	}
	for _, b := range found {
		if b.Major == wanted {
			return b, nil
		}
	}
	return Binaries{}, fault.New(fault.Unavailable, "postgres/wrong-version",
		fmt.Sprintf("the cluster was made with PostgreSQL %d, but only %d is installed", wanted, found[0].Major)).
		WithHint("install PostgreSQL %d, or move the cluster's folder away to begin with an empty one", wanted)
}

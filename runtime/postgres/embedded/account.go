//go:build unix

package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// account is who the server runs as; nil means as ourselves.
type account struct {
	name     string
	uid, gid int
}

// chooseAccount gives the account to drop to when we are root, and nil otherwise.
func chooseAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			continue
		}
		gid, err := strconv.Atoi(u.Gid)
		if err != nil {
			continue
		}
		return &account{name: name, uid: uid, gid: gid}, nil
	}
	return nil, fault.New(fault.Unavailable, "postgres/no-account", "PostgreSQL refuses to run as root, and there is no account postgres or nobody to run it as").
		WithHint("run fraiseql as an ordinary user, or set [database] url to a server")
}

// attributes makes a child a session of its own, so that a Ctrl-C meant for us does not reach it, and
// gives it the account.
func (a *account) attributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setsid: true}
	if a != nil {
		attributes.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attributes
}

func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// folderFor makes the cluster's folder and gives its real place. An account without rights cannot
// enter a project below a private home, such as /root: the cluster then stands in /var/lib/fraiseql,
// and the project has a link to it.
func (a *account) folderFor(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find cluster folder: %w", err)
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("make cluster folder: %w", err)
	}
	place := dir
	if a != nil && !a.canEnter(filepath.Dir(dir)) {
		sum := sha256.Sum256([]byte(dir))
		place = filepath.Join("/var/lib/fraiseql", hex.EncodeToString(sum[:8]))
		if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
			return "", fmt.Errorf("make cluster folder: %w", err)
		}
	}
	if err := os.MkdirAll(place, 0o700); err != nil {
		return "", fmt.Errorf("make cluster folder: %w", err)
	}
	if err := a.own(place); err != nil {
		return "", fmt.Errorf("give cluster folder to %s: %w", a.name, err)
	}
	if place != dir {
		if err := os.Symlink(place, dir); err != nil {
			return "", fmt.Errorf("link cluster folder: %w", err)
		}
	}
	return place, nil
}

// canEnter tells whether the account may pass through every folder on the way to dir.
func (a *account) canEnter(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil {
			return false
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		mode := info.Mode().Perm()
		switch {
		case !ok:
			return false
		case int(stat.Uid) == a.uid && mode&0o100 == 0,
			int(stat.Uid) != a.uid && int(stat.Gid) == a.gid && mode&0o010 == 0,
			int(stat.Uid) != a.uid && int(stat.Gid) != a.gid && mode&0o001 == 0:
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

package app

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// managed are the first segments of the management routes.
var managed = []string{"events", "jobs", "observers", "status"}

// openAdmin finds who may use the management routes. In development a token is made, where the command line finds it.
func (a *App) openAdmin(o Options) (*httpapi.Admin, error) {
	role := ""
	if a.Config.Auth != nil && a.Config.Auth.On() {
		role = a.Config.Auth.AdminRole
	}
	token, err := a.Config.Server.AdminToken.Resolve(os.LookupEnv, o.Dir)
	if err == nil && token == "" && o.Serve && o.Dev {
		token, err = developersToken(o.Dir)
	}
	if err != nil {
		return nil, err
	}
	return httpapi.NewAdmin(token, role, managed...), nil
}

// developersToken gives the token of a project under development, which is made once.
func developersToken(project string) (string, error) {
	path := filepath.Join(project, ".fraiseql", "admin-token")
	text, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(text))) >= 32 {
		return strings.TrimSpace(string(text)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the admin token: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("make the folder of the admin token: %w", err)
	}
	var b [32]byte
	_, _ = rand.Read(b[:])
	token := base64.RawURLEncoding.EncodeToString(b[:])
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the admin token: %w", err)
	}
	return token, nil
}

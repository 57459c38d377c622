package commands

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/status"
)

func newStatusCommand(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Ask a running server how it stands", Args: cobra.NoArgs,
		Long: "Ask a running server how it stands: its work, what is still to do, and the servers beside it. The server is that of --server, or of\n" +
			"the configuration; the token is that of [server] admin_token_env, or the one that `serve --dev` and `--demo` make.",
		Example: "  fraiseql status\n  fraiseql status --server https://api.example.com -o json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, raw, err := env.askStatus(cmd.Context())
			if err != nil {
				return err
			}
			return env.print(listing{head: []string{"SECTION", "WHAT", "VALUE"}, rows: statusRows(s), value: raw})
		},
	}
}

// askStatus asks the server.
func (e *Env) askStatus(ctx context.Context) (status.Snapshot, json.RawMessage, error) {
	var s status.Snapshot
	c, file, err := e.load(false, nil)
	if err != nil {
		return s, nil, err
	}
	address := strings.TrimSuffix(e.server, "/")
	if address == "" {
		host := c.Server.Host
		if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
			host = "127.0.0.1"
		}
		address = "http://" + net.JoinHostPort(host, strconv.Itoa(c.Server.Port))
	}
	sent := "sent was the one of [server] admin_token_file here"
	if c.Server.AdminToken.Env != "" {
		sent = "sent was the one in " + c.Server.AdminToken.Env + " here"
	}
	token, err := c.Server.AdminToken.Resolve(os.LookupEnv, projectDir(file))
	if err != nil {
		return s, nil, err
	}
	if token == "" {
		text, _ := os.ReadFile(filepath.Join(projectDir(file), ".fraiseql", "admin-token")) // without one the server says so
		token = strings.TrimSpace(string(text))
		sent = "none was sent: set [server] admin_token_env in this configuration as well"
		if token != "" {
			sent = "sent was the one in .fraiseql/admin-token here, which `serve --dev` made"
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/status", nil)
	if err != nil {
		return s, nil, fault.New(fault.Usage, "usage", "--server is an address such as https://api.example.com")
	}
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return s, nil, fault.Wrap(fault.Unavailable, "status/unreachable", "no server answers at "+address, err).WithHint("name another one by --server, or start it: fraiseql serve")
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	text, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	if err != nil {
		return s, nil, fault.Wrap(fault.Unavailable, "status/unreachable", "the server at "+address+" broke off its answer", err)
	}
	if answer.StatusCode == http.StatusOK && json.Unmarshal(text, &s) == nil && s.Sections != nil {
		return s, text, nil
	}
	var problem struct{ Detail, Hint string }
	_ = json.Unmarshal(text, &problem) // else it is no server of ours
	kind, hint := fault.Invalid, ""
	if answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden {
		kind, hint = fault.Forbidden, "it wants the token of the server's [server] admin_token_env; "+sent
	}
	refused := fault.New(kind, "status/refused", fmt.Sprintf("%s answers %s: %s", address, answer.Status, problem.Detail))
	refused.Hint = cmp.Or(problem.Hint, hint)
	if answer.StatusCode == http.StatusUnauthorized { // the server's own is for who writes requests
		refused.Hint = hint
	}
	return s, nil, refused
}

// statusRows are the plain values of a snapshot, and the lists of its sections by name.
func statusRows(s status.Snapshot) [][]string {
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(s.Sections)) {
		rows = append(rows, valueRows(name, "", s.Sections[name])...)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Errors)) {
		rows = append(rows, []string{name, "error", s.Errors[name]})
	}
	return rows
}

func valueRows(section, path string, v any) [][]string {
	switch v := v.(type) {
	case map[string]any:
		var rows [][]string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			rows = append(rows, valueRows(section, strings.TrimPrefix(path+"."+key, "."), v[key])...)
		}
		return rows
	case []any:
		var rows [][]string
		var plain []string
		for i, item := range v {
			one, is := item.(map[string]any)
			if !is {
				plain = append(plain, fmt.Sprint(item))
				continue
			}
			name, has := one["name"].(string)
			if !has {
				if name, has = one["consumer"].(string); !has {
					name = strconv.Itoa(i)
				}
			}
			delete(one, "config")
			rows = append(rows, valueRows(section, strings.TrimPrefix(path+"."+name, "."), one)...)
		}
		if len(plain) > 0 {
			rows = append(rows, []string{section, path, strings.Join(plain, " ")})
		}
		return rows
	case nil:
		return nil
	case float64:
		return [][]string{{section, path, strconv.FormatFloat(v, 'f', -1, 64)}}
	}
	return [][]string{{section, path, fmt.Sprint(v)}}
}

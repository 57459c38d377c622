package commands_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fraiseql/fraiseql/runtime/notifications/sink"
)

// serverCommands are verbs for scripts that need a server:
//
//	serves ARGS…                  starts one, and waits until it is ready; SERVER is its address. It ends with the script
//	stops                         ends it
//	request METHOD PATH [BODY]    asks it with the token in ADMIN; status and body are the output
//	sql STATEMENT                 runs one on DATABASE_URL
//	login ROLE                    DATABASE_URL becomes that of a role without rights, OWNER_URL what it was
//	post                          starts a mail server, which writes a line about each mail into mail.log
//	until PATTERN PROGRAM ARGS…   runs the program again and again until its output matches
var serverCommands = map[string]func(*testscript.TestScript, bool, []string){
	"serves": serves, "stops": stops, "request": request, "sql": runSQL, "until": until, "login": login, "post": post,
}

func post(ts *testscript.TestScript, _ bool, _ []string) {
	log, err := os.Create(ts.MkAbs("mail.log"))
	ts.Check(err)
	s, err := sink.Open(context.Background(), slog.New(slog.NewTextHandler(log, nil)))
	ts.Check(err)
	ts.Setenv("FRAISEQL_NOTIFICATIONS_EMAIL_PORT", strconv.Itoa(s.MailPort()))
	ts.Defer(func() { s.Close(); _ = log.Close() })
}

func login(ts *testscript.TestScript, _ bool, args []string) {
	owner := ts.Getenv("DATABASE_URL")
	runSQL(ts, false, []string{fmt.Sprintf("do $$ begin create role %s login password 'script'; exception when duplicate_object or unique_violation then null; end $$", args[0])})
	u, err := url.Parse(owner)
	ts.Check(err)
	u.User = url.UserPassword(args[0], "script")
	ts.Setenv("OWNER_URL", owner)
	ts.Setenv("DATABASE_URL", u.String())
}

// program finds a program, such as the one under test, in the script's PATH.
func program(ts *testscript.TestScript, name string, args ...string) *exec.Cmd {
	var cmd *exec.Cmd
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path := filepath.Join(dir, name); cmd == nil {
			if _, err := os.Stat(path); err == nil {
				cmd = exec.Command(path, args...)
			}
		}
	}
	if cmd == nil {
		ts.Fatalf("%s is not in PATH", name)
	}
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "DATABASE_URL", "OWNER_URL", "REDIS_URL", "XDG_CONFIG_HOME", "ADMIN", "WORK", "HOOK", "HOOK_SECRET", "FRAISEQL_NOTIFICATIONS_EMAIL_PORT"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	return cmd
}

func serves(ts *testscript.TestScript, _ bool, args []string) {
	cmd := program(ts, "fraiseql", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	log, err := os.Create(ts.MkAbs("server.log"))
	ts.Check(err)
	cmd.Stderr = log
	ts.Check(cmd.Start())
	end := sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = log.Close()
	})
	running.Store(ts, end)
	ts.Defer(end)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		text, _ := os.ReadFile(ts.MkAbs("server.log"))
		ts.Fatalf("the server does not come up:\n%s", text)
	}
	ts.Setenv("SERVER", strings.TrimSuffix(strings.TrimSpace(line), "/graphql"))
}

// running has how the server of each script is ended.
var running sync.Map

func stops(ts *testscript.TestScript, _ bool, _ []string) {
	end, there := running.LoadAndDelete(ts)
	if !there {
		ts.Fatalf("no server runs")
	}
	end.(func())()
}

func request(ts *testscript.TestScript, _ bool, args []string) {
	body := strings.Join(args[2:], " ")
	q, err := http.NewRequest(args[0], ts.Getenv("SERVER")+args[1], strings.NewReader(body))
	ts.Check(err)
	if token := ts.Getenv("ADMIN"); token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("X-Request-Id", "script-1")
	q.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	answer, err := http.DefaultClient.Do(q)
	ts.Check(err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	ts.Check(err)
	_, err = ts.Stdout().Write([]byte(answer.Status + "\n" + string(text)))
	ts.Check(err)
}

func runSQL(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, cmp.Or(ts.Getenv("OWNER_URL"), ts.Getenv("DATABASE_URL")))
	ts.Check(err)
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.PgConn().Exec(ctx, strings.Join(args, " ")).ReadAll()
	ts.Check(err)
}

func until(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile("(?m)" + args[0])
	var out []byte
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var err error
		if out, err = program(ts, args[1], args[2:]...).Output(); err == nil && pattern.Match(out) {
			_, err := ts.Stdout().Write(out)
			ts.Check(err)
			return
		}
	}
	ts.Fatalf("%s never matched, last was:\n%s", args[0], out)
}

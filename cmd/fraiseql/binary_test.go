//go:build unix

package main_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/fraiseql/fraiseql/commands" // the program: go test keeps results until what it links changes
	"github.com/fraiseql/fraiseql/examples/shop"
)

// binary is the program, built once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "fraiseql-binary-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "fraiseql")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return path, nil
})

func program(t *testing.T) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// project gives an empty folder that an account without rights can enter.
func project(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fraiseql-project-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		eventually(t, "the private server has ended", func() bool {
			_, err := os.Stat(filepath.Join(dir, ".fraiseql", "postgres", "keeper.pid"))
			return err != nil
		})
		_ = os.RemoveAll(dir)
	})
	return dir
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to pass that %s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// serve starts the program and gives its address once it is ready. Its log is server.log in the folder.
func serve(t *testing.T, dir string, env []string, args ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(program(t), append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "server.log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	at := strings.Index(line, "http://")
	if err != nil || at < 0 {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		text, _ := os.ReadFile(path)
		t.Fatalf("the server did not say its address: %q %v\n%s", line, err, text)
	}
	address, _, _ := strings.Cut(strings.TrimSpace(line[at:]), " ")
	return cmd, address
}

func ask(client *http.Client, url, query string) (int, string, error) {
	response, err := client.Post(url, "application/json", strings.NewReader(`{"query":`+strconv.Quote(query)+`}`))
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func TestTheDemoAnswersTheLineItPrints(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil || !strings.Contains(string(readme), shop.Query) {
		t.Errorf("the README shows another query than the demo prints: %v", err)
	}
	cmd, url := serve(t, project(t), nil, "--demo")
	status, body, err := ask(http.DefaultClient, url, shop.Query)
	if err != nil || status != http.StatusOK || !strings.Contains(body, `"reviews":[{"rating":`) || strings.Contains(body, "errors") {
		t.Errorf("the demo answers %d %s %v", status, body, err)
	}
	if status, body, err := ask(http.DefaultClient, url, shop.Order); err != nil || status != http.StatusOK || !strings.Contains(body, `"id":"1201","email":"customer1@example.com"`) {
		t.Errorf("the order is answered by %d %s %v", status, body, err)
	}
	for what, told := range map[string]string{
		"the customer gets a mail": `"to":"customer1@example.com","subject":"Your order 1201"`, "the bookkeeping gets a webhook": `"path":"/orders","id":"evt_`, "the order is shipped": `order 1201 has left`,
	} {
		eventually(t, what, func() bool {
			text, err := os.ReadFile(filepath.Join(cmd.Dir, "server.log"))
			return err == nil && strings.Contains(string(text), told)
		})
	}
	// shows waits until a command tells something, and gives the last part of that.
	shows := func(told string, verbs ...string) (part string) {
		t.Helper()
		pattern := regexp.MustCompile("(?m)" + told)
		eventually(t, strings.Join(verbs, " ")+" shows it", func() bool {
			list := exec.Command(program(t), verbs...)
			list.Dir = cmd.Dir
			out, err := list.CombinedOutput()
			found := pattern.FindSubmatch(out)
			if err != nil || found == nil {
				return false
			}
			part = string(found[len(found)-1])
			return true
		})
		return part
	}
	job := shows("^([0-9]+) +pack_order +default +completed", "jobs", "list") // the schedule's may have come before it
	shows(`RESULT +\{"order": 1201, "parcels": 1\}`, "jobs", "show", job)
	shows("restock +every 5m", "jobs", "schedules")
	shows("order_placed +1 +database +success", "observers", "logs")
	shows("UPDATE +Order .* status", "events", "list")
	shows(`"orders": *1$`, "query", "{ salesDays(orderBy: [{day: DESC}], limit: 1) { orders } }")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the end was not in order: %v", err)
	}
}

func TestSIGTERMLosesNoRequest(t *testing.T) {
	t.Parallel()
	cmd, url := serve(t, project(t), []string{"FRAISEQL_LIFECYCLE_SHUTDOWN_DELAY=3s"})
	var answered, failed atomic.Int64
	var load sync.WaitGroup
	for range 8 {
		load.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			for {
				status, body, err := ask(client, url, "{ __typename }")
				switch {
				case errors.Is(err, syscall.ECONNREFUSED):
					return // the listener is closed: a request that was never taken
				case err != nil || status != http.StatusOK || !strings.Contains(body, `"data"`):
					failed.Add(1)
					t.Errorf("a request failed: %d %s %v", status, body, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	eventually(t, "there is load", func() bool { return answered.Load() > 200 })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	load.Wait()
	if err := cmd.Wait(); err != nil {
		t.Errorf("the end was not in order: %v", err)
	}
	t.Logf("%d requests answered, %d failed", answered.Load(), failed.Load())
}

// TestADatabaseThatIsAway starts the program before its database, then stops and starts that under load.
func TestADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	database := newServer(t)
	cmd, log := start(t, project(t), []string{"FRAISEQL_LIFECYCLE_SHUTDOWN_DELAY=0s"}, "--database-url", database.url())
	url := log.listening(t)
	eventually(t, "the log says that the database is away", func() bool { return strings.Contains(log.String(), "trying again") })
	for path, want := range map[string]int{"/health": 200, "/ready": 503, "/startup": 503} {
		if status, body := get(t, url+path); status != want {
			t.Errorf("without a database %s answers %d %s", path, status, body)
		}
	}
	if status, body, err := ask(http.DefaultClient, url+"/graphql", "{ things { id } }"); err != nil || status != 503 || !strings.Contains(body, "INTERNAL_SERVER_ERROR") {
		t.Errorf("without a database a request gets %d %s %v", status, body, err)
	}
	database.start()
	database.run("psql", "-q", "-d", database.url(), "-c", "create table thing as select 1 as id; alter table thing add primary key (id)")
	answered := func() bool {
		status, body, err := ask(http.DefaultClient, url+"/graphql", "{ things { id } }")
		return err == nil && status == 200 && strings.Contains(body, `"things":[{"id":1}]`)
	}
	eventually(t, "requests are answered", answered)
	stop := make(chan struct{})
	var load sync.WaitGroup
	var good, away atomic.Int64
	for range 4 {
		load.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			for {
				select {
				case <-stop:
					return
				default:
				}
				switch status, body, err := ask(client, url+"/graphql", "{ things { id } }"); {
				case err == nil && status == 200 && strings.Contains(body, `"things":[{"id":1}]`):
					good.Add(1)
				case err == nil && status == 503:
					away.Add(1)
				default:
					t.Errorf("while the database came and went: %d %s %v", status, body, err)
					return
				}
			}
		})
	}
	for _, mode := range []string{"fast", "immediate"} {
		before := away.Load()
		database.stop(mode)
		eventually(t, "requests are told that the database is away", func() bool { return away.Load() > before+20 })
		eventually(t, "the server is not ready", func() bool { status, _ := get(t, url+"/ready"); return status == 503 })
		database.start()
		before = good.Load()
		eventually(t, "requests are answered again", func() bool { return good.Load() > before+100 })
		eventually(t, "the server is ready again", func() bool { status, _ := get(t, url+"/ready"); return status == 200 })
	}
	close(stop)
	load.Wait()
	t.Logf("%d requests answered, %d told to come again", good.Load(), away.Load())
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the end was not in order: %v", err)
	}
	database.stop("immediate")
}

func TestADatabaseThatDiesComesBack(t *testing.T) {
	t.Parallel()
	dir := project(t)
	_, url := serve(t, dir, nil, "--demo")
	const query = "{ customers(limit: 1) { email } }"
	text, err := os.ReadFile(filepath.Join(dir, ".fraiseql", "postgres", "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "requests are answered again", func() bool {
		status, body, err := ask(http.DefaultClient, url, query)
		if err != nil || status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.Errorf("while the database is away: %d %s %v", status, body, err)
		}
		return status == http.StatusOK && strings.Contains(body, "@example.com")
	})
}

func TestKillLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	cmd, _ := serve(t, project(t), nil) // the folder's cleanup waits for the private server's end
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
}

func TestTheCommandsOfTheREADMERun(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := project(t)
	if err := os.Symlink(program(t), filepath.Join(dir, "fraiseql")); err != nil {
		t.Fatal(err)
	}
	_, commands, _ := strings.Cut(string(readme), "## Commands")
	count := 0
	for line := range strings.Lines(commands) {
		if !strings.HasPrefix(line, "./fraiseql ") {
			continue
		}
		count++
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", strings.TrimSpace(line), err, out)
		}
	}
	if count < 5 {
		t.Errorf("found only %d commands", count)
	}
}

func TestErrorsSayWhatWhyAndTry(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		code int
		text string
	}{
		"no such command":  {[]string{"srve"}, 2, "try: fraiseql serve"},
		"no such flag":     {[]string{"serve", "--prot", "1"}, 2, "try: fraiseql serve --help"},
		"database is down": {[]string{"query", "{ __typename }", "--database-url", "postgres://u:hunter2@127.0.0.1:1/x"}, 4, "try: check that the server runs"},
		"bad address":      {[]string{"query", "{ __typename }", "--database-url", "postgres://u:hunter2@:x/y:z"}, 3, "cannot be read"},
		"no file":          {[]string{"validate", "nowhere.toml"}, 3, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(program(t), c.args...)
			cmd.Dir = t.TempDir()
			out, _ := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != c.code || !strings.Contains(string(out), c.text) || strings.Contains(string(out), "hunter2") {
				t.Errorf("exit code %d, want %d; wanted %q in\n%s", cmd.ProcessState.ExitCode(), c.code, c.text, out)
			}
		})
	}
}

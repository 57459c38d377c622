package commands_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// script runs the lines of an archive in a folder of its own.
type script struct {
	t              *testing.T
	archive        *archive
	changed        bool
	root, dir      string
	env            map[string]string
	stdout, stderr string
}

func (s *script) run() {
	s.root = s.t.TempDir()
	s.dir = s.root
	s.env = map[string]string{asProgram: "1", "HOME": s.root, "XDG_CONFIG_HOME": s.root + "/.config", "PATH": os.Getenv("PATH")}
	for name, text := range s.archive.files {
		s.must(os.WriteFile(s.path(name), []byte(text), 0o600))
	}
	for i, line := range strings.Split(s.archive.script, "\n") {
		if words := split(line); len(words) > 0 {
			s.line(i+1, words)
		}
	}
}

// split parts a line at spaces, outside of single quotes; # begins a comment.
func split(line string) []string {
	var words []string
	for _, m := range regexp.MustCompile(`'([^']*)'|(#.*)|(\S+)`).FindAllStringSubmatch(line, -1) {
		switch {
		case m[2] != "":
			return words
		case m[3] != "":
			words = append(words, m[3])
		default:
			words = append(words, m[1])
		}
	}
	return words
}

func (s *script) path(name string) string { return filepath.Join(s.dir, name) }

func (s *script) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *script) line(number int, words []string) {
	s.t.Helper()
	not := words[0] == "!"
	if not {
		words = words[1:]
	}
	switch verb, args := words[0], words[1:]; verb {
	case "exits":
		s.exits(number, args)
	case "stdout":
		s.match(number, "standard output", s.stdout, args[0], not)
	case "stderr":
		s.match(number, "standard error", s.stderr, args[0], not)
	case "grep":
		s.match(number, args[1], s.read(args[1]), args[0], not)
	case "cmp":
		s.compare(number, args[0], args[1], not)
	case "exists":
		for _, name := range args {
			if _, err := os.Stat(s.path(name)); err != nil {
				s.t.Errorf("line %d: %v", number, err)
			}
		}
	case "env":
		name, value, _ := strings.Cut(args[0], "=")
		s.env[name] = value
	case "cd":
		s.dir = s.path(args[0])
	case "cp":
		s.must(os.WriteFile(s.path(args[1]), []byte(s.read(args[0])), 0o600))
	case "mkdir":
		s.must(os.MkdirAll(s.path(args[0]), 0o755))
	case "rm":
		s.must(os.RemoveAll(s.path(args[0])))
	default:
		s.t.Fatalf("line %d: there is no verb %s", number, verb)
	}
}

func (s *script) read(name string) string {
	switch name {
	case "stdout":
		return s.stdout
	case "stderr":
		return s.stderr
	}
	text, err := os.ReadFile(s.path(name))
	s.must(err)
	return string(text)
}

func (s *script) exits(number int, args []string) {
	want, err := strconv.Atoi(args[0])
	s.must(err)
	self, err := os.Executable()
	s.must(err)
	c := exec.CommandContext(s.t.Context(), self, args[2:]...)
	var stdout, stderr bytes.Buffer
	c.Dir, c.Stdout, c.Stderr = s.dir, &stdout, &stderr
	for name, value := range s.env {
		if value != "" {
			c.Env = append(c.Env, name+"="+value)
		}
	}
	err = c.Run()
	s.stdout, s.stderr = stdout.String(), stderr.String()
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		s.t.Fatal(err)
	}
	if got := c.ProcessState.ExitCode(); got != want {
		s.t.Errorf("line %d: exit code %d, want %d\n%s%s", number, got, want, s.stdout, s.stderr)
	}
}

func (s *script) match(number int, what, text, pattern string, not bool) {
	if found := regexp.MustCompile("(?m)" + pattern).MatchString(text); found == not {
		s.t.Errorf("line %d: %s and the pattern %s (wanted: %t):\n%s", number, what, pattern, !not, text)
	}
}

func (s *script) compare(number int, left, right string, not bool) {
	got, want := s.read(left), s.read(right)
	if (got == want) != not {
		return
	}
	if _, ours := s.archive.files[right]; *update && ours && !not {
		s.archive.files[right], s.changed = got, true
		return
	}
	s.t.Errorf("line %d: %s and %s (wanted the same: %t):\n%s\nand\n%s", number, left, right, !not, got, want)
}

package commands

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/observability"
)

// Streams are the program's ends. Out carries results and nothing else; talk goes to Err.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer

	OutTerminal, ErrTerminal bool
}

// System gives the streams of the process.
func System() Streams {
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		OutTerminal: term.IsTerminal(int(os.Stdout.Fd())), ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
}

// Env is what every command works with: streams, the flags that all have, and the configuration.
type Env struct {
	Streams
	configPath  string
	databaseURL string
	server      string
	output      string
	quiet       bool
	debug       bool
	color       string

	unconfigured []byte // the configuration where no file is found; nil: the defaults
}

// colour tells whether a stream wants colours: never for programs, and never under NO_COLOR.
func (e *Env) colour(terminal bool) bool {
	_, no := os.LookupEnv("NO_COLOR")
	return e.color != "never" && terminal && !no && os.Getenv("TERM") != "dumb"
}

// load reads the configuration. Its problems are printed; errors among them end the command. A server
// is live: what it would miss at work is an error.
func (e *Env) load(live bool, flags map[string]string) (*app.RuntimeConfig, *config.File, error) {
	if flags == nil {
		flags = map[string]string{}
	}
	if e.databaseURL != "" {
		flags["database.url"] = e.databaseURL
	}
	path := config.Find(e.configPath, os.LookupEnv)
	c, file, problems := app.Load(config.Options{Path: path, Text: e.unconfigured, Flags: flags, Live: live})
	if live && len(problems) > 0 && !e.quiet || problems.HasErrors() {
		if err := problems.Text(e.Err, file.Source, e.colour(e.ErrTerminal)); err != nil {
			return nil, nil, err
		}
	}
	if problems.HasErrors() {
		return nil, nil, silentError{fault.Invalid}
	}
	return c, file, nil
}

// projectDir is the folder of the configuration, or the one that we are in.
func projectDir(file *config.File) string {
	if file.Path == "" {
		return "."
	}
	return filepath.Dir(file.Path)
}

// logger writes what is configured, or only errors when quiet.
func (e *Env) logger(c *app.RuntimeConfig, quiet bool) *slog.Logger {
	log := c.Observability.Log
	switch {
	case e.debug:
		log.Level = "debug"
	case quiet:
		log.Level = "error"
	}
	return observability.NewLogger(e.Err, log, e.ErrTerminal)
}

// open builds the program for a command that works on the database directly.
func (e *Env) open(ctx context.Context) (*app.App, error) {
	if text, err := os.ReadFile(demoConfig); err == nil && e.databaseURL == "" { // the private database here is the demo's
		e.unconfigured = text
	}
	c, file, err := e.load(false, nil) // what serving alone would need, such as the addresses of receivers, need not be there
	if err != nil {
		return nil, err
	}
	return app.Open(ctx, c, app.Options{Log: e.logger(c, true), Dir: projectDir(file), Dev: true})
}

// Package observability tells what the program does: logs now.
package observability

import (
	"io"
	"log/slog"
)

// Config is the table [observability].
type Config struct {
	Log LogConfig `toml:"log" doc:"What is logged, and how."`
}

// LogConfig is the table [observability.log].
type LogConfig struct {
	Level  string `toml:"level" default:"info" enum:"debug,info,warn,error" doc:"The least important entries that are written."`
	Format string `toml:"format" default:"auto" enum:"auto,text,json" doc:"auto is text on a terminal and JSON elsewhere."`
}

// NewLogger makes the program's logger. Logs go to w, never to standard output, which carries results.
func NewLogger(w io.Writer, c LogConfig, terminal bool) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" || c.Format != "text" && !terminal {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

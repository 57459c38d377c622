// Package observability tells what the program does: logs now.
package observability

import (
	"io"
	"log/slog"
)

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

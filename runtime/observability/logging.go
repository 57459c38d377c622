// Package observability tells what the program does: logs now.
package observability

import (
	"io"
	"log/slog"
)

// readable writes durations as 35.7ms in JSON too, where slog has bare nanoseconds.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		return slog.String(a.Key, a.Value.Duration().String())
	}
	return a
}

// NewLogger makes the program's logger. Logs go to w, never to standard output, which carries results.
func NewLogger(w io.Writer, c LogConfig, terminal bool) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: readable}
	if c.Format == "json" || c.Format != "text" && !terminal {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

package sink

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// hooks takes every webhook.
type hooks struct {
	server   *http.Server
	listener net.Listener
}

func openHooks(ctx context.Context, log *slog.Logger) (*hooks, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &hooks{listener: l, server: &http.Server{
		ReadTimeout: time.Minute, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { take(w, r, log) }),
	}}, nil
}

func (h *hooks) serve(log *slog.Logger) {
	if err := h.server.Serve(h.listener); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		log.Error("the demo's receiver of webhooks has ended", slog.Any("error", err))
	}
}

// take says what came.
func take(w http.ResponseWriter, r *http.Request, log *slog.Logger) {
	var event struct {
		Op, Entity string
		Key        json.RawMessage
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(body, &event)
	}
	if err != nil {
		http.Error(w, "this is no event", http.StatusBadRequest)
		return
	}
	log.Info("webhook", slog.String("path", r.URL.Path), slog.String("id", r.Header.Get("Webhook-Id")), slog.String("op", event.Op),
		slog.String("entity", event.Entity), slog.String("key", string(event.Key)))
	w.WriteHeader(http.StatusNoContent)
}

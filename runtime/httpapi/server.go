package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// Server listens and serves until it is told to stop.
type Server struct {
	config    Config
	lifecycle Lifecycle
	health    *Health
	log       *slog.Logger
	http      *http.Server
	listener  net.Listener
	leaving   atomic.Bool // from here on every answer closes its connection
}

// New makes a server over the routes of all features, each behind what is around them, the first one first. It does not
// listen yet. Probes have no need of a place among the requests: a server that is busy is alive.
func New(config Config, lifecycle Lifecycle, health *Health, log *slog.Logger, features *http.ServeMux, around ...func(http.Handler) http.Handler) *Server {
	mux := http.NewServeMux()
	features.HandleFunc("/", noRoute(mux, features))
	var behind http.Handler = features
	for _, wrap := range slices.Backward(around) {
		behind = wrap(behind)
	}
	mux.Handle("/", bounded(config.Limits, compressed(config.Compression, behind)))
	health.Routes(mux, lifecycle)
	s := &Server{config: config, lifecycle: lifecycle, health: health, log: log}
	s.http = &http.Server{
		Handler:           s.partings(guarded(log, mux)),
		ReadHeaderTimeout: config.Limits.HeaderTimeout,
		ReadTimeout:       config.Limits.HeaderTimeout + config.Limits.RequestTimeout,
		WriteTimeout:      config.Limits.HeaderTimeout + 2*config.Limits.RequestTimeout,
		IdleTimeout:       config.Limits.IdleTimeout,
		ConnContext:       withConnection,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return s
}

// Listen opens the port, so that the address is known before anything else is promised.
func (s *Server) Listen(ctx context.Context) error {
	address := net.JoinHostPort(s.config.Host, strconv.Itoa(s.config.Port))
	var config net.ListenConfig
	config.SetMultipathTCP(false) // its listeners take no filter, which closing the door needs
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		e := fault.Wrap(fault.Invalid, "server/cannot-listen", "the server cannot listen on "+address, err)
		if errors.Is(err, syscall.EADDRINUSE) {
			e.Kind = fault.Conflict
			return e.WithHint("another program has the port: choose one by --listen %s:%d or [server] port", s.config.Host, s.config.Port+1)
		}
		return e.WithHint("choose an address of this machine by --listen or [server] host and port")
	}
	s.listener = l
	return nil
}

// URL gives the address that clients on this machine use.
func (s *Server) URL() string {
	at := s.listener.Addr().(*net.TCPAddr)
	host := at.IP.String()
	if at.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http"
	if s.config.TLS.CertFile != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(at.Port))
}

// OnLeave has something called when the server is about to wait for its requests: those whose answers have no end are to
// end then.
func (s *Server) OnLeave(call func()) { s.http.RegisterOnShutdown(call) }

// Run serves until stop ends, then drains. When requests are left at the end of the time that draining
// may take, it says how it ended.
func (s *Server) Run(stop context.Context) error {
	served := make(chan error, 1)
	go func() {
		if s.config.TLS.CertFile != "" {
			served <- s.http.ServeTLS(s.listener, s.config.TLS.CertFile, s.config.TLS.KeyFile)
			return
		}
		served <- s.http.Serve(listener{s.listener})
	}()
	select {
	case err := <-served:
		return fmt.Errorf("serve http: %w", err)
	case <-stop.Done():
	}
	err := s.drain(stop)
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

package server

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

// drainTime is how long Run waits for goodbyes and callbacks.
const drainTime = 10 * time.Second

// Run is the Server's whole life: it listens on Addr, over TLS if there is a
// TLSConfig, tells the Logger where that is, serves until ctx ends, and shuts down.
// For programs that end in order when they are told to:
//
//	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
//	defer stop()
//	err := srv.Run(ctx)
//
// It returns nil if ctx has ended and, within 10 seconds, so have all connections
// and their callbacks. What takes longer is cut, and the error says so; for more time,
// or less, there is Shutdown.
func (s *Server) Run(ctx context.Context) error {
	addr, err := s.Listen()
	if err != nil {
		return err
	}
	cmp.Or(s.Logger, slog.Default()).Info("websocket server listens", "addr", addr.String())
	if s.TLSConfig != nil {
		return s.runUntil(ctx, func() error { return s.ListenAndServeTLS("", "") })
	}
	return s.runUntil(ctx, s.ListenAndServe)
}

func (s *Server) runUntil(ctx context.Context, serve func() error) error {
	served := make(chan error, 1)
	go func() { served <- serve() }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err := s.Shutdown(late)
	<-served
	return err
}

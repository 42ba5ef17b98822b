package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/swan-ws/websocket"
)

const (
	// shutdownTime is how long clients have to answer the goodbye; closeTime is
	// how long each Close waits for that.
	shutdownTime = 4 * time.Second
	closeTime    = 3 * time.Second
)

type serveFlags struct {
	addr       string
	cert, key  string
	compress   compression
	origins    origins
	maxMessage int64
	ping       time.Duration
	verbose    bool
}

func serve(ctx context.Context, args []string, std stdio) int {
	var f serveFlags
	rest, code, goOn := parse(f.set(), args, serveUsage, std)
	switch {
	case !goOn:
		return code
	case len(rest) > 0:
		return std.fail(exitUsage, "ws serve -addr HOST:PORT", "serve: what is %.64q?", rest[0])
	case (f.cert == "") != (f.key == ""):
		return std.fail(exitUsage, "ws serve -cert FILE -key FILE", "serve: -cert and -key go together")
	}
	var config *tls.Config
	if f.cert != "" {
		var err error
		if config, err = (websocket.TLSFiles{Cert: f.cert, Key: f.key}).Config(); err != nil {
			return std.fail(exitUsage, "PEM files, the certificate before those that signed it", "serve: -cert, -key: %v", err)
		}
	}
	l, err := net.Listen("tcp", f.addr)
	if err != nil {
		return std.fail(exitConnect, "ws serve -addr localhost:0, which takes a free port", "serve: %v", err)
	}
	fmt.Fprintln(std.out, announce(f.addr, l.Addr(), config != nil))
	return f.serve(ctx, l, config, std)
}

func (f *serveFlags) set() *flag.FlagSet {
	fs := flag.NewFlagSet("serve", flag.ContinueOnError)
	fs.StringVar(&f.addr, "addr", "localhost:8080", "")
	fs.StringVar(&f.cert, "cert", "", "")
	fs.StringVar(&f.key, "key", "", "")
	fs.Var(&f.compress, "compress", "")
	fs.Var(&f.origins, "origin", "")
	fs.Int64Var(&f.maxMessage, "max-message", 1<<20, "")
	fs.DurationVar(&f.ping, "ping", 30*time.Second, "")
	fs.BoolVar(&f.verbose, "v", false, "")
	return fs
}

// announce is the line that says where to connect. Programs read it: its form
// stays.
func announce(asked string, actual net.Addr, secure bool) string {
	host, _, _ := net.SplitHostPort(asked)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	_, port, _ := net.SplitHostPort(actual.String())
	at, s := net.JoinHostPort(host, port), ""
	if secure {
		s = "s"
	}
	return fmt.Sprintf("listening on http%s://%s/  ws%s://%s/echo  ws%s://%s/chat", s, at, s, at, s, at)
}

func (f *serveFlags) serve(ctx context.Context, l net.Listener, config *tls.Config, std stdio) int {
	level := slog.LevelInfo
	if f.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: level}))
	site := &site{log: log, accept: websocket.AcceptOptions{
		Subprotocols: []string{"echo.v1", "chat.v1"},
		Origins:      f.origins,
		Conn: websocket.ConnOptions{
			MaxMessage:   f.maxMessage,
			PingEvery:    interval(f.ping),
			CloseTimeout: closeTime,
			Compression:  websocket.Compression(f.compress),
		},
	}}
	srv := &websocket.Server{Handler: site.handler(), TLSConfig: config, Logger: log}
	served := make(chan error, 1)
	go func() {
		if config != nil {
			served <- srv.ServeTLS(l, "", "")
		} else {
			served <- srv.Serve(l)
		}
	}()
	select {
	case err := <-served:
		srv.Close()
		return std.fail(exitConnect, "ws serve again", "serve: %v", err)
	case <-ctx.Done():
	}
	log.Debug("shutting down", "connections", srv.Conns().Len())
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if err := srv.Shutdown(late); errors.Is(err, context.DeadlineExceeded) {
		log.Warn("some clients did not say goodbye in time and were cut off")
	}
	<-served
	return exitOK
}

// site is what is served.
type site struct {
	accept websocket.AcceptOptions
	log    *slog.Logger
	room   room
}

func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", servePage)
	mux.HandleFunc("/echo", s.endpoint(echo))
	mux.HandleFunc("/chat", s.endpoint(s.room.serve))
	return mux
}

// endpoint accepts connections and talks on them until they end.
func (s *site) endpoint(talk func(context.Context, *websocket.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &s.accept)
		if err != nil {
			s.log.Info("refused", "path", r.URL.Path, "error", err)
			return
		}
		defer c.CloseNow()
		log, start := s.log.With("path", r.URL.Path, "remote", r.RemoteAddr), time.Now()
		log.Debug("opened", "subprotocol", c.Subprotocol(), "origin", r.Header.Get("Origin"))
		talk(r.Context(), c)
		log.Debug("closed", "after", time.Since(start).Round(time.Millisecond), "why", c.Err())
	}
}

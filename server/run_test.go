package server_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/internal/leak"
	"github.com/swan-ws/websocket/server"
)

func TestServer_Run_ServesUntilItsContextEnds_AndSaysGoodbye(t *testing.T) {
	cert, roots := certificate(t)
	tests := []struct {
		name   string
		scheme string
		config *tls.Config
	}{
		{name: "TCP", scheme: "ws"},
		{name: "TLS", scheme: "wss", config: &tls.Config{Certificates: []tls.Certificate{cert}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leak.Check(t)
			log, book := logbook()
			srv := &server.Server{Addr: "127.0.0.1:0", Handler: echo(), TLSConfig: tt.config, Logger: log}
			addr, err := srv.Listen()
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			ran := make(chan error, 1)
			go func() { ran <- srv.Run(ctx) }()
			c, _, err := client.Dial(t.Context(), tt.scheme+"://"+addr.String(), &client.Options{
				Proxy: noProxy, TLSConfig: &tls.Config{RootCAs: roots},
			})
			if err != nil {
				t.Fatal(err)
			}
			roundTrip(t, c, "it runs")
			if line := book.lines()[0]; !strings.Contains(line, " addr="+addr.String()) {
				t.Errorf("the log says %q, want the address", line)
			}
			stop()
			if err := drain(c); conn.CloseStatus(err) != 1001 {
				t.Errorf("the client saw %v, want 1001", err)
			}
			if err := <-ran; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
}

func TestServer_Run_OfAContextThatHasEnded_ServesNobody(t *testing.T) {
	leak.Check(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	srv := &server.Server{Addr: "127.0.0.1:0", Logger: quiet()}
	if err := srv.Run(ctx); err != nil {
		t.Error(err)
	}
	if err := srv.Run(t.Context()); err != http.ErrServerClosed {
		t.Errorf("again: %v", err)
	}
}

func TestServer_Run_TellsWhyItCannot(t *testing.T) {
	taken := listenTCP(t)
	defer taken.Close()
	srv := &server.Server{Addr: taken.Addr().String(), Logger: quiet()}
	if err := srv.Run(t.Context()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port that is taken: %v", err)
	}
	srv = &server.Server{Addr: "127.0.0.1:0", TLSConfig: new(tls.Config), Logger: quiet()}
	if err := srv.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Errorf("TLS without a certificate: %v", err)
	}
}

func TestServer_Run_CutsWhatTakesLongerThanTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := echo()
		service.Conn.CloseTimeout = time.Hour
		srv := &server.Server{Handler: service, Logger: quiet()}
		l := listenPipes()
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- server.RunUntil(srv, ctx, func() error { return srv.Serve(l) }) }()
		silent := rawDial(t, l)
		silent.SetDeadline(time.Time{})
		send(t, silent, request())
		receiveHead(t, silent)
		start := time.Now()
		stop()
		if err := <-ran; err != context.DeadlineExceeded || time.Since(start) != 10*time.Second {
			t.Errorf("Run: %v after %v", err, time.Since(start))
		}
	})
}

package main

import (
	"testing"

	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

func TestReconnect_WaitsForAServerAndComesBackToIt(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	addr := p.Addr(t)
	p.Stop(t)
	p.Exit(t)

	client := trial.Start(t, "./client", "-url", "ws://"+addr, "-interval", "50ms", "-retries", "1000")
	client.Logs(t, `attempt 1 in \S+, after: .*refused`)
	client.Logs(t, `attempt 2 in \S+, after: .*refused`)

	p = trial.Start(t, ".", "-addr", addr)
	client.Prints(t, "Connected")
	p.Stop(t)
	client.Logs(t, `attempt \d+ in .*1001 going away`)
	p.Exit(t)

	p = trial.Start(t, ".", "-addr", addr)
	client.Prints(t, "Connected")
	p.Kill(t)
	client.Logs(t, `attempt \d+ in .*lost without a Close frame`)

	trial.Start(t, ".", "-addr", addr)
	client.Prints(t, "Connected")
}

func TestReconnect_GivesUpInTheEnd(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	addr := p.Addr(t)
	p.Stop(t)
	p.Exit(t)
	client := trial.Start(t, "./client", "-url", "ws://"+addr, "-interval", "1ms", "-retries", "3")
	client.Logs(t, "refused: given up after 3 retries")
	if code := client.Exit(t); code != 1 {
		t.Errorf("the client exits with %d", code)
	}
}

// A server that says no is not asked again.
func TestReconnect_DoesNotInsist(t *testing.T) {
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0")
	client := trial.Start(t, "./client", "-url", "wss://"+p.Addr(t), "-interval", "1ms")
	client.Logs(t, "tls: first record does not look like a TLS handshake")
	if code := client.Exit(t); code != 1 {
		t.Errorf("the client exits with %d", code)
	}
}

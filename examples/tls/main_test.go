package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

// certify makes a certificate as the example says.
func certify(t *testing.T) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	make := exec.Command("sh", "-c", `go run "$(go env GOROOT)/src/crypto/tls/generate_cert.go" -host localhost,127.0.0.1`)
	make.Dir = dir
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

func TestTLS_GreetsAClientThatTrustsIt(t *testing.T) {
	cert, key := certify(t)
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0", "-cert", cert, "-key", key)
	url := "wss://" + p.Addr(t) + "/ws"

	client := trial.Start(t, "./client", "-url", url, "-trust", cert)
	client.Prints(t, "Response: Echo: Hello!")
	if code := client.Exit(t); code != 0 {
		t.Errorf("the client exits with %d", code)
	}

	other, _ := certify(t)
	for trusted, want := range map[string]string{
		other: "x509: certificate signed by unknown authority",
		key:   "has no certificate",
	} {
		client = trial.Start(t, "./client", "-url", url, "-trust", trusted)
		client.Logs(t, want)
		if code := client.Exit(t); code != 1 {
			t.Errorf("a client that does not trust it exits with %d", code)
		}
	}
}

func TestTLS_SaysWhichFileIsMissing(t *testing.T) {
	cert, _ := certify(t)
	p := trial.Start(t, ".", "-addr", "127.0.0.1:0", "-cert", cert, "-key", "nowhere.pem")
	p.Logs(t, "nowhere.pem")
	if code := p.Exit(t); code != 1 {
		t.Errorf("exits with %d", code)
	}
}

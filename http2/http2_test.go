package http2_test

//lint:file-ignore SA1019 net/http's Transport does not take ":protocol".

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/swan-ws/websocket/client"
	_ "github.com/swan-ws/websocket/http2"
	"github.com/swan-ws/websocket/server"
)

// asked has the test's program tell on its output what this package does in it.
const asked = "WEBSOCKET_TEST_HTTP2"

func TestMain(m *testing.M) {
	if os.Getenv(asked) == "" {
		os.Exit(m.Run())
	}
	value, set := os.LookupEnv("GODEBUG")
	fmt.Printf("%v, GODEBUG=%q, %v", connects(), value, set)
}

// connects reports whether a server of net/http takes a connection over HTTP/2.
func connects() bool {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return false
	}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	s := &http.Server{Handler: new(server.Service), Protocols: protocols}
	go s.Serve(l)
	defer s.Close()
	via := &http2.Transport{AllowHTTP: true, DialTLSContext: func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	c, _, err := client.Dial(context.Background(), "ws://"+l.Addr().String(), &client.Options{HTTP2: via})
	if err != nil {
		return false
	}
	c.CloseNow()
	return true
}

func TestImport_HasServersTakeConnections_AndLeavesTheEnvironment(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var without []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GODEBUG=") {
			without = append(without, v)
		}
	}
	for _, tt := range []struct{ env, want string }{
		{"", `true, GODEBUG="", false`},
		{"GODEBUG=", `true, GODEBUG="", true`},
		{"GODEBUG=netdns=go", `true, GODEBUG="netdns=go", true`},
		{"GODEBUG=http2xconnect=1", `true, GODEBUG="http2xconnect=1", true`},
		{"GODEBUG=netdns=go,http2xconnect=0", `false, GODEBUG="netdns=go,http2xconnect=0", true`},
	} {
		c := exec.Command(program)
		c.Env = append([]string{asked + "=1"}, without...)
		if tt.env != "" {
			c.Env = append(c.Env, tt.env)
		}
		got, err := c.Output()
		if err != nil || string(got) != tt.want {
			t.Errorf("with %q: %s, %v, want %s", tt.env, got, err, tt.want)
		}
	}
}

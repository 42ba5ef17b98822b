package autobahn

import (
	"context"
	"net"
	"net/url"
	"testing"
)

func TestTestServer_Passes(t *testing.T) {
	n := 0
	TestServer(t, "ws://"+startEcho(t, wellBehaved), Options{Cases: chosen(t, "1.1.*", "7.13.1", "13.3.1"), Messages: 3, OnResult: func(Result) { n++ }})
	if n != 10 {
		t.Errorf("%d results", n)
	}
}

func TestTestClient_Passes(t *testing.T) {
	echo := func(ctx context.Context, at string) error {
		u, err := url.Parse(at)
		if err != nil {
			return err
		}
		dial := func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", u.Host) }
		return dialEcho(ctx, dial, u.RequestURI(), wellBehaved)
	}
	TestClient(t, echo, Options{Cases: chosen(t, "1.1.*", "7.13.1", "21.1.1"), Messages: 3, Host: "swan.example:80"})
}

func TestSubtestPattern(t *testing.T) {
	tests := []struct {
		run, test, id string
		want          bool
	}{
		{"", "TestX", "1.1.1", true},
		{"TestX", "TestX", "1.1.1", true},
		{"TestX/^6", "TestX", "6.1.1", true},
		{"TestX/^6", "TestX", "1.6.1", false},
		{"TestX/sub/7", "TestX", "sub", true},
		{"TestX/sub/7", "TestX/sub", "7.1.1", true},
		{"TestX/sub/7", "TestX/sub", "1.1.1", false},
		{"TestX/(", "TestX", "1.1.1", true},
	}
	for _, tt := range tests {
		if got := subtestPattern(tt.run, tt.test).MatchString(tt.id); got != tt.want {
			t.Errorf("-run %s, case %s of %s: %t", tt.run, tt.id, tt.test, got)
		}
	}
}

package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
)

// authorization is a server that passes on what it gets, and accepts.
func authorization(got chan<- []string) server {
	return func(nc net.Conn) {
		r, err := readRequest(nc)
		if err != nil {
			close(got)
			return
		}
		got <- r.Header["Authorization"]
		respond(nc, r, accepted)
		untilClosed(nc)
	}
}

func TestClient_SendsItsCredentials(t *testing.T) {
	own := func(context.Context) (string, error) { return `Digest username="Ada"`, nil }
	for _, tt := range []struct {
		name string
		auth client.Auth
		want string
	}{
		{"Basic of RFC 7617", client.Basic("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
		{"Basic in UTF-8", client.Basic("test", "123£"), "Basic dGVzdDoxMjPCow=="},
		{"Basic with a colon in the password", client.Basic("a", "b:c"), "Basic YTpiOmM="},
		{"Basic of nobody", client.Basic("", ""), "Basic Og=="},
		{"Bearer of RFC 6750", client.Bearer("mF_9.B5f-4.1JqM"), "Bearer mF_9.B5f-4.1JqM"},
		{"Bearer with padding", client.Bearer("YQ=="), "Bearer YQ=="},
		{"own", own, `Digest username="Ada"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := make(chan []string, 1)
			o := reach(t, authorization(got))
			o.Auth = tt.auth
			o.Header = http.Header{"Authorization": {"Basic old"}, "X-Name": {"swan"}}
			dial(t, "ws://example.test/", o)
			if sent := <-got; len(sent) != 1 || sent[0] != tt.want {
				t.Errorf("sent %q, want %q", sent, tt.want)
			}
			if o.Header.Get("Authorization") != "Basic old" {
				t.Error("the caller's header has changed")
			}
		})
	}
}

// What cannot be sent is refused before anything is, and not shown.
func TestClient_RefusesCredentialsThatCannotBeSent(t *testing.T) {
	trouble := errors.New("trouble")
	value := func(v string, err error) client.Auth {
		return func(context.Context) (string, error) { return v, err }
	}
	for _, tt := range []struct {
		name string
		auth client.Auth
		want string
	}{
		{"colon in the user", client.Basic("se:cret", "x"), "RFC 7617"},
		{"line break in the user", client.Basic("secret\r\n", "x"), "RFC 7617"},
		{"line break in the password", client.Basic("a", "secret\r\nX: y"), "RFC 7617"},
		{"DEL in the password", client.Basic("a", "secret\x7f"), "RFC 7617"},
		{"no token", client.Bearer(""), "RFC 6750"},
		{"line break in the token", client.Bearer("secret\n"), "RFC 6750"},
		{"space in the token", client.Bearer("secret secret"), "RFC 6750"},
		{"letter beyond ASCII in the token", client.Bearer("secrét"), "RFC 6750"},
		{"line break in a value", value("secret\r\nX: y", nil), "control character"},
		{"no value", value("", nil), "no value"},
		{"error", value("secret", trouble), "trouble"},
		{"error of a source", client.BearerFrom(value("secret", trouble)), "trouble"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, n := reachEach(t, nil)
			o.Auth = tt.auth
			_, err := dialFails(t, "ws://example.test/", o)
			if e, ok := errors.AsType[*client.AuthError](err); !ok || !strings.Contains(e.Error(), tt.want) || e.Err == nil {
				t.Errorf("got %v, want an AuthError with %q", err, tt.want)
			}
			if strings.Contains(tt.want, "trouble") != errors.Is(err, trouble) {
				t.Errorf("the cause is not in %v", err)
			}
			if strings.Contains(err.Error(), "secr") || n.addresses() != "" {
				t.Errorf("dialed %q: %v", n.addresses(), err)
			}
		})
	}
}

func TestClient_BoundsTheTimeForCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		o := reach(t, nil)
		o.Auth = client.BearerFrom(func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", errors.New("token server is slow")
		})
		_, err := dialFails(t, "ws://example.test/", o)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != client.DefaultHandshakeTimeout {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// Credentials are for the host of the URL, wherever it sends the client.
func TestClient_ShowsItsCredentialsToTheFirstHostOnly(t *testing.T) {
	got := map[string]string{}
	asked := 0
	o, _ := reachEach(t, func(addr string) server {
		return func(nc net.Conn) {
			r, err := readRequest(nc)
			if err != nil {
				t.Error(err)
				return
			}
			got[addr+r.URL.Path] = r.Header.Get("Authorization")
			switch addr + r.URL.Path {
			case "one.test:80/":
				io.WriteString(nc, "HTTP/1.1 307 There\r\nLocation: /door\r\n\r\n")
			case "one.test:80/door":
				io.WriteString(nc, "HTTP/1.1 307 There\r\nLocation: http://two.test/\r\n\r\n")
			default:
				respond(nc, r, accepted)
				untilClosed(nc)
			}
		}
	})
	o.MaxRedirects = 2
	o.Auth = func(context.Context) (string, error) { asked++; return "Bearer swan", nil }
	dial(t, "ws://one.test/", o)
	if got["one.test:80/"] != "Bearer swan" || got["one.test:80/door"] != "Bearer swan" || got["two.test:80/"] != "" || len(got) != 3 {
		t.Errorf("got %q", got)
	}
	if asked != 1 {
		t.Errorf("asked %d times for credentials", asked)
	}
}

// A 401 says what the server wants, and what to do.
func TestClient_SaysWhatToDoOn401(t *testing.T) {
	const challenge = `Bearer realm="x", error="invalid_token"`
	for _, tt := range []struct {
		name string
		set  func(o *client.Options)
		want string
	}{
		{"without credentials", func(*client.Options) {}, "got no Authorization: set Options.Auth"},
		{"with Auth", func(o *client.Options) { o.Auth = client.Bearer("old") }, "did not take the Authorization it got: see Options.Auth"},
		{"with Header", func(o *client.Options) { o.Header = http.Header{"Authorization": {"Bearer old"}} }, "did not take the Authorization it got: see Options.Auth"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := reach(t, refusing("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: "+challenge+"\r\n\r\n"))
			tt.set(o)
			_, err := dialFails(t, "ws://example.test/", o)
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "invalid_token") || strings.Contains(err.Error(), "old") {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestClient_SaysWhatToDoOn407(t *testing.T) {
	o := reach(t, refusing("HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\n\r\n"))
	o.Proxy = through("http://proxy.test")
	_, err := dialFails(t, "ws://example.test/", o)
	if !strings.Contains(err.Error(), "give the proxy's URL a user and a password") {
		t.Errorf("got %v", err)
	}
}

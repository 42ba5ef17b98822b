package testee

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
)

// Agent is what our peers are called in reports, unless told otherwise.
const Agent = "SwanWebSocket"

// Options of the client under test. The zero value will do.
type Options struct {
	TLS    *tls.Config                                                       // for wss
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error) // nil: a net.Dialer's
	HTTP2  http.RoundTripper                                                 // as in client.Options: connections are streams of HTTP/2
	OnCase func(number, all int)                                             // is told before each case, from 1
}

func (o Options) dial(ctx context.Context, url string) (*conn.Conn, error) {
	c, _, err := client.Dial(ctx, url, &client.Options{TLSConfig: o.TLS, DialContext: o.Dial, HTTP2: o.HTTP2, Conn: options})
	return c, err
}

// Client is the client under test in all cases of the fuzzing server at base,
// ws://host:port, which it has write a report at the end. What becomes of a case
// is in there. The error is that there is no such server, or not any more, or
// that of ctx. An empty agent stands for Agent.
func Client(ctx context.Context, base, agent string, opts ...Options) error {
	var o Options
	if len(opts) > 0 {
		o = opts[0]
	}
	u, err := url.Parse(base)
	if err != nil {
		return fmt.Errorf("%w: want the ws://HOST:PORT of a fuzzing server", err)
	}
	agent = cmp.Or(agent, Agent)
	all, err := o.count(ctx, service(u, "getCaseCount", nil))
	if err != nil {
		return err
	}
	for n := 1; n <= all; n++ {
		if o.OnCase != nil {
			o.OnCase(n, all)
		}
		at := service(u, "runCase", url.Values{"case": {strconv.Itoa(n)}, "agent": {agent}})
		if err := o.Echo(ctx, at); gone(err) || ctx.Err() != nil {
			return fmt.Errorf("%s: %w: does the fuzzing server still run?", at, cmp.Or(ctx.Err(), err))
		}
	}
	at := service(u, "updateReports", url.Values{"agent": {agent}})
	if err := o.Echo(ctx, at); err != nil {
		return fmt.Errorf("%s: %w: there may be no report", at, err)
	}
	return ctx.Err()
}

// gone reports whether err says that there was nobody to talk to. Refusing a
// handshake, or its answer, may be what a case is about.
func gone(err error) bool {
	_, refused := errors.AsType[*client.HandshakeError](err)
	return err != nil && !refused
}

// service returns the URL of something that a fuzzing server does.
func service(base *url.URL, name string, params url.Values) string {
	u := base.JoinPath(name)
	u.RawQuery = params.Encode()
	return u.String()
}

// countTime is how long a fuzzing server may take to say how many cases there are.
const countTime = 10 * time.Second

// count asks how many cases there are.
func (o Options) count(ctx context.Context, at string) (n int, err error) {
	c, err := o.dial(ctx, at)
	if err != nil {
		return 0, fmt.Errorf("%s: %w: want the ws://HOST:PORT of a fuzzing server that runs", at, err)
	}
	defer c.CloseNow()
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	m, err := c.Read(ctx)
	if err != nil {
		return 0, fmt.Errorf("%s: no number of cases: %w: is it a fuzzing server?", at, err)
	}
	if err := json.Unmarshal(m.Data, &n); err != nil || m.Type != conn.Text || n < 0 {
		return 0, fmt.Errorf("%s: %.128q for the number of cases: is it a fuzzing server?", at, m.Data)
	}
	c.Close(1000, "")
	return n, nil
}

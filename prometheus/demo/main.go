// Demo is a server under load that has every kind of trouble, with its clients, to see
// the dashboards with something on them:
//
//	go run ./demo -addr localhost:8080
//	prometheus --config.file demo/prometheus.yml --web.console.templates consoles
//
// and then http://localhost:9090/consoles/websocket.html.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	wsprometheus "github.com/swan-ws/websocket/prometheus"
	"github.com/swan-ws/websocket/server"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "where to listen")
	clients := flag.Int("clients", 60, "how many clients")
	flag.Parse()
	if err := run(*addr, *clients); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(addr string, clients int) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ofServer := wsprometheus.New(prometheus.Labels{"side": "server"})
	ofClients := wsprometheus.New(prometheus.Labels{"side": "client"})
	prometheus.MustRegister(ofServer, ofClients)
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.Handler())
	mux.Handle("/", service())
	quiet := slog.New(slog.DiscardHandler)
	srv := &server.Server{Handler: mux, Observer: ofServer.Observer(), Logger: quiet}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s/metrics\n", l.Addr())
	for range clients {
		go keepTrying(ctx, "ws://"+l.Addr().String(), ofClients.Observer())
	}
	context.AfterFunc(ctx, func() { srv.Close() })
	if err := srv.Serve(narrow{l}); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// narrow is a listener whose connections hold little, as if they were slow.
type narrow struct{ net.Listener }

func (l narrow) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err == nil {
		nc.(*net.TCPConn).SetWriteBuffer(16 << 10)
	}
	return nc, err
}

// order is a message that the service understands.
type order struct {
	Text string
	Slow bool
	Fail bool
}

func service() *server.Service {
	return &server.Service{
		Logger: slog.New(slog.DiscardHandler),
		Options: server.Options{
			Check: func(r *http.Request) error {
				if r.URL.Path == "/forbidden" {
					return errors.New("no")
				}
				return nil
			},
			Conn: conn.Options{PingEvery: time.Second},
		},
		OnError:  func(*conn.Conn, error) {}, // after messages that are not understood it goes on
		OnText:   server.OnMessage(obey),
		OnBinary: func(_ *conn.Conn, m conn.Message) (any, error) { return m, nil },
	}
}

func obey(c *conn.Conn, o order) (any, error) {
	switch {
	case o.Slow:
		time.Sleep(300 * time.Millisecond)
	case o.Fail && chance(0.5):
		return nil, errors.New("no")
	case o.Fail:
		panic("no")
	}
	return o, nil
}

// keepTrying has one connection after the other.
func keepTrying(ctx context.Context, url string, o *conn.Observer) {
	for ctx.Err() == nil {
		path := "/"
		if chance(0.1) {
			path = "/forbidden"
		}
		far := time.Duration(rand.ExpFloat64() * float64(20*time.Millisecond))
		var stream net.Conn
		c, _, err := client.Dial(ctx, url+path, &client.Options{
			DialContext: func(ctx context.Context, network, addr string) (nc net.Conn, err error) {
				if stream, err = new(net.Dialer).DialContext(ctx, network, addr); err == nil {
					stream.(*net.TCPConn).SetReadBuffer(16 << 10)
				}
				return stream, err
			},
			Conn: conn.Options{Observer: o, PingEvery: -1, AnswerPing: func(*conn.Conn, []byte) []byte {
				time.Sleep(far)
				return nil
			}},
		})
		if err == nil {
			talk(ctx, c, stream)
			c.CloseNow()
		}
		time.Sleep(time.Second)
	}
}

// talk says something now and then, and ends the connection in one way or another.
func talk(ctx context.Context, c *conn.Conn, stream net.Conn) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(rand.ExpFloat64()*float64(20*time.Second)))
	defer cancel()
	go func() {
		for _, err := range c.Messages(context.Background()) {
			if err == nil && chance(0.02) {
				time.Sleep(500 * time.Millisecond) // and the server's writes wait
			}
		}
	}()
	for ctx.Err() == nil && c.Phase() == conn.Open {
		say(ctx, c)
		time.Sleep(time.Duration(rand.ExpFloat64() * float64(200*time.Millisecond)))
	}
	switch n := rand.IntN(20); {
	case n < 12:
		c.Close(frame.CloseNormal, "")
	case n < 15:
		c.Close(frame.CloseGoingAway, "")
	case n < 16:
		c.Close(4000, "")
	case n < 18:
		stream.Write([]byte{0xff, 0x80, 0, 0, 0, 0}) // no frame
		time.Sleep(100 * time.Millisecond)
	}
}

func say(ctx context.Context, c *conn.Conn) {
	prose := strings.Repeat("the swans are on the lake ", 1+rand.IntN(100))
	switch n := rand.IntN(1000); {
	case n < 3:
		c.WriteJSON(ctx, order{Fail: true})
	case n < 10:
		c.WriteText(ctx, "not understood")
	case n < 20:
		c.WriteJSON(ctx, order{Slow: true})
		for range 10 {
			c.WriteJSON(ctx, order{Text: prose})
		}
	case n < 60:
		for range 20 {
			c.Write(ctx, conn.Binary, noise)
		}
	case n < 300:
		c.Write(ctx, conn.Binary, []byte(prose))
	default:
		c.WriteJSON(ctx, order{Text: prose})
	}
}

// noise does not compress.
var noise = func() []byte {
	p := make([]byte, 60_000)
	for i := range p {
		p[i] = byte(rand.Uint32())
	}
	return p
}()

func chance(p float64) bool { return rand.Float64() < p }

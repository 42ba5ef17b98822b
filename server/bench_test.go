package server_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/handshake"
	"github.com/swan-ws/websocket/server"
)

// A whole handshake, client and server, over a pipe.
func BenchmarkUpgrade(b *testing.B) {
	l := serveHTTP(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := server.Accept(w, r, nil); err == nil {
			c.CloseNow()
		}
	}))
	b.ReportAllocs()
	for b.Loop() {
		c, _, err := tryDial(b, l, nil)
		if err != nil {
			b.Fatal(err)
		}
		c.CloseNow()
	}
}

// The judgement of a request and the text of its answer alone, without net/http.
func BenchmarkHandshake(b *testing.B) {
	r, err := http.NewRequest(http.MethodGet, "http://example.test/", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header = http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Key": {sampleKey}, "Sec-Websocket-Version": {"13"}}
	b.ReportAllocs()
	for b.Loop() {
		req, err := handshake.ParseRequest(r)
		if err != nil {
			b.Fatal(err)
		}
		wire, err := handshake.AppendResponse(nil, handshake.Response{Key: req.Key})
		if err != nil {
			b.Fatal(err)
		}
		io.Discard.Write(wire)
	}
}

func BenchmarkServiceEcho(b *testing.B) {
	for _, size := range []int{32, 1 << 10, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c, err := overTCP(b, echo(), false)()
			if err != nil {
				b.Fatal(err)
			}
			defer c.CloseNow()
			p, ctx := payload(conn.Text, size), b.Context()
			buf := make([]byte, 0, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Write(ctx, conn.Text, p); err != nil {
					b.Fatal(err)
				}
				if m, err := c.ReadInto(ctx, buf); err != nil || len(m.Data) != size {
					b.Fatal(len(m.Data), err)
				}
			}
		})
	}
}

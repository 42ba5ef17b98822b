package conn_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
)

var benchSizes = []int{32, 1 << 10, 64 << 10}

func byteCount(n int) string {
	if n >= 1024 {
		return fmt.Sprint(n/1024, "KiB")
	}
	return fmt.Sprint(n, "B")
}

func BenchmarkEcho(b *testing.B) {
	for _, over := range []struct {
		name string
		make func(b *testing.B) (server, client net.Conn)
	}{
		{"Pipe", func(*testing.B) (net.Conn, net.Conn) { return conntest.Pipe() }},
		{"TCP", func(b *testing.B) (net.Conn, net.Conn) { return loopback(b) }},
	} {
		for _, n := range benchSizes {
			b.Run(over.name+"/"+byteCount(n), func(b *testing.B) {
				sc, cc := over.make(b)
				s := conn.New(sc, conn.Config{Role: machine.Server})
				c := conn.New(cc, conn.Config{Role: machine.Client})
				go echo(s)
				defer c.CloseNow()
				p := bytes.Repeat([]byte("x"), n)
				buf := make([]byte, n)
				ctx := b.Context()
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					if err := c.Write(ctx, conn.Text, p); err != nil {
						b.Fatal(err)
					}
					m, err := c.ReadInto(ctx, buf)
					if err != nil || len(m.Data) != n {
						b.Fatal(err)
					}
					buf = m.Data[:0]
				}
			})
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, role := range roles {
		for _, n := range benchSizes {
			b.Run(role.String()+"/"+byteCount(n), func(b *testing.B) {
				c := conn.New(newSink(), conn.Config{Role: role})
				defer c.CloseNow()
				p := bytes.Repeat([]byte("x"), n)
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					if err := c.Write(bg, conn.Binary, p); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// What a write costs beside the system call, which a socket has over at once.
func BenchmarkWriteAtOnce(b *testing.B) {
	hurried, cancel := context.WithTimeout(bg, time.Hour)
	defer cancel()
	for _, tc := range []struct {
		name string
		ctx  context.Context
	}{{"AllTheTime", bg}, {"Deadline", hurried}} {
		b.Run(tc.name, func(b *testing.B) {
			c := conn.New(socket{newSink()}, conn.Config{})
			defer c.CloseNow()
			p := bytes.Repeat([]byte("x"), 32)
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Write(tc.ctx, conn.Binary, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// socket is a sink that takes everything at once.
type socket struct{ *sink }

func (socket) TryRead([]byte) (int, error)        { return 0, nil }
func (socket) TryWrite(p []byte) int              { return len(p) }
func (socket) WriteBoth(p, q []byte) (int, error) { return len(p) + len(q), nil }
func (socket) OnReadable(func())                  {}

func BenchmarkSend(b *testing.B) {
	for _, role := range roles {
		for _, n := range benchSizes {
			b.Run(role.String()+"/"+byteCount(n), func(b *testing.B) {
				c := conn.New(newSink(), conn.Config{Role: role})
				defer c.CloseNow()
				m := conn.Prepare(conn.Text, bytes.Repeat([]byte("x"), n))
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					if err := c.Send(bg, m); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for _, role := range roles {
		for _, n := range benchSizes {
			b.Run(role.String()+"/"+byteCount(n), func(b *testing.B) {
				c := conn.New(&source{message: to(role, fin|text, string(bytes.Repeat([]byte("x"), n)))}, conn.Config{Role: role})
				defer c.CloseNow()
				buf := make([]byte, n)
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					if m, err := c.ReadInto(bg, buf); err != nil || len(m.Data) != n {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkMessages(b *testing.B) {
	for _, role := range roles {
		for _, n := range benchSizes {
			b.Run(role.String()+"/"+byteCount(n), func(b *testing.B) {
				c := conn.New(&source{message: to(role, fin|text, string(bytes.Repeat([]byte("x"), n)))}, conn.Config{Role: role})
				defer c.CloseNow()
				b.SetBytes(int64(n))
				b.ReportAllocs()
				left := b.N
				b.ResetTimer()
				for m, err := range c.Messages(bg) {
					if err != nil || len(m.Data) != n {
						b.Fatal(err)
					}
					if left--; left <= 0 {
						break
					}
				}
			})
		}
	}
}

// sink is a stream that takes everything and brings nothing.
type sink struct{ closed chan struct{} }

func newSink() *sink { return &sink{make(chan struct{})} }

func (s *sink) Read([]byte) (int, error) {
	<-s.closed
	return 0, net.ErrClosed
}
func (s *sink) Write(p []byte) (int, error)        { return len(p), nil }
func (s *sink) Close() error                       { close(s.closed); return nil }
func (s *sink) SetReadDeadline(t time.Time) error  { return nil }
func (s *sink) SetWriteDeadline(t time.Time) error { return nil }

// source is a stream that brings the same message again and again.
type source struct {
	message []byte
	rest    []byte
	closed  bool
}

func (s *source) Read(p []byte) (n int, err error) {
	if s.closed {
		return 0, io.EOF
	}
	for n < len(p) {
		if len(s.rest) == 0 {
			s.rest = s.message
		}
		k := copy(p[n:], s.rest)
		n, s.rest = n+k, s.rest[k:]
	}
	return n, nil
}
func (s *source) Write(p []byte) (int, error)        { return len(p), nil }
func (s *source) Close() error                       { s.closed = true; return nil }
func (s *source) SetReadDeadline(t time.Time) error  { return nil }
func (s *source) SetWriteDeadline(t time.Time) error { return nil }

// loopback returns both ends of a TCP connection.
func loopback(tb testing.TB) (server, client *net.TCPConn) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Skip("no TCP here: ", err)
	}
	defer l.Close()
	cc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	sc, err := l.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	return sc.(*net.TCPConn), cc.(*net.TCPConn)
}

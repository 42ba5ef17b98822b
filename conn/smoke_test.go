package conn_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/frame"
)

func TestEcho_EverySize_BothRoles(t *testing.T) {
	s, c := conntest.Pair(conn.Options{}, conn.Options{})
	go echo(s)
	defer c.CloseNow()
	ctx := t.Context()
	for _, n := range []int{0, 1, 125, 126, 4096, 5000, 65535, 65536, 1 << 20} {
		p := bytes.Repeat([]byte("x"), n)
		done := make(chan error, 1)
		go func() { done <- c.Write(ctx, conn.Text, p) }()
		m, err := c.Read(ctx)
		if err != nil || m.Type != conn.Text || !bytes.Equal(m.Data, p) {
			t.Fatalf("echo of %d bytes: %v message of %d, %v", n, m.Type, len(m.Data), err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(frame.CloseNormal, "bye"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(ctx); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("read after Close: %v", err)
	}
	<-s.Done()
	if got := conn.CloseStatus(s.Err()); got != frame.CloseNormal {
		t.Fatalf("server saw %v: %v", got, s.Err())
	}
}

func echo(c *conn.Conn) error {
	defer c.CloseNow()
	for m, err := range c.Messages(context.Background()) {
		if err != nil {
			return err
		}
		if err := c.Write(context.Background(), m.Type, m.Data); err != nil {
			return err
		}
	}
	return nil
}

func BenchmarkEcho(b *testing.B) {
	for _, n := range []int{32, 1024, 65536} {
		b.Run(byteCount(n), func(b *testing.B) {
			s, c := conntest.Pair(conn.Options{}, conn.Options{})
			go echo(s)
			defer c.CloseNow()
			p := bytes.Repeat([]byte("x"), n)
			ctx := b.Context()
			buf := make([]byte, n)
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

func byteCount(n int) string {
	if n >= 1024 {
		return string(rune('0'+n/1024%10)) + "KiB"
	}
	return "32B"
}

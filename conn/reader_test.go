package conn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

func TestReader_StreamsAMessage_LargerThanItsBuffers(t *testing.T) {
	for _, role := range roles {
		c, peer := againstSize(t, role, conn.Options{MaxMessage: -1}, 3000)
		want := strings.Repeat("0123456789abcde", 40000)
		go func() {
			peer.Write(to(role, text, want[:250000]))
			peer.Write(to(role, pingFrame, "in the middle"))
			peer.Write(to(role, fin|continuation, want[250000:]))
			peer.Write(to(role, fin|binaryData, "next"))
		}()
		mt, r, err := c.Reader(bg)
		if err != nil || mt != conn.Text {
			t.Fatal(mt, err)
		}
		if err := iotest.TestReader(r, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("after the end: %d, %v", n, err)
		}
		m, err := c.Read(bg)
		wantMessage(t, m, err, conn.Binary, "next")
		if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("after the next message: %d, %v", n, err)
		}
	}
}

func TestReader_OfAnEmptyMessage_EndsAtOnce(t *testing.T) {
	c, peer := against(t, machine.Client, conn.Options{})
	mustWrite(t, peer, to(machine.Client, text, ""))
	mustWrite(t, peer, to(machine.Client, fin|continuation, ""))
	_, r, err := c.Reader(bg)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Errorf("a read of nothing: %d, %v", n, err)
	}
	if n, err := r.Read(make([]byte, 9)); n != 0 || err != io.EOF {
		t.Errorf("%d, %v", n, err)
	}
}

func TestReader_ThatIsLeft_IsSkippedByTheNextRead(t *testing.T) {
	long := strings.Repeat("x", 10000)
	for name, read := range reads {
		for _, taken := range []int{0, 1, 5000, 10000, 10001, 20000} {
			t.Run(fmt.Sprint(name, " after ", taken), func(t *testing.T) {
				c, peer := against(t, machine.Server, conn.Options{})
				mustWrite(t, peer, to(machine.Server, text, long))
				mustWrite(t, peer, to(machine.Server, fin|continuation, long))
				mustWrite(t, peer, to(machine.Server, fin|binaryData, "next"))
				_, r, err := c.Reader(bg)
				if err != nil {
					t.Fatal(err)
				}
				if n, err := io.ReadFull(r, make([]byte, taken)); n != taken || err != nil {
					t.Fatal(n, err)
				}
				m, err := read(bg, c)
				wantMessage(t, m, err, conn.Binary, "next")
				if n, err := r.Read(make([]byte, 9)); n != 0 || err == nil || err == io.EOF || errors.Is(err, io.EOF) {
					t.Errorf("the reader that was passed: %d, %v", n, err)
				}
			})
		}
	}
}

func TestReader_PassedByAReadThatGaveUp_GivesNoMore(t *testing.T) {
	role := machine.Client
	c, peer := against(t, role, conn.Options{})
	mustWrite(t, peer, to(role, text, "first, "))
	mustWrite(t, peer, to(role, continuation, "lost, "))
	_, r, err := c.Reader(bg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(bg)
	mustWrite(t, peer, to(role, pingFrame, "skipped so far"))
	go func() {
		newWire(peer).next() // the Pong: all before it has been read
		cancel()
	}()
	if _, err := c.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	mustWrite(t, peer, to(role, fin|continuation, "last"))
	if got, err := io.ReadAll(r); err == nil || len(got) > 0 {
		t.Errorf("%q with a hole in it, %v", got, err)
	}
	mustWrite(t, peer, to(role, fin|text, "next"))
	m, err := c.Read(bg)
	wantMessage(t, m, err, conn.Text, "next")
}

func TestReader_OfTextThatIsNotUTF8_FailsWhereItIsMet(t *testing.T) {
	for _, role := range roles {
		c, peer := against(t, role, conn.Options{})
		mustWrite(t, peer, to(role, text, "good "))
		mustWrite(t, peer, to(role, continuation, "\xff"))
		peer.CloseWrite()
		_, r, err := c.Reader(bg)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if string(got) != "good " || conn.CloseStatus(err) != frame.CloseInvalidPayload {
			t.Errorf("%q, %v", got, err)
		}
		if _, again := r.Read(make([]byte, 1)); again != err {
			t.Errorf("again: %v", again)
		}
		wantClosed(t, c)
	}
}

func TestReader_InPlace_FailsWhereTextIsNotUTF8(t *testing.T) {
	role := machine.Client
	c, peer := against(t, role, conn.Options{})
	mustWrite(t, peer, head(role, fin|text, 100))
	mustWrite(t, peer, []byte("good"))
	_, r, err := c.Reader(bg)
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 100)
	if n, err := r.Read(p); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	mustWrite(t, peer, []byte("\xff"))
	peer.CloseWrite()
	if n, err := r.Read(p); n != 0 || conn.CloseStatus(err) != frame.CloseInvalidPayload {
		t.Errorf("%d, %v", n, err)
	}
}

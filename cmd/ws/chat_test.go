package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/conn/conntest"
)

func TestChat_Tells_Everyone(t *testing.T) {
	_, addr := startServe(t)
	ada := dial(t, "ws://"+addr+"/chat", nil)
	heard := []string{read(t, ada)}
	bob := dial(t, "ws://"+addr+"/chat", nil)
	heard = append(heard, read(t, ada))
	both := []string{read(t, bob)}
	say := func(c *websocket.Conn, kind websocket.MessageType, text string) {
		if err := c.Write(t.Context(), kind, []byte(text)); err != nil {
			t.Fatal(err)
		}
		heard, both = append(heard, read(t, ada)), append(both, read(t, bob))
	}
	say(ada, websocket.Text, "hello")
	say(bob, websocket.Binary, "\x00\xff")
	if err := bob.Close(websocket.CloseNormal, ""); err != nil {
		t.Fatal(err)
	}
	heard = append(heard, read(t, ada))
	want := []string{
		"text * guest 1 joined, 1 here",
		"text * guest 2 joined, 2 here",
		"text guest 1: hello",
		"binary \x00\xff",
		"text * guest 2 left, 1 here",
	}
	if diff := cmp.Diff(want, heard); diff != "" {
		t.Errorf("ada heard (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[1:4], both); diff != "" {
		t.Errorf("bob heard (-want +got):\n%s", diff)
	}
}

func TestChat_Limits_Texts(t *testing.T) {
	_, addr := startServe(t)
	c := dial(t, "ws://"+addr+"/chat", nil)
	read(t, c)
	if err := c.WriteText(t.Context(), strings.Repeat("a", maxText)); err != nil {
		t.Fatal(err)
	}
	if got, want := len(read(t, c)), maxText+len("text guest 1: "); got != want {
		t.Errorf("heard %d bytes, want %d", got, want)
	}
	c.WriteText(t.Context(), strings.Repeat("a", maxText+1))
	wantClose(t, c, websocket.CloseTooBig)
}

// One guest does not read. The others are held up once, for a second, and then
// go on without it.
func TestChat_PutsOut_TheSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r room
		enter := func() *websocket.Conn {
			server, client := conntest.Pair(websocket.ConnOptions{CloseTimeout: closeTime}, websocket.ConnOptions{})
			go func() {
				defer server.CloseNow()
				r.serve(t.Context(), server)
			}()
			return client
		}
		slow := enter()
		synctest.Wait()
		quick := enter()
		defer slow.CloseNow()
		defer quick.CloseNow()
		read(t, quick) // guest 2 joined
		begin := time.Now()
		piece := bytes.Repeat([]byte("a"), maxText)
		// What fits into the pipe and the queue, what is being sent, and one more.
		for range queueLength + 3 {
			if err := quick.Write(t.Context(), websocket.Text, piece); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(read(t, quick), "text guest 2: aaa") {
				t.Fatal("heard something else")
			}
		}
		if took := time.Since(begin); took != patience {
			t.Errorf("the room was held up for %v, want %v", took, patience)
		}
		if got, want := read(t, quick), "text * guest 1 left, 1 here"; got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	})
}

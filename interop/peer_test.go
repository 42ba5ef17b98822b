//go:build interop

package interop

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"github.com/swan-ws/websocket"
)

// A command tells a peer what to do with its end of a connection.
type command struct {
	Do string `json:"do"`
	// dial
	N         int               `json:"n,omitempty"`
	URL       string            `json:"url,omitempty"`
	Protocols []string          `json:"protocols,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
	Origin    string            `json:"origin,omitempty"`
	Max       int               `json:"max,omitempty"` // the longest message it takes
	// dial, listen: what its library is told of compression
	Deflate map[string]any `json:"deflate,omitempty"`
	// send, ping, raw, fragments
	Text  *string  `json:"text,omitempty"`
	Bytes *[]byte  `json:"bytes,omitempty"`
	Parts []string `json:"parts,omitempty"`
	// close
	Code   websocket.CloseCode `json:"code,omitempty"`
	Reason string              `json:"reason,omitempty"`
}

// An event is what a peer reports.
type event struct {
	On string `json:"on"` // ready, listening, open, refused, message, ping, pong, close
	N  int    `json:"n"`  // the connection
	// ready, listening
	Version     string
	Port, Small int // of a server, and of one that takes 1000 bytes a message
	// open, refused
	Protocol   string
	Extensions string
	Headers    map[string]string
	Status     int
	Body       string
	// message, ping, pong
	Text    *string
	Bytes   []byte
	Latency *float64 // s, if the library measures it
	// close
	Code   websocket.CloseCode
	Reason string
	Clean  bool
}

// A peer is a foreign implementation under command, with one connection at a time.
type peer struct {
	send   func(line []byte) error
	events chan event
	n      int // the connection
}

// runPeer starts a script that reads commands and writes events, and waits until
// it is ready.
func runPeer(t *testing.T, cmd *exec.Cmd) (*peer, event) {
	t.Helper()
	run := start(t, cmd)
	p := &peer{
		send:   func(line []byte) error { _, err := run.in.Write(append(line, '\n')); return err },
		events: make(chan event),
	}
	go func() {
		defer close(p.events)
		lines := bufio.NewScanner(run.out)
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			var e event
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				e = event{On: "no event: " + lines.Text(), N: -1}
			}
			select {
			case p.events <- e:
			case <-t.Context().Done():
			}
		}
	}()
	ready := p.want(t, "ready")
	t.Log(ready.Version)
	return p, ready
}

func (p *peer) do(t *testing.T, c command) {
	t.Helper()
	line, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.send(line); err != nil {
		t.Fatalf("command %s: %v", c.Do, err)
	}
}

// want returns the next event, which must be of the kind named. What still comes
// from connections before this one is passed over.
func (p *peer) want(t *testing.T, on string) event {
	t.Helper()
	e := p.next(t, on)
	if e.On != on {
		t.Fatalf("peer reports %+v, want %s", e, on)
	}
	return e
}

func (p *peer) next(t *testing.T, on string) event {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		select {
		case e, ok := <-p.events:
			switch {
			case !ok:
				t.Fatalf("peer ended, want %s of it", on)
			case e.N == p.n || e.N == -1 || on == "ready":
				return e
			}
		case <-late.C:
			t.Fatalf("peer does not report %s", on)
		}
	}
}

// wantClose returns when the peer saw the end it should.
func (p *peer) wantClose(t *testing.T, code websocket.CloseCode, reason string) {
	t.Helper()
	e := p.want(t, "close")
	if clean := code != websocket.CloseAbnormal; e.Code != code || e.Reason != reason || e.Clean != clean {
		t.Errorf("peer saw close %d %q, clean: %v; want %d %q, %v", e.Code, e.Reason, e.Clean, code, reason, clean)
	}
}

func (p *peer) say(t *testing.T, m websocket.Message) {
	t.Helper()
	c := command{Do: "send", Bytes: &m.Data}
	if m.Type == websocket.Text {
		text := string(m.Data)
		c = command{Do: "send", Text: &text}
	}
	p.do(t, c)
}

func (p *peer) hear(t *testing.T) websocket.Message {
	t.Helper()
	return p.want(t, "message").message()
}

func (e event) message() websocket.Message {
	if e.Text != nil {
		return websocket.Message{Type: websocket.Text, Data: []byte(*e.Text)}
	}
	return websocket.Message{Type: websocket.Binary, Data: e.Bytes}
}

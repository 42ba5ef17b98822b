package conn_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// noise is bytes that do not compress, other ones for each n.
func noise(size int, n uint64) []byte {
	p := make([]byte, size)
	r := rand.New(rand.NewPCG(1, n))
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

// A wireMessage is a message as it was found on the wire.
type wireMessage struct {
	opcode     frame.Opcode
	compressed bool
	frames     int
	payload    []byte
}

// message returns the next message. RSV1 may mark its first frame, and nothing
// else may be marked (D7).
func (w wire) message(tb testing.TB) (m wireMessage) {
	tb.Helper()
	for {
		f := w.mustNext(tb)
		if f.Opcode.IsControl() || m.frames > 0 {
			if f.RSV != 0 {
				tb.Fatalf("RSV %#x on a %v frame, fragment %d", f.RSV, f.Opcode, m.frames)
			}
		}
		if f.Opcode.IsControl() {
			continue
		}
		if f.RSV&^frame.RSV1 != 0 || (f.Opcode == frame.OpContinuation) != (m.frames > 0) {
			tb.Fatalf("%+v as frame %d of a message", f.Header, m.frames)
		}
		if m.frames == 0 {
			m.opcode, m.compressed = f.Opcode, f.RSV != 0
		}
		m.frames++
		m.payload = append(m.payload, f.Payload...)
		if f.Fin {
			return m
		}
	}
}

// D7, D24, D25, D28.
func TestWrite_OfACompressedMessage_OnTheWire(t *testing.T) {
	for _, a := range accords {
		for _, role := range roles {
			for name, write := range writes {
				t.Run(fmt.Sprint(a, " ", role, " ", name), func(t *testing.T) {
					c, peer := a.against(t, role, conn.Options{})
					w := newWire(peer)
					var window []byte
					for n := range 5 {
						want := prose(3000, n)
						if err := write(c, want); err != nil {
							t.Fatal(err)
						}
						m := w.message(t)
						if !m.compressed || m.frames != 1 || m.opcode != frame.OpText || bytes.HasSuffix(m.payload, []byte("\x00\x00\xff\xff")) {
							t.Errorf("%+v", m)
						}
						got, err := grown(m.payload, window)
						if err != nil || string(got) != want {
							t.Fatalf("message %d: %v, %.40q", n, err, got)
						}
						if a.takeover {
							window = append(window, want...)
							window = window[max(0, len(window)-1<<a.bits):]
						}
					}
				})
			}
		}
	}
}

// D24, D25: the fragments are one compressed message, whose tail alone is missing.
func TestWriter_MakesOneCompressedMessage_OfAllThatItIsGiven(t *testing.T) {
	for _, role := range roles {
		for _, tt := range []struct {
			name   string
			pieces []int
			frames int // at least
		}{
			{"small pieces", slices.Repeat([]int{100}, 2000), 2},
			{"a small piece before a large one", []int{100, 500_000}, 2},
			{"large pieces", []int{100_000, 100_000, 100_000}, 2},
			{"a small piece last", []int{300_000, 1}, 2},
			{"nothing in between", []int{5000, 0, 0, 5000, 0}, 1},
		} {
			t.Run(fmt.Sprint(role, " ", tt.name), func(t *testing.T) {
				c, peer := accord{15, false}.against(t, role, conn.Options{})
				w, err := c.Writer(bg, conn.Binary)
				if err != nil {
					t.Fatal(err)
				}
				var want []byte
				for n, size := range tt.pieces {
					p := append(noise(size/2, uint64(n)), prose(size-size/2, n)...)
					if n, err := w.Write(p); n != size || err != nil {
						t.Fatal(n, err)
					}
					want = append(want, p...)
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				m := newWire(peer).message(t)
				got, err := grown(m.payload, nil)
				if !m.compressed || m.frames < tt.frames || err != nil || !bytes.Equal(got, want) {
					t.Errorf("compressed %v, %d frames, %v, %d bytes of %d", m.compressed, m.frames, err, len(got), len(want))
				}
			})
		}
	}
}

// A Writer whose text turns out to be none, with a part of it in the window that
// both sides share, leaves no connection that is out of step.
func TestWriter_ThatFailsInTheMiddle_EndsTheConnection(t *testing.T) {
	for _, a := range accords {
		c, peer := a.pair(t, machine.Server, conn.Options{})
		w, err := c.Writer(bg, conn.Text)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, prose(9000, 1))
		done := make(chan error)
		go func() {
			_, err := peer.Read(bg)
			done <- err
		}()
		if _, err := io.WriteString(w, "\xff"); err == nil {
			t.Error("text that is not UTF-8 was taken")
		}
		if err := w.Close(); err == nil {
			t.Error("Close after a failed write: no error")
		}
		if err := <-done; conn.CloseStatus(err) != frame.CloseInternalError {
			t.Errorf("%v: %v", a, err)
		}
	}
}

func TestWrite_LeavesAlone_WhatIsNotWorthwhile(t *testing.T) {
	for _, role := range roles {
		for _, tt := range []struct {
			name      string
			threshold int
			payload   []byte
			want      bool // compressed
		}{
			{"below the default thresholds", 0, []byte(prose(31, 1)), false},
			{"at the default threshold", 0, []byte(prose(256, 1)), true},
			{"below the threshold", 1000, []byte(prose(999, 1)), false},
			{"at the threshold", 1000, []byte(prose(1000, 1)), true},
			{"small, without a threshold", -1, bytes.Repeat([]byte("a"), 100), true},
			{"too small, without a threshold", -1, []byte("a"), false},
			{"empty, without a threshold", -1, nil, false},
			{"noise", 0, noise(1000, 1), false},
			{"much noise", 0, noise(100_000, 1), false},
		} {
			for _, how := range []string{"Write", "Send"} {
				for _, a := range accords {
					payload := tt.payload
					if a.takeover && strings.HasPrefix(tt.name, "below the default") {
						payload = payload[:deflate.DefaultTakeoverThreshold-1]
					}
					c, peer := a.against(t, role, conn.Options{Compression: deflate.Options{Threshold: tt.threshold}})
					w := newWire(peer)
					for range 2 { // what goes as it is is not in the window (D10)
						var err error
						if how == "Write" {
							err = c.Write(bg, conn.Binary, payload)
						} else {
							err = c.Send(bg, conn.Prepare(conn.Binary, payload))
						}
						if err != nil {
							t.Fatal(err)
						}
						m := w.message(t)
						if m.compressed != tt.want || !tt.want && !bytes.Equal(m.payload, payload) {
							t.Errorf("%s, %v, %v, %s: compressed %v, %d bytes of %d", tt.name, role, a, how, m.compressed, len(m.payload), len(payload))
						}
						if tt.want {
							break // the second one may differ: it has a window
						}
					}
				}
			}
		}
	}
}

func TestWriter_LeavesASmallMessageAlone(t *testing.T) {
	for _, role := range roles {
		c, peer := accord{15, false}.against(t, role, conn.Options{})
		for _, size := range []int{0, 1, 255} {
			w, err := c.Writer(bg, conn.Text)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(w, prose(size, 1))
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if m := newWire(peer).message(t); m.compressed || m.frames != 1 || string(m.payload) != prose(size, 1) {
				t.Errorf("%v: %+v", role, m)
			}
		}
	}
}

// D9: who wants no compression gets, and sends, messages as they are.
func TestWrite_WithoutAnAgreement_CompressesNothing(t *testing.T) {
	for _, role := range roles {
		for name, write := range writes {
			c, peer := against(t, role, quiet)
			if err := write(c, prose(3000, 1)); err != nil {
				t.Fatal(err)
			}
			if m := newWire(peer).message(t); m.compressed || string(m.payload) != prose(3000, 1) {
				t.Errorf("%v, %s: %+v", role, name, m)
			}
		}
	}
}

// D20, D28: who may take the context over need not, and does not by default.
func TestWrite_TakesTheContextOver_OnlyIfBothWantTo(t *testing.T) {
	for _, role := range roles {
		for _, tt := range []struct {
			name         string
			mode         deflate.Mode
			agreed, want bool
		}{
			{"both", deflate.Takeover, true, true},
			{"the peer alone", deflate.NoTakeover, true, false},
			{"this side alone", deflate.Takeover, false, false},
		} {
			here, there := conntest.Pipe()
			c := conn.New(here, conn.Config{
				Role: role, Deflate: accord{15, tt.agreed}.params(),
				Options: conn.Options{PingEvery: -1, Compression: deflate.Options{Mode: tt.mode}},
			})
			w := newWire(there)
			var sizes []int
			for range 2 {
				if err := c.WriteText(bg, prose(2000, 1)); err != nil {
					t.Fatal(err)
				}
				sizes = append(sizes, len(w.message(t).payload))
			}
			if took := sizes[1] < sizes[0]; took != tt.want {
				t.Errorf("%v, %s: the same message in %d bytes", role, tt.name, sizes)
			}
			c.CloseNow()
			there.Close()
		}
	}
}

// D21, D22, D28, D29: each direction has its own terms.
func TestWrite_KeepsToTheTermsOfItsDirection(t *testing.T) {
	server := deflate.Params{ServerNoContextTakeover: true, ServerMaxWindowBits: 9, ClientMaxWindowBits: 15}
	client := deflate.Params{ClientNoContextTakeover: true, ServerMaxWindowBits: 15, ClientMaxWindowBits: 9}
	far := slices.Repeat(noise(2000, 1), 2) // shrinks if 2000 bytes back can be seen
	o := conn.Options{PingEvery: -1, Compression: deflate.Options{Mode: deflate.Takeover}}
	for _, role := range roles {
		for _, p := range []deflate.Params{server, client} {
			poor := (role == machine.Server) == p.ServerNoContextTakeover
			here, there := conntest.Pipe()
			c := conn.New(here, conn.Config{Role: role, Deflate: &p, Options: o})
			w := newWire(there)
			var sizes []int
			for range 2 {
				if err := c.WriteText(bg, prose(500, 1)); err != nil {
					t.Fatal(err)
				}
				sizes = append(sizes, len(w.message(t).payload))
			}
			if (sizes[0] == sizes[1]) != poor {
				t.Errorf("%v, %+v: the same message in %d bytes", role, p, sizes)
			}
			if err := c.Write(bg, conn.Binary, far); err != nil {
				t.Fatal(err)
			}
			if m := w.message(t); m.compressed == poor {
				t.Errorf("%v, %+v: compressed %v", role, p, m.compressed)
			}
			// The other direction is the other way round.
			first, again := string(shrunk([]byte(prose(500, 2)), nil)), string(shrunk([]byte("swan 2"), []byte(prose(500, 2))))
			mustWrite(t, there, to(role, fin|rsv1|text, first))
			m, err := c.Read(bg)
			wantMessage(t, m, err, conn.Text, prose(500, 2))
			mustWrite(t, there, to(role, fin|rsv1|text, again))
			there.CloseWrite()
			if _, err := c.Read(bg); (err == nil) != poor {
				t.Errorf("%v, %+v: a message that needs the one before: %v", role, p, err)
			}
			c.CloseNow()
			there.Close()
		}
	}
}

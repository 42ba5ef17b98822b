package conn_test

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
)

// A Reader gives out what has come of a compressed message, while the rest has not
// even been sent.
func TestReader_OfACompressedMessage_DoesNotWaitForItsEnd(t *testing.T) {
	for _, a := range accords {
		for _, role := range roles {
			c, peer := a.against(t, role, conn.Options{})
			first, second := prose(100_000, 1), prose(50_000, 2)
			var z bytes.Buffer
			w, _ := flate.NewWriter(&z, 6)
			w.Write([]byte(first))
			w.Flush()
			cut := z.Len()
			w.Write([]byte(second))
			w.Flush()
			payload := strings.TrimSuffix(z.String(), "\x00\x00\xff\xff")
			mustWrite(t, peer, to(role, rsv1|text, payload[:cut]))
			typ, r, err := c.Reader(bg)
			if typ != conn.Text || err != nil {
				t.Fatal(typ, err)
			}
			got := make([]byte, len(first))
			if _, err := io.ReadFull(r, got); err != nil || string(got) != first {
				t.Fatalf("%v, %v: the first half: %v", a, role, err)
			}
			mustWrite(t, peer, to(role, fin|continuation, payload[cut:]))
			if rest, err := io.ReadAll(r); err != nil || string(rest) != second {
				t.Fatalf("%v, %v: the second half: %d bytes, %v", a, role, len(rest), err)
			}
		}
	}
}

// Faults of a message show where they are, also when it is read in pieces; what came
// before them has been given out.
func TestReader_OfACompressedMessage_FailsWhereTheFaultIs(t *testing.T) {
	for name, tail := range map[string]string{"corrupt": "\x07", "not UTF-8": string(shrunk([]byte("\xff"), nil))} {
		for _, role := range roles {
			c, peer := accord{15, false}.against(t, role, conn.Options{})
			mustWrite(t, peer, to(role, rsv1|text, string(shrunk([]byte("good"), nil))+"\x00\x00\xff\xff"))
			mustWrite(t, peer, to(role, fin|continuation, tail))
			peer.CloseWrite()
			_, r, err := c.Reader(bg)
			if err != nil {
				t.Fatal(err)
			}
			if p, err := io.ReadAll(r); string(p) != "good" || conn.CloseStatus(err) != 1007 {
				t.Errorf("%s: %q, %v", name, p, err)
			}
		}
	}
}

func TestReader_OfACompressedMessage_LeavesNothingBehind(t *testing.T) {
	for _, a := range accords {
		c, peer := a.pair(t, machine.Server, conn.Options{})
		for n := range 20 {
			left, want := prose(5000, n), prose(3000, n)
			peer.WriteText(bg, left)
			peer.WriteText(bg, want)
			_, r, err := c.Reader(bg)
			if err != nil {
				t.Fatal(err)
			}
			head := make([]byte, 7*n)
			if _, err := io.ReadFull(r, head); err != nil || string(head) != left[:7*n] {
				t.Fatalf("%v, %.40q", err, head)
			}
			m, err := c.Read(bg)
			wantMessage(t, m, err, conn.Text, want)
			if n, err := r.Read(head); n != 0 || err == nil {
				t.Errorf("the reader left behind: %d, %v", n, err)
			}
		}
	}
}

// A frame that is longer than a read buffer is read in larger pieces.
func TestRead_OfALongCompressedMessage_GivenUpInTheMiddle_LosesNothing(t *testing.T) {
	long := string(noise(50_000, 1))
	for name, again := range reads {
		for first, read := range reads {
			if first == "Reader" {
				continue
			}
			t.Run(first+" then "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, peer := accord{15, true}.against(t, machine.Server, conn.Options{})
					wire := to(machine.Server, fin|rsv1|binaryData, string(shrunk([]byte(long), nil)))
					for _, cut := range [][2]int{{0, 5000}, {5000, 32000}} {
						mustWrite(t, peer, wire[cut[0]:cut[1]])
						ctx, cancel := context.WithTimeout(bg, time.Millisecond)
						if _, err := read(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
							t.Fatal(err)
						}
						cancel()
					}
					mustWrite(t, peer, wire[32000:])
					m, err := again(bg, c)
					wantMessage(t, m, err, conn.Binary, long)
				})
			})
		}
	}
}

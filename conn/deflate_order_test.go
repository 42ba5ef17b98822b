package conn_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// where is a stream that remembers where lay what it was given last.
type where struct {
	*conntest.Conn
	last *byte
	n    int
}

func (w *where) Write(p []byte) (int, error) {
	w.last, w.n = &p[0], len(p)
	return w.Conn.Write(p)
}

// Compressed once for each size of window: servers all hand out the same bytes.
func TestSend_ToAMixOfConnections_CompressesOnce_AndKeepsAllInStep(t *testing.T) {
	type member struct {
		c, peer *conn.Conn
		stream  *where
		group   string
	}
	var members []member
	for _, role := range roles {
		for range 3 {
			for _, a := range append(accords, accord{}) {
				here, there := conntest.PipeSize(1 << 20)
				m := member{stream: &where{Conn: here}, group: fmt.Sprint(a.bits)}
				if a.bits == 0 {
					m.c = conn.New(m.stream, conn.Config{Role: role, Options: quiet})
					m.peer = conn.New(there, conn.Config{Role: 1 - role, Options: quiet})
				} else {
					m.c, m.peer = a.new(m.stream, role, conn.Options{}), a.new(there, 1-role, conn.Options{})
				}
				defer m.c.CloseNow()
				defer m.peer.CloseNow()
				members = append(members, m)
			}
		}
	}
	for n := range 50 {
		want := prose(100+n*400, n)
		prepared := conn.Prepare(conn.Text, []byte(want))
		lay, length := map[string]*byte{}, map[string]int{}
		for _, m := range members {
			if err := m.c.Send(bg, prepared); err != nil {
				t.Fatal(err)
			}
			if m.c.Role() == machine.Server {
				if at := lay[m.group]; at != nil && at != m.stream.last {
					t.Errorf("message %d was made twice for %s bits", n, m.group)
				}
				lay[m.group], length[m.group] = m.stream.last, m.stream.n
			}
			got, err := m.peer.Read(bg)
			wantMessage(t, got, err, conn.Text, want)

			own := prose(200+n*50, -n) // of each one's own, before and behind
			if err := m.c.WriteText(bg, own); err != nil {
				t.Fatal(err)
			}
			got, err = m.peer.Read(bg)
			wantMessage(t, got, err, conn.Text, own)
		}
		if len(want) >= deflate.DefaultThreshold && lay["10"] == lay["15"] {
			t.Errorf("message %d: those with a window of 10 bits were sent what needs 15", n)
		}
		if plain := length["0"]; len(want) >= deflate.DefaultThreshold && (length["15"] >= plain || length["10"] >= plain) {
			t.Errorf("%d bytes in 15 bits, %d in 10, %d plain", length["15"], length["10"], plain)
		}
	}
}

func TestSend_FromManyGoroutines_OfOneMessage(t *testing.T) {
	want := prose(20_000, 1)
	prepared := conn.Prepare(conn.Text, []byte(want))
	var all sync.WaitGroup
	for _, a := range accords {
		for _, role := range roles {
			c, peer := a.pair(t, role, conn.Options{})
			for range 3 {
				all.Go(func() {
					if err := c.Send(bg, prepared); err != nil {
						t.Error(err)
					}
				})
			}
			all.Go(func() {
				for range 3 {
					if m, err := peer.Read(bg); err != nil || string(m.Data) != want {
						t.Errorf("%v, %.40q", err, m.Data)
					}
				}
			})
		}
	}
	all.Wait()
}

// D6, D27, D29: hundreds of messages, both ways at once, compressed and not.
func TestTakeover_OfManyMessages_StaysInStep(t *testing.T) {
	const messages = 400
	for _, bits := range []int{8, 9, 10, 12, 15} {
		for _, role := range roles {
			t.Run(fmt.Sprint(bits, " ", role), func(t *testing.T) {
				t.Parallel()
				c, peer := accord{bits, true}.pair(t, role, conn.Options{})
				var all sync.WaitGroup
				for i, ends := range [][2]*conn.Conn{{c, peer}, {peer, c}} {
					plan := func() func() []byte { // the same for both ends
						r := rand.New(rand.NewPCG(uint64(bits), uint64(i)))
						return func() []byte {
							switch size := r.IntN(1 << r.IntN(17)); r.IntN(5) {
							case 0:
								return noise(size, r.Uint64())
							case 1:
								return []byte(prose(size%256, r.IntN(5)))
							default:
								return []byte(prose(size, r.IntN(5)))
							}
						}
					}
					all.Go(func() {
						next := plan()
						for n := range messages {
							if err := writeSomehow(ends[0], n, next()); err != nil {
								t.Error(err)
								return
							}
						}
					})
					all.Go(func() {
						next := plan()
						for n := range messages {
							m, err := ends[1].Read(bg)
							if want := next(); err != nil || !bytes.Equal(m.Data, want) {
								t.Errorf("message %d: %v, %d bytes, want %d", n, err, len(m.Data), len(want))
								ends[1].CloseNow()
								return
							}
						}
					})
				}
				all.Wait()
			})
		}
	}
}

// With takeover what is compressed first must be sent first.
func TestWrite_Compressed_FromManyGoroutines_EachMessageArrivesWhole_AndInOrder(t *testing.T) {
	const writers, each = 8, 60
	sizes := []int{100, 300, 5000, 17000, 66000}
	for _, a := range accords {
		for _, role := range roles {
			t.Run(fmt.Sprint(a, " ", role), func(t *testing.T) {
				c, peer := a.pair(t, role, conn.Options{})
				var all sync.WaitGroup
				defer all.Wait() // a message may arrive before its writer knows
				for who := range writers {
					all.Go(func() {
						for count := range each {
							p := number(sizes[(who+count)%len(sizes)], uint32(who), uint32(count))
							if err := writeSomehow(c, who+count, p); err != nil {
								t.Error(err)
								return
							}
						}
					})
				}
				var next [writers]uint32
				for range writers * each {
					m, err := peer.Read(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					who, count := binary.BigEndian.Uint32(m.Data), binary.BigEndian.Uint32(m.Data[4:])
					if count != next[who] {
						t.Fatalf("message %d of writer %d, want %d", count, who, next[who])
					}
					next[who]++
					if !bytes.Equal(m.Data, number(len(m.Data), who, count)) {
						t.Fatalf("message %d of writer %d is damaged", count, who)
					}
				}
			})
		}
	}
}

func TestWrite_GivenUpWhileOthersWrite_LeavesTheWindowAsItWas(t *testing.T) {
	for _, role := range roles {
		c, peer := accord{15, true}.pair(t, role, conn.Options{})
		w, err := c.Writer(bg, conn.Text)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(bg)
		cancel()
		for _, write := range []func() error{
			func() error { return c.WriteText(ctx, prose(2000, 1)) },
			func() error { return c.Send(ctx, conn.Prepare(conn.Text, []byte(prose(2000, 2)))) },
		} {
			if err := write(); !errors.Is(err, ctx.Err()) {
				t.Error(err)
			}
		}
		io.WriteString(w, prose(9000, 3))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := c.WriteText(bg, prose(2000, 1)); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{prose(9000, 3), prose(2000, 1)} {
			m, err := peer.Read(bg)
			wantMessage(t, m, err, conn.Text, want)
		}
	}
}

func TestWrite_Compressed_AllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("sync.Pool forgets under the race detector")
	}
	p := []byte(strings.Repeat(prose(1000, 1), 4))
	prepared := conn.Prepare(conn.Text, p)
	for _, a := range accords {
		for _, role := range roles {
			c := a.new(newSink(), role, conn.Options{})
			for name, write := range map[string]func() error{
				"Write": func() error { return c.Write(bg, conn.Text, p) },
				"Send":  func() error { return c.Send(bg, prepared) },
			} {
				for range 20 { // the window fills up
					write()
				}
				if allocs := testing.AllocsPerRun(100, func() { write() }); allocs != 0 {
					t.Errorf("%v, %v, %s: %v allocations", a, role, name, allocs)
				}
			}
			c.CloseNow()
		}
	}
}

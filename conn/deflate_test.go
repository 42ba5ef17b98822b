package conn_test

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// D-numbers are the requirements of RFC 7692.

const rsv1 = 0x40

// An accord is what both sides have agreed on, in both directions.
type accord struct {
	bits     int
	takeover bool
}

var accords = []accord{{15, false}, {15, true}, {10, false}, {10, true}}

func (a accord) String() string { return fmt.Sprintf("%d bits, takeover %v", a.bits, a.takeover) }

func (a accord) params() *deflate.Params {
	return &deflate.Params{
		ServerNoContextTakeover: !a.takeover, ClientNoContextTakeover: !a.takeover,
		ServerMaxWindowBits: a.bits, ClientMaxWindowBits: a.bits,
	}
}

// options are those of a side that wants all that has been agreed on.
func (a accord) options(o conn.Options) conn.Options {
	o.PingEvery = -1
	if a.takeover {
		o.Compression.Mode = deflate.Takeover
	}
	return o
}

// new returns a connection over rwc.
func (a accord) new(rwc io.ReadWriteCloser, role machine.Role, o conn.Options) *conn.Conn {
	return conn.New(rwc, conn.Config{Options: a.options(o), Role: role, Deflate: a.params()})
}

// against returns a connection in that role and the raw other end of its stream.
func (a accord) against(tb testing.TB, role machine.Role, o conn.Options) (*conn.Conn, *conntest.Conn) {
	tb.Helper()
	here, there := conntest.PipeSize(4 << 20)
	c := a.new(here, role, o)
	tb.Cleanup(func() {
		c.CloseNow()
		there.Close()
	})
	return c, there
}

// pair returns a connection in that role, and its peer's.
func (a accord) pair(tb testing.TB, role machine.Role, o conn.Options) (c, peer *conn.Conn) {
	tb.Helper()
	c, raw := a.against(tb, role, o)
	peer = a.new(raw, 1-role, o)
	tb.Cleanup(func() { peer.CloseNow() })
	return c, peer
}

// shrunk is p deflated as a message's payload by another compressor than ours.
func shrunk(p, window []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriterDict(&b, 9, window)
	if err != nil {
		panic(err)
	}
	w.Write(p)
	w.Flush()
	return b.Bytes()[:b.Len()-4] // without the tail, 7692 §7.2.1
}

// grown inflates a message's payload with another decompressor than ours.
func grown(p, window []byte) ([]byte, error) {
	r := flate.NewReaderDict(io.MultiReader(bytes.NewReader(p), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff")), window)
	return io.ReadAll(r)
}

// prose compresses well, and is a different text for each n.
func prose(size, n int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "swan %d swims on lake %d; ", n, i*i*(n+7)%9973)
	}
	return b.String()[:size]
}

// D24, D26, D30, D31, D32: 7692 §7.2.3, and what §7.2.2 says of empty pieces.
func TestRead_TakesTheExamplesOfRFC7692(t *testing.T) {
	type piece struct {
		first byte
		hex   string
	}
	for _, tt := range []struct {
		name   string
		pieces []piece
		want   []string
	}{
		{"one block", []piece{{0xc1, "f248cdc9c90700"}}, []string{"Hello"}},
		{"fragmented", []piece{{0x41, "f248cd"}, {0x80, "c9c90700"}}, []string{"Hello"}},
		{"fragmented to bytes", []piece{{0x41, ""}, {0x00, "f2"}, {0x00, "48"}, {0x00, ""}, {0x00, "cdc9c907"}, {0x80, "00"}}, []string{"Hello"}},
		{"one without compression", []piece{{0xc1, "000500faff48656c6c6f00"}}, []string{"Hello"}},
		{"BFINAL", []piece{{0xc1, "f348cdc9c9070000"}}, []string{"Hello"}},
		{"two blocks", []piece{{0xc1, "f248050000" + "00ffffcac9c90700"}}, []string{"Hello"}},
		{"empty", []piece{{0xc1, "00"}}, []string{""}},
		{"the window shared", []piece{{0xc1, "f248cdc9c90700"}, {0xc1, "f200110000"}}, []string{"Hello", "Hello"}},
		{"the window shared past one that is not compressed", // D10
			[]piece{{0xc1, "f248cdc9c90700"}, {0x81, hex.EncodeToString([]byte("Swan!"))}, {0xc1, "f200110000"}}, []string{"Hello", "Swan!", "Hello"}},
	} {
		for _, role := range roles {
			for name, read := range reads {
				t.Run(fmt.Sprint(tt.name, " ", role, " ", name), func(t *testing.T) {
					c, peer := accord{15, true}.against(t, role, conn.Options{})
					for _, piece := range tt.pieces {
						payload, err := hex.DecodeString(piece.hex)
						if err != nil {
							t.Fatal(err)
						}
						mustWrite(t, peer, to(role, piece.first, string(payload)))
					}
					for _, want := range tt.want {
						m, err := read(bg, c)
						wantMessage(t, m, err, conn.Text, want)
					}
				})
			}
		}
	}
}

// D6, D9, D28, D29.
func TestCompressedMessages_HoweverWritten_ArriveHoweverRead(t *testing.T) {
	for _, a := range accords {
		for _, role := range roles {
			t.Run(fmt.Sprint(a, " ", role), func(t *testing.T) {
				c, peer := a.pair(t, role, conn.Options{})
				n := 0
				for _, read := range reads {
					for _, write := range writes {
						for _, size := range []int{0, 1, 255, 256, 257, 4096, 4097, 9000, 70000, 300_000} {
							n++
							want := prose(size, n)
							if err := write(c, want); err != nil {
								t.Fatal(err)
							}
							m, err := read(bg, peer)
							wantMessage(t, m, err, conn.Text, want)
						}
					}
				}
			})
		}
	}
}

func TestJSON_Compressed_GoesThereAndBack(t *testing.T) {
	for _, a := range accords {
		for _, role := range roles {
			c, peer := a.pair(t, role, conn.Options{})
			for n := range 3 {
				want := []string{prose(1000, n), prose(2000, n)}
				if err := c.WriteJSON(bg, want); err != nil {
					t.Fatal(err)
				}
				var got []string
				if err := peer.ReadJSON(bg, &got); err != nil || !slices.Equal(got, want) {
					t.Errorf("%v, %v: %v, %.50q", a, role, err, got)
				}
			}
		}
	}
}

// compressedFragments is a compressed message in pieces with control frames between.
func compressedFragments(role machine.Role, message string, window []byte) (wire []byte) {
	z := string(shrunk([]byte(message), window))
	cut := len(z) / 3
	for _, f := range [][]byte{
		to(role, rsv1|text, z[:cut]), to(role, pingFrame, "?"), to(role, continuation, z[cut:2*cut]),
		to(role, continuation, ""), to(role, pongFrame, ""), to(role, fin|continuation, z[2*cut:]),
	} {
		wire = append(wire, f...)
	}
	return wire
}

func TestRead_OfACompressedMessage_GivenUpAtAnyByte_LosesNothing(t *testing.T) {
	const want, next = "swän swän swän, and then some", "the next swän"
	for _, stream := range streams {
		for _, role := range roles {
			wire := compressedFragments(role, want, nil)
			rest := to(role, fin|rsv1|text, string(shrunk([]byte(next), []byte(want))))
			t.Run(fmt.Sprint(stream.name, " ", role), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					for at := range wire {
						for first, read := range reads {
							if first == "Reader" {
								continue // it gives out what has come, and the rest is skipped
							}
							for name, again := range reads {
								ours, peer := stream.make()
								go io.Copy(io.Discard, peer)
								c := accord{15, true}.new(ours, role, conn.Options{})

								ctx, cancel := context.WithCancel(bg)
								gaveUp := make(chan error)
								go func() {
									_, err := read(ctx, c)
									gaveUp <- err
								}()
								peer.Write(wire[:at])
								synctest.Wait()
								cancel()
								if err := <-gaveUp; !errors.Is(err, context.Canceled) || errors.Is(err, net.ErrClosed) {
									t.Fatalf("%s at byte %d: %v", first, at, err)
								}
								go func() {
									peer.Write(wire[at:])
									peer.Write(rest)
								}()
								m, err := again(bg, c)
								wantMessage(t, m, err, conn.Text, want)
								m, err = again(bg, c)
								wantMessage(t, m, err, conn.Text, next)
								if err := c.Err(); err != nil {
									t.Fatalf("%s, then %s, at byte %d: %v", first, name, at, err)
								}
								c.CloseNow()
								peer.Close()
							}
						}
					}
				})
			})
		}
	}
}

func TestMessages_Compressed_AreValidInTheLoop_AlsoWhileCloseIsCalled(t *testing.T) {
	for _, role := range roles {
		for _, fragments := range []bool{false, true} {
			c, peer := accord{15, false}.against(t, role, conn.Options{})
			want := prose(3000, 1)
			wire := to(role, fin|rsv1|text, string(shrunk([]byte(want), nil)))
			if fragments {
				wire = compressedFragments(role, want, nil)
			}
			mustWrite(t, peer, wire)
			turns := 0
			for m, err := range c.Messages(bg) {
				if turns++; turns == 2 {
					if err == nil {
						t.Error("a message after Close")
					}
					break
				}
				wantMessage(t, m, err, conn.Text, want)
				done := make(chan error)
				go func() { done <- c.Close(frame.CloseNormal, "") }()
				mustWrite(t, peer, to(role, fin|rsv1|text, string(shrunk([]byte(prose(9000, 2)), nil))))
				mustWrite(t, peer, closeTo(role, frame.CloseNormal, ""))
				peer.CloseWrite()
				if err := <-done; err != nil {
					t.Error(err)
				}
				// Others use what the connection may have given back.
				other, otherPeer := accord{15, false}.pair(t, role, conn.Options{})
				for n := range 20 {
					otherPeer.WriteText(bg, prose(4000, n))
					for range other.Messages(bg) {
						break
					}
				}
				wantMessage(t, m, err, conn.Text, want)
			}
		}
	}
}

func TestReads_OfCompressedMessages_AllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("sync.Pool forgets under the race detector")
	}
	var buf []byte
	for _, a := range accords {
		for _, role := range roles {
			for _, size := range []int{300, 4096, 40000} {
				for _, fragments := range []bool{false, true} {
					for _, how := range []string{"ReadInto", "Messages"} {
						c, peer := a.against(t, role, conn.Options{})
						want := prose(size, 1)
						wire := to(role, fin|rsv1|text, string(shrunk([]byte(want), nil)))
						if fragments {
							wire = compressedFragments(role, want, nil)
						}
						read, stop := func() conn.Message {
							m, _ := c.ReadInto(bg, buf)
							buf = m.Data[:0]
							return m
						}, func() {}
						if how == "Messages" {
							read, stop = pullMessages(c)
						}
						go io.Copy(io.Discard, peer) // Pongs
						var m conn.Message
						allocs := testing.AllocsPerRun(100, func() {
							peer.Write(wire)
							m = read()
						})
						allowed := 0.0
						if size > 4096 {
							allowed = 8 // compress/flate makes tables anew for codes above 9 bits
						}
						if string(m.Data) != want || allocs > allowed && !fragments {
							t.Errorf("%v, %v, %s: %v allocations for %d bytes", a, role, how, allocs, len(m.Data))
						}
						stop()
					}
				}
			}
		}
	}
}

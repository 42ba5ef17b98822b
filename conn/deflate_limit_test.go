package conn_test

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// bomb is 1 GiB of zeros as the payload of a compressed message, about 1 MB. It is
// 8 MiB over and over, for each flush ends at a byte.
var bomb = sync.OnceValue(func() string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	w.Write(make([]byte, 8<<20))
	w.Flush()
	return strings.Repeat(b.String(), 128)
})

// fragments cuts a compressed message into frames of that many bytes at the most; 0
// is one frame.
func fragments(role machine.Role, payload string, size int) (wire []byte) {
	if size == 0 {
		return to(role, fin|rsv1|binaryData, payload)
	}
	first := byte(rsv1 | binaryData)
	for len(payload) > size {
		wire = append(wire, to(role, first, payload[:size])...)
		first, payload = continuation, payload[size:]
	}
	return append(wire, to(role, fin|first, payload)...)
}

// allocated returns how many bytes f allocates altogether, which the heap's peak
// cannot exceed.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// D34, rows 54 to 61 of the known attacks: 1 GiB in 1 MB, against a limit of 1 MiB.
// All that is ever allocated is what of the message is within the limit, the window
// and a little for the work.
func TestRead_OfABomb_FailsWith1009_AndCostsNoMoreThanTheLimit(t *testing.T) {
	const limit, window, work = 1 << 20, 32 << 10, 64 << 10
	payload := bomb()
	if len(payload) > limit+limit/64 {
		t.Fatalf("the bomb has %d bytes: it would be refused on its header", len(payload))
	}
	reads := maps.Clone(reads)
	reads["Reader"] = func(ctx context.Context, c *conn.Conn) (conn.Message, error) {
		typ, r, err := c.Reader(ctx)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		return conn.Message{Type: typ}, err
	}
	for _, a := range []accord{{15, false}, {15, true}} {
		for _, role := range roles {
			for _, size := range []int{0, 1000, 100_000} {
				for name, read := range reads {
					t.Run(fmt.Sprint(a, " ", role, " ", name, " ", size), func(t *testing.T) {
						least := int64(math.MaxInt64)
						for range 5 { // others may allocate meanwhile
							least = min(least, costOfABomb(t, a, role, payload, size, limit, read))
							if least <= limit+window+work {
								break
							}
						}
						if least > limit+window+work && !raceDetector {
							t.Errorf("%d KiB allocated", least>>10)
						}
					})
				}
			}
		}
	}
}

// costOfABomb returns how much read allocates until it fails as it should.
func costOfABomb(t *testing.T, a accord, role machine.Role, payload string, size int, limit int64, read func(context.Context, *conn.Conn) (conn.Message, error)) int64 {
	t.Helper()
	c, peer := a.against(t, role, conn.Options{MaxMessage: limit})
	if a.takeover { // with a window that is full
		mustWrite(t, peer, to(role, fin|rsv1|binaryData, string(shrunk([]byte(prose(40000, 1)), nil))))
		if _, err := c.Read(bg); err != nil {
			t.Fatal(err)
		}
	}
	mustWrite(t, peer, fragments(role, payload, size))
	peer.CloseWrite()
	runtime.GC() // not in the middle, which would empty the pools
	var err error
	total := allocated(func() { _, err = read(bg, c) })
	if conn.CloseStatus(err) != frame.CloseTooBig {
		t.Fatal(err)
	}
	if got, want := newWire(peer).all(t), []string{"close 1009 message too big when inflated"}; !slices.Equal(got, want) {
		t.Errorf("on the wire: %q, want %q", got, want)
	}
	wantClosed(t, c)
	return total
}

// D34, row 59: the limit is exact, and that of the inflated size.
func TestMaxMessage_HoldsForTheInflatedSize_ToTheByte(t *testing.T) {
	for _, a := range accords {
		for _, role := range roles {
			for _, limit := range []int{1, 100, 5000, 70_000} {
				for _, size := range []int{0, 7} {
					for name, read := range reads {
						c, peer := a.against(t, role, conn.Options{MaxMessage: int64(limit)})
						for range 2 {
							mustWrite(t, peer, fragments(role, string(shrunk(make([]byte, limit), nil)), size))
							m, err := read(bg, c)
							wantMessage(t, m, err, conn.Binary, string(make([]byte, limit)))
						}
						mustWrite(t, peer, fragments(role, string(shrunk(make([]byte, limit+1), nil)), size))
						peer.CloseWrite()
						m, err := read(bg, c)
						if conn.CloseStatus(err) != frame.CloseTooBig {
							t.Errorf("%v, %v, %s: %d bytes, limit %d: %d bytes, %v", a, role, name, limit+1, limit, len(m.Data), err)
						}
					}
				}
			}
		}
	}
}

func TestMaxMessage_Unlimited_TakesWhatever(t *testing.T) {
	for _, role := range roles {
		c, peer := accord{15, false}.against(t, role, conn.Options{MaxMessage: -1})
		want := make([]byte, 3<<20)
		mustWrite(t, peer, to(role, fin|rsv1|binaryData, string(shrunk(want, nil))))
		m, err := c.Read(bg)
		wantMessage(t, m, err, conn.Binary, string(want))
	}
}

// D34: no compressed message that long can be as short as the limit when inflated.
func TestMaxMessage_RefusesACompressedLengthAboveIt_OnTheHeader(t *testing.T) {
	for _, role := range roles {
		for _, declared := range []uint64{1000 + 1000/64 + 64 + 1, 1 << 40, 1<<63 - 1} {
			c, peer := accord{15, false}.against(t, role, conn.Options{MaxMessage: 1000})
			mustWrite(t, peer, head(role, fin|rsv1|binaryData, declared))
			done := make(chan error)
			go func() {
				_, err := c.Read(bg)
				done <- err
			}()
			if got := newWire(peer).mustNext(t).String(); got != "close 1009 message too big" {
				t.Errorf("%v, %d bytes declared: %s", role, declared, got)
			}
			peer.Close()
			if err := <-done; conn.CloseStatus(err) != frame.CloseTooBig {
				t.Errorf("%v, %d bytes declared: %v", role, declared, err)
			}
		}
	}
}

// What does not compress is a little longer compressed, and still a message.
func TestMaxMessage_LeavesRoom_ForWhatDoesNotCompress(t *testing.T) {
	for _, role := range roles {
		for _, limit := range []int{1, 1000, 200_000} {
			c, peer := accord{15, false}.against(t, role, conn.Options{MaxMessage: int64(limit)})
			want := noise(limit, 1)
			mustWrite(t, peer, to(role, fin|rsv1|binaryData, string(shrunk(want, nil))))
			m, err := c.Read(bg)
			wantMessage(t, m, err, conn.Binary, string(want))
		}
	}
}

// "for the messages that begin after it", as for those that are not compressed.
func TestSetMaxMessage_SparesTheCompressedMessageInProgress(t *testing.T) {
	for _, role := range roles {
		c, peer := accord{15, false}.against(t, role, conn.Options{})
		z := string(shrunk(make([]byte, 5000), nil))
		ctx, cancel := context.WithTimeout(bg, 10*time.Second)
		defer cancel()
		mustWrite(t, peer, to(role, rsv1|binaryData, z[:3]))
		mustWrite(t, peer, to(role, pingFrame, "here"))
		go func() { // the Pong shows that the first fragment has been read
			newWire(peer).next()
			cancel()
		}()
		if _, err := c.Read(ctx); err == nil || c.Err() != nil {
			t.Fatal(err)
		}
		c.SetMaxMessage(4999)
		mustWrite(t, peer, to(role, fin|continuation, z[3:]))
		m, err := c.Read(bg)
		wantMessage(t, m, err, conn.Binary, string(make([]byte, 5000)))
		mustWrite(t, peer, to(role, fin|rsv1|binaryData, z))
		peer.CloseWrite()
		if _, err := c.Read(bg); conn.CloseStatus(err) != frame.CloseTooBig {
			t.Error(err)
		}
	}
}

// idleCost returns what a connection costs that has read wire, a message, and has
// written one. It is an average over many; their streams cost next to nothing.
func idleCost(t *testing.T, role machine.Role, mode deflate.Mode, p *deflate.Params, wire string) int64 {
	const conns = 1000
	message := []byte(prose(40000, 1))
	all := make([]*conn.Conn, conns)
	var waiting atomic.Int32
	before := heap()
	for i := range all {
		c := conn.New(&trickle{wire, nil, &waiting}, conn.Config{
			Role: role, Deflate: p,
			Options: conn.Options{PingEvery: -1, Compression: deflate.Options{Mode: mode}},
		})
		all[i] = c
		if _, err := c.Read(bg); err != nil {
			t.Fatal(err)
		}
		if err := c.Write(bg, conn.Text, message); err != nil {
			t.Fatal(err)
		}
	}
	cost := heap() - before
	for _, c := range all {
		c.CloseNow()
	}
	return cost / conns
}

// Row 69: of compression an idle connection holds the windows that it needs to take
// the context over, and nothing else.
func TestMemory_OfAnIdleConnection_IsTheWindowsAlone(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector has memory of its own")
	}
	message := prose(40000, 1)
	for _, role := range roles {
		plain := func() int64 {
			return idleCost(t, role, deflate.Off, nil, string(to(role, fin|text, message)))
		}
		compressed := string(to(role, fin|rsv1|text, string(shrunk([]byte(message), nil))))
		for _, tt := range []struct {
			accord
			mode    deflate.Mode
			allowed int64
		}{
			{accord{15, false}, deflate.NoTakeover, 128}, // what has been agreed on
			{accord{9, true}, deflate.Takeover, 2<<9 + 4<<10},
			{accord{12, true}, deflate.Takeover, 2<<12 + 4<<10},
			{accord{15, true}, deflate.Takeover, 2<<15 + 4<<10},
			{accord{15, true}, deflate.NoTakeover, 1<<15 + 4<<10}, // it is the peer that takes over
		} {
			extra := int64(1 << 62)
			for range 5 { // what other tests left may go meanwhile
				extra = min(extra, idleCost(t, role, tt.mode, tt.params(), compressed)-plain())
				if extra <= tt.allowed {
					break
				}
			}
			if extra > tt.allowed {
				t.Errorf("%v, %v, %v: %d bytes, %d allowed", role, tt.accord, tt.mode, extra, tt.allowed)
			}
		}
	}
}

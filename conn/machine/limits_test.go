package machine

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/frame"
)

// headerOf is the header of a frame with a length in 64 bits, the shortest or not.
func headerOf(sender Role, b0 byte, length uint64) []byte {
	if sender == Client {
		return append(binary.BigEndian.AppendUint64([]byte{b0, 0xff}, length), 0, 0, 0, 0)
	}
	return binary.BigEndian.AppendUint64([]byte{b0, 0x7f}, length)
}

func codeOf(err error) frame.CloseCode {
	if fault, ok := errors.AsType[*frame.ProtocolError](err); ok {
		return fault.Code
	}
	return 0
}

// attacks are headers that brought other software down: by a length that is
// negative, that overflows when it is added to, or for which memory is taken.
var attacks = []struct {
	name    string
	length  uint64
	bounded frame.CloseCode // the fault with a limit of 1024
	free    frame.CloseCode // the fault without a limit
}{
	{"4 GiB", 1 << 32, 1009, 0},
	{"256 MiB", 1 << 28, 1009, 0},
	{"2^53, where a float loses count", 1 << 53, 1009, 0},
	{"2^62", 1 << 62, 1009, 0},
	{"2^63-1, the largest", 1<<63 - 1, 1009, 0},
	{"2^63, negative if signed", 1 << 63, 1002, 1002},
	{"2^63+1, negative if signed", 1<<63 + 1, 1002, 1002},
	{"2^63+2^31", 1<<63 + 1<<31, 1002, 1002},
	{"2^64-2, which wraps with a header added", 1<<64 - 2, 1002, 1002},
	{"2^64-1, or -1", 1<<64 - 1, 1002, 1002},
	{"5 in 64 bits", 5, 1002, 1002},
	{"65535 in 64 bits", 65535, 1002, 1002},
	{"65536 in 64 bits", 65536, 1009, 0},
}

func TestServer_DeclaredLengths_CostNothing(t *testing.T) { declareLengths(t, Server) }
func TestClient_DeclaredLengths_CostNothing(t *testing.T) { declareLengths(t, Client) }

func declareLengths(t *testing.T, role Role) {
	for _, limit := range []uint64{1024, 0} {
		for _, c := range attacks {
			t.Run(fmt.Sprintf("limit %d/%s", limit, c.name), func(t *testing.T) {
				want := c.free
				if limit > 0 {
					want = c.bounded
				}
				for _, b0 := range []byte{0x01, 0x02, 0x81, 0x82} {
					in := headerOf(peer(role), b0, c.length)
					var ev Event
					var n int
					var err error
					if allocs := testing.AllocsPerRun(10, func() {
						e := New(Config{Role: role, MaxMessage: limit})
						n, err = e.Step(&ev, in)
					}); allocs != 0 {
						t.Errorf("%#x: %v allocations", b0, allocs)
					}
					if codeOf(err) != want || ev.Kind != NeedMore || (want != 0) != (n == 0) {
						t.Errorf("%#x: %v, %d bytes taken, want fault %d on the header", b0, err, n, want)
					}
				}
			})
		}
	}
}

func TestStep_WithoutALimit_TakesWhatComesOfAHugeFrame(t *testing.T) {
	for _, role := range []Role{Server, Client} {
		e := New(Config{Role: role})
		var ev Event
		header := headerOf(peer(role), 0x82, 1<<63-1)
		if n, err := e.Step(&ev, header); n != len(header) || err != nil || ev.Kind != NeedMore {
			t.Fatal(role, n, err, ev.Kind)
		}
		left := uint64(1<<63 - 1)
		for _, size := range []int{1, 7, 1 << 16} {
			if got := e.Want(); got != left {
				t.Fatalf("%v: Want is %d, want %d", role, got, left)
			}
			n, err := e.Step(&ev, make([]byte, size))
			if n != size || err != nil || ev.Kind != Data || ev.Last || len(ev.Payload) != size {
				t.Fatalf("%v: %d, %v, %v of %d bytes", role, n, err, ev.Kind, len(ev.Payload))
			}
			left -= uint64(size)
		}
	}
}

func TestStep_SumsThatOverflow_AreRefusedOnTheHeader(t *testing.T) {
	for _, role := range []Role{Server, Client} {
		for _, limit := range []uint64{10, 1024, 1 << 62, 1<<63 - 1} {
			e := New(Config{Role: role, MaxMessage: limit})
			var ev Event
			first := wire(peer(role), 0x02, make([]byte, 10))
			if n, err := e.Step(&ev, first); n != len(first) || err != nil {
				t.Fatal(role, limit, n, err)
			}
			n, err := e.Step(&ev, headerOf(peer(role), 0x80, 1<<63-1))
			if n != 0 || codeOf(err) != 1009 || ev.Kind != NeedMore {
				t.Errorf("%v, limit %d: %d, %v, want 1009", role, limit, n, err)
			}
		}
	}
}

func TestStep_FramesOf2To62_DoNotAddUpToNothing(t *testing.T) {
	for _, role := range []Role{Server, Client} {
		// As if the payload of a first fragment of 2^62 bytes had come.
		e := New(Config{Role: role, MaxMessage: 1 << 62})
		var ev Event
		header := headerOf(peer(role), 0x02, 1<<62)
		if n, err := e.Step(&ev, header); n != len(header) || err != nil {
			t.Fatal(role, n, err)
		}
		e.Receiver.remain = 0
		if n, err := e.Step(&ev, headerOf(peer(role), 0x80, 1<<62)); n != 0 || codeOf(err) != 1009 {
			t.Errorf("%v: %d, %v, want 1009", role, n, err)
		}
	}
}

func TestStep_OneByteFragmentsWithoutEnd_StopAtEitherLimit(t *testing.T) {
	cases := []struct {
		name     string
		config   Config
		payload  string
		want     frame.CloseCode
		accepted int
	}{
		{"message limit", Config{MaxMessage: 1000}, "a", 1009, 1000},
		{"fragment limit", Config{MaxFragments: 16384}, "a", 1008, 16384},
		{"both, the message limit first", Config{MaxMessage: 1000, MaxFragments: 16384}, "a", 1009, 1000},
		{"both, the fragment limit first", Config{MaxMessage: 16384, MaxFragments: 1000}, "a", 1008, 1000},
		{"empty fragments never reach the message limit", Config{MaxMessage: 1, MaxFragments: 500}, "", 1008, 500},
	}
	for _, c := range cases {
		for _, role := range []Role{Server, Client} {
			t.Run(fmt.Sprintf("%v/%s", role, c.name), func(t *testing.T) {
				c.config.Role = role
				e := New(c.config)
				accepted, b0 := 0, byte(0x01)
				for ; accepted < 1<<20; accepted++ {
					var ev Event
					in := wire(peer(role), b0, []byte(c.payload))
					n, err := e.Step(&ev, in)
					if err != nil {
						if codeOf(err) != c.want {
							t.Fatalf("fragment %d: %v, want %d", accepted+1, err, c.want)
						}
						break
					}
					if n != len(in) || ev.Kind != Data || ev.First != (accepted == 0) || ev.Last {
						t.Fatalf("fragment %d: %d, %+v", accepted+1, n, ev)
					}
					b0 = 0x00
				}
				if accepted != c.accepted {
					t.Errorf("%d fragments accepted, want %d", accepted, c.accepted)
				}
			})
		}
	}
}

func TestStep_MillionsOfFragmentsWithoutALimit_CostNothing(t *testing.T) {
	e := New(Config{Role: Client})
	var ev Event
	if _, err := e.Step(&ev, []byte{0x01, 0x00}); err != nil {
		t.Fatal(err)
	}
	empty, one := []byte{0x00, 0x00}, []byte{0x00, 0x01, 'a'}
	if allocs := testing.AllocsPerRun(1_000_000, func() {
		if n, err := e.Step(&ev, empty); n != 2 || err != nil || ev.Last {
			t.Fatal(n, err)
		}
		if n, err := e.Step(&ev, one); n != 3 || err != nil || ev.Last {
			t.Fatal(n, err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestSetMaxMessage_CountsFromTheNextFrameOn(t *testing.T) {
	e := New(Config{Role: Client, MaxMessage: 4})
	step := func(in string) error {
		t.Helper()
		b, err := hex.DecodeString(strings.ReplaceAll(in, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		var ev Event
		_, err = e.Step(&ev, b)
		return err
	}
	if err := step("02 04 00000000"); err != nil {
		t.Fatal(err)
	}
	e.SetMaxMessage(6) // raised: there is room for two more
	if err := step("00 02 0000"); err != nil {
		t.Fatal(err)
	}
	e.SetMaxMessage(3) // lowered below what has come: an empty frame still fits
	if err := step("00 00"); err != nil {
		t.Fatal(err)
	}
	e.SetMaxMessage(0) // none
	if err := step("80 7f 0000000000010000"); err != nil {
		t.Fatal(err)
	}
	e.Receiver.remain, e.Receiver.opcode = 0, 0 // as if the payload had come
	e.SetMaxMessage(3)
	if err := step("82 04"); codeOf(err) != 1009 {
		t.Fatalf("%v, want 1009", err)
	}
}

func TestReceiver_AtRest_IsOneThatANewOneCanReplace(t *testing.T) {
	for _, tc := range []struct {
		name string
		wire string
		rest bool
	}{
		{"nothing", "", true},
		{"a message", "81 01 78", true},
		{"a message of two frames", "01 01 78 80 01 79", true},
		{"a Ping", "89 00", true},
		{"a header", "81 01", false},
		{"half a message", "81 02 78", false},
		{"a first frame", "01 01 78", false},
		{"an empty first frame", "01 00", false},
		{"a Ping in a message", "01 01 78 89 00", false},
		{"a Close", "88 00", false},
		{"a fault", "83 00", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := NewReceiver(Config{Role: Client})
			in, err := hex.DecodeString(strings.ReplaceAll(tc.wire, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			for len(in) > 0 {
				var ev Event
				n, err := r.Step(&ev, in)
				if err != nil || n == 0 {
					break
				}
				in = in[n:]
			}
			if r.AtRest() != tc.rest {
				t.Errorf("%v", !tc.rest)
			}
		})
	}
}

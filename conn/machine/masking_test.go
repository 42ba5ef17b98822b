package machine

import (
	"testing"

	"github.com/swan-ws/websocket/frame"
)

func TestServer_Rejects_UnmaskedFrame(t *testing.T) { rejectMask(t, Server, 0x00, errUnmasked) }
func TestClient_Rejects_MaskedFrame(t *testing.T)   { rejectMask(t, Client, 0x80, errMasked) }

// rejectMask sends the first two bytes, no more, of each frame that were legal but
// for its mask bit.
func rejectMask(t *testing.T, role Role, mask byte, want *frame.ProtocolError) {
	for _, start := range []byte{0x01, 0x02, 0x81, 0x82, 0x88, 0x89, 0x8a} {
		for length := range byte(128) {
			if start >= 0x88 && length > 125 {
				continue
			}
			in := []byte{start, mask | length}
			e := New(Config{Role: role})
			var ev Event
			if n, err := e.Step(&ev, in); n != 0 || err != want || ev.Kind != NeedMore {
				t.Fatalf("% x: %d, %v, %v, want %v", in, n, ev.Kind, err, want)
			}
		}
	}
}

func TestServer_UnmasksInPlace_WithoutCopying(t *testing.T) {
	e := New(Config{Role: Server})
	in := []byte("\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58behind")
	var ev Event
	n, err := e.Step(&ev, in)
	if n != 11 || err != nil || string(ev.Payload) != "Hello" || &ev.Payload[0] != &in[6] {
		t.Fatalf("%d, %v, %q", n, err, ev.Payload)
	}
	if string(in[n:]) != "behind" {
		t.Errorf("what is behind the frame has become %q", in[n:])
	}
}

func TestServer_LeavesAPartialControlFrameAsItIs(t *testing.T) {
	e := New(Config{Role: Server})
	in := []byte("\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")
	var ev Event
	for n := range in {
		if took, err := e.Step(&ev, in[:n:n]); took != 0 || err != nil || ev.Kind != NeedMore {
			t.Fatalf("%d bytes: %d, %v, %v", n, took, ev.Kind, err)
		}
	}
	if n, err := e.Step(&ev, in); n != len(in) || err != nil || ev.Kind != Ping || string(ev.Payload) != "Hello" {
		t.Fatalf("%d, %v, %v %q", n, err, ev.Kind, ev.Payload)
	}
}

func TestClient_ChangesNothingOfWhatItReads(t *testing.T) {
	e := New(Config{Role: Client})
	in := []byte("\x81\x05Hello")
	var ev Event
	if n, err := e.Step(&ev, in); n != 7 || err != nil || string(in) != "\x81\x05Hello" {
		t.Fatalf("%d, %v, %q", n, err, in)
	}
}

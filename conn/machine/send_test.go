package machine

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/frame"
)

func zeroKey() frame.Key { return frame.Key{} }

// wishes are all an application can ask for that puts a frame on the wire.
var wishes = []struct {
	name   string
	append func(e *Endpoint, dst []byte) ([]byte, error)
}{
	{"text", func(e *Endpoint, dst []byte) ([]byte, error) { return e.AppendMessage(dst, frame.OpText, []byte("a")) }},
	{"binary", func(e *Endpoint, dst []byte) ([]byte, error) {
		return e.AppendMessage(dst, frame.OpBinary, []byte("a"))
	}},
	{"fragment", func(e *Endpoint, dst []byte) ([]byte, error) { return e.AppendFragment(dst, frame.OpText, false, nil) }},
	{"header", func(e *Endpoint, dst []byte) ([]byte, error) {
		dst, _, err := e.AppendHeader(dst, frame.OpText, true, 1)
		return dst, err
	}},
	{"ping", func(e *Endpoint, dst []byte) ([]byte, error) { return e.AppendPing(dst, nil) }},
	{"pong", func(e *Endpoint, dst []byte) ([]byte, error) { return e.AppendPong(dst, nil) }},
	{"close", func(e *Endpoint, dst []byte) ([]byte, error) { return e.AppendClose(dst, 1000, "") }},
}

// state is all that Append methods can change.
type state struct {
	closeSent bool
	opcode    frame.Opcode
}

func (e *Endpoint) state() state { return state{e.Sender.closeSent, e.Sender.opcode} }

func TestAppend_Refusals_ChangeNothing(t *testing.T) {
	long := make([]byte, 126)
	message := func(op frame.Opcode, fin bool) func(*Endpoint, []byte) ([]byte, error) {
		return func(e *Endpoint, dst []byte) ([]byte, error) { return e.AppendFragment(dst, op, fin, []byte("a")) }
	}
	closing := func(code frame.CloseCode, reason string) func(*Endpoint, []byte) ([]byte, error) {
		return func(e *Endpoint, dst []byte) ([]byte, error) { return e.AppendClose(dst, code, reason) }
	}
	cases := []struct {
		name   string
		append func(e *Endpoint, dst []byte) ([]byte, error)
		says   string // what to do instead is part of the error
	}{
		{"message of opcode continuation", message(frame.OpContinuation, true), "use text or binary"},
		{"message of a control opcode", message(frame.OpPing, true), "use text or binary"},
		{"message of a reserved opcode", message(0x3, true), "use text or binary"},
		{"message of an opcode above four bits", message(0x11, true), "use text or binary"},
		{"whole text inside a text", wishes[0].append, "end it before"},
		{"binary message inside a text", message(frame.OpBinary, true), "end it before"},
		{"binary fragment inside a text", message(frame.OpBinary, false), "end it before"},
		{"ping of 126 bytes", func(e *Endpoint, dst []byte) ([]byte, error) { return e.AppendPing(dst, long) }, "at most 125"},
		{"pong of 126 bytes", func(e *Endpoint, dst []byte) ([]byte, error) { return e.AppendPong(dst, long) }, "at most 125"},
		{"close with a code that is not for the wire", closing(1006, ""), "use 1000-1003, 1007-1014 or 3000-4999"},
		{"close with a reserved code", closing(1004, ""), "use 1000-1003, 1007-1014 or 3000-4999"},
		{"close with a reason, but no code", closing(frame.CloseNoStatus, "bye"), "give a code"},
		{"close with a reason of 124 bytes", closing(1000, strings.Repeat("x", 124)), "at most 123"},
		{"close with a reason that is not UTF-8", closing(1000, "\xff"), "not valid UTF-8"},
	}
	for _, c := range cases {
		for _, role := range []Role{Server, Client} {
			t.Run(fmt.Sprintf("%v/%s", role, c.name), func(t *testing.T) {
				e := New(Config{Role: role, NewKey: func() frame.Key { t.Error("a key was spent"); return frame.Key{} }})
				e.Sender.opcode = frame.OpText // a fragmented text is under way
				checkRefused(t, &e, c.append, c.says)
			})
		}
	}
	t.Run("server/close with 1010", func(t *testing.T) {
		e := New(Config{Role: Server})
		checkRefused(t, &e, closing(frame.CloseMandatoryExtension, ""), "for clients")
	})
}

func checkRefused(t *testing.T, e *Endpoint, wish func(*Endpoint, []byte) ([]byte, error), says string) error {
	t.Helper()
	backing := []byte("before and behind")
	dst, was := backing[:6:len(backing)], e.state()
	got, err := wish(e, dst)
	switch {
	case err == nil:
		t.Errorf("not refused: % x", got)
	case !strings.Contains(err.Error(), says):
		t.Errorf("refused with %q, want it to say %q", err, says)
	}
	if string(got) != "before" || string(backing) != "before and behind" || e.state() != was {
		t.Errorf("refused, but dst is %q of %q and the state %+v, was %+v", got, backing, e.state(), was)
	}
	return err
}

func TestAppend_AfterClose_IsRefused(t *testing.T) {
	enders := []struct {
		name string
		end  func(e *Endpoint) []byte
	}{
		{"AppendClose", func(e *Endpoint) []byte { out, _ := e.AppendClose(nil, 1000, ""); return out }},
		{"AppendFail", func(e *Endpoint) []byte { return e.AppendFail(nil, errTooBig) }},
		{"AppendReply", func(e *Endpoint) []byte { return e.AppendReply(nil, &Event{Kind: Close, Code: 1000}) }},
	}
	for _, ender := range enders {
		for _, role := range []Role{Server, Client} {
			for _, wish := range wishes {
				t.Run(fmt.Sprintf("%v/%s/%s", role, ender.name, wish.name), func(t *testing.T) {
					e := New(Config{Role: role})
					if e.CloseSent() || len(ender.end(&e)) == 0 || !e.CloseSent() {
						t.Fatal("no Close frame")
					}
					if err := checkRefused(t, &e, wish.append, "Close frame has been sent"); !errors.Is(err, ErrCloseSent) {
						t.Errorf("%v is not ErrCloseSent", err)
					}
					if err := e.CheckMessage(frame.OpText); !errors.Is(err, ErrCloseSent) {
						t.Errorf("CheckMessage: %v is not ErrCloseSent", err)
					}
				})
			}
		}
	}
}

func TestAppendReply_AfterClose_StillAnswersAPing_ButNoClose(t *testing.T) {
	for _, role := range []Role{Server, Client} {
		e := New(Config{Role: role, NewKey: zeroKey})
		if _, err := e.AppendClose(nil, frame.CloseGoingAway, ""); err != nil {
			t.Fatal(err)
		}
		got := e.AppendReply(nil, &Event{Kind: Ping, Payload: []byte("still there?")})
		if want := wire(role, 0x8a, []byte("still there?")); !bytes.Equal(got, want) {
			t.Errorf("%v: answered with % x, want % x", role, got, want)
		}
		if got := e.AppendReply(nil, &Event{Kind: Close, Code: frame.CloseNormal}); len(got) != 0 {
			t.Errorf("%v: a second Close: % x", role, got)
		}
	}
}

func TestAppendReply_AnswersNothingElse(t *testing.T) {
	e := New(Config{Role: Server})
	for _, kind := range []Kind{NeedMore, Data, Pong} {
		if got := e.AppendReply(nil, &Event{Kind: kind, Opcode: frame.OpText, Payload: []byte("a")}); len(got) != 0 {
			t.Errorf("%v: answered with % x", kind, got)
		}
	}
}

func TestAppendReply_EchoesTheCodeWithoutTheReason(t *testing.T) {
	for _, role := range []Role{Server, Client} {
		e := New(Config{Role: role, NewKey: zeroKey})
		got := e.AppendReply([]byte("before"), &Event{Kind: Close, Code: 4321, Payload: []byte("because")})
		if want := append([]byte("before"), wire(role, 0x88, []byte{0x10, 0xe1})...); !bytes.Equal(got, want) {
			t.Errorf("%v: % x, want % x", role, got, want)
		}
	}
}

func TestAppendReply_LeavesThePayloadOfThePingAlone(t *testing.T) {
	e := New(Config{Role: Client, NewKey: func() frame.Key { return frame.Key{1, 2, 3, 4} }})
	ev := Event{Kind: Ping, Payload: []byte("Hello")}
	e.AppendReply(nil, &ev)
	if string(ev.Payload) != "Hello" {
		t.Errorf("masked where it lies: %q", ev.Payload)
	}
}

func TestAppendFail_SendsTheCodeTheErrorDeserves(t *testing.T) {
	fault := &frame.ProtocolError{Code: frame.CloseTooBig, Section: "10.4", Reason: "too much"}
	cases := []struct {
		name string
		err  error
		want string
	}{
		{"a fault", fault, "\x03\xf1too much"},
		{"a fault inside another error", fmt.Errorf("reading: %w", fault), "\x03\xf1too much"},
		{"any other error, which is no business of the peer's", errors.New("the database is at 10.0.0.7"), "\x03\xf3"},
		{"no error", nil, "\x03\xf3"},
	}
	for _, c := range cases {
		for _, role := range []Role{Server, Client} {
			t.Run(fmt.Sprintf("%v/%s", role, c.name), func(t *testing.T) {
				e := New(Config{Role: role, NewKey: zeroKey})
				if got, want := e.AppendFail(nil, c.err), wire(role, 0x88, []byte(c.want)); !bytes.Equal(got, want) {
					t.Errorf("% x, want % x", got, want)
				}
				if got := e.AppendFail([]byte("before"), c.err); string(got) != "before" {
					t.Errorf("a second Close: %q", got)
				}
			})
		}
	}
}

func TestFaults_FitACloseFrame(t *testing.T) {
	faults := []*frame.ProtocolError{errUnmasked, errMasked, errReservedBits, errContinuation, errInterleaved, errNotUTF8, errTooBig, errFragments}
	for _, fault := range faults {
		if err := checkClose(Server, fault.Code, fault.Reason); err != nil {
			t.Errorf("%v: %v", fault, err)
		}
	}
}

func TestClient_MasksEachFrameWithAFreshKey(t *testing.T) {
	drawn := 0
	e := New(Config{Role: Client, NewKey: func() frame.Key {
		drawn++
		return frame.Key{byte(drawn), 0xaa, 0xbb, 0xcc}
	}})
	for i, wish := range wishes {
		out, err := wish.append(&e, nil)
		if err != nil {
			t.Fatalf("%s: %v", wish.name, err)
		}
		var h frame.Header
		n, err := h.Parse(out)
		if err != nil || n == 0 || !h.Masked || h.Key != (frame.Key{byte(i + 1), 0xaa, 0xbb, 0xcc}) {
			t.Errorf("%s: % x, %v: want key number %d", wish.name, out, err, i+1)
		}
		if wish.name == "header" {
			continue // its payload is the driver's
		}
		payload := out[n:]
		if frame.Mask(payload, h.Key, 0); uint64(len(payload)) != h.Length || !isPayload(payload) {
			t.Errorf("%s: unmasked: %q", wish.name, payload)
		}
	}
	if drawn != len(wishes) {
		t.Errorf("%d keys for %d frames", drawn, len(wishes))
	}
}

func TestClient_WithoutNewKey_DrawsFromTheSystem(t *testing.T) {
	e := New(Config{Role: Client})
	seen := map[string]bool{}
	for range 100 {
		out, err := e.AppendMessage(nil, frame.OpText, []byte("the same"))
		if err != nil {
			t.Fatal(err)
		}
		seen[string(out)] = true
	}
	if len(seen) < 99 { // 1 pair in 850 000 runs by chance
		t.Errorf("%d different frames of 100", len(seen))
	}
}

func TestServer_SpendsNoKeyAndSendsNoMask(t *testing.T) {
	e := New(Config{Role: Server, NewKey: func() frame.Key { t.Error("a key was spent"); return frame.Key{1} }})
	for _, wish := range wishes {
		out, err := wish.append(&e, nil)
		if err != nil || out[1]&0x80 != 0 {
			t.Errorf("%s: % x, %v", wish.name, out, err)
		}
	}
}

// isPayload: nothing but what wishes put in their frames.
func isPayload(p []byte) bool {
	for _, b := range p {
		if b != 'a' && b != 0x03 && b != 0xe8 {
			return false
		}
	}
	return true
}

func TestAppendMessage_OnlyReadsItsPayload(t *testing.T) {
	e := New(Config{Role: Client, NewKey: func() frame.Key { return frame.Key{1, 2, 3, 4} }})
	p := []byte("Hello")
	out, err := e.AppendMessage(nil, frame.OpText, p)
	if err != nil || string(p) != "Hello" {
		t.Errorf("%q, %v", p, err)
	}
	if want := "\x81\x85\x01\x02\x03\x04"; !strings.HasPrefix(string(out), want) {
		t.Errorf("% x, want it to start with % x", out, want)
	}
}

func TestAppendHeader_LeavesThePayloadToTheDriver(t *testing.T) {
	for _, role := range []Role{Server, Client} {
		key := frame.Key{1, 2, 3, 4}
		e := New(Config{Role: role, NewKey: func() frame.Key { return key }})
		for _, length := range []uint64{0, 125, 126, 65535, 65536, math.MaxInt64} {
			got, gotKey, err := e.AppendHeader([]byte("before"), frame.OpBinary, true, length)
			h := frame.Header{Fin: true, Opcode: frame.OpBinary, Length: length}
			if role == Client {
				h.Masked, h.Key = true, key
			}
			if err != nil || gotKey != h.Key || !bytes.Equal(got, h.Append([]byte("before"))) {
				t.Errorf("%v, length %d: % x, key % x, %v", role, length, got, gotKey, err)
			}
		}
	}
}

func TestCheckMessage_SaysWhatAppendWould(t *testing.T) {
	e := New(Config{Role: Server})
	if err := e.CheckMessage(frame.OpText); err != nil {
		t.Error(err)
	}
	if err := e.CheckMessage(frame.OpClose); err == nil {
		t.Error("close is the opcode of no message")
	}
	if _, err := e.AppendFragment(nil, frame.OpText, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := e.CheckMessage(frame.OpBinary); err == nil {
		t.Error("a binary message may not stand inside a text")
	}
	if err := e.CheckMessage(frame.OpText); err != nil {
		t.Error(err)
	}
}

func TestAppend_IntoABigEnoughBuffer_AllocatesNothing(t *testing.T) {
	p := make([]byte, 70000)
	dst := make([]byte, 0, 1<<18)
	for _, role := range []Role{Server, Client} {
		// That frame.NewKey allocates nothing is tested there.
		e := New(Config{Role: role, NewKey: zeroKey})
		if allocs := testing.AllocsPerRun(100, func() {
			dst, _ = e.AppendMessage(dst[:0], frame.OpText, p[:10])
			dst, _ = e.AppendMessage(dst, frame.OpBinary, p)
			dst, _ = e.AppendFragment(dst, frame.OpText, false, p[:1000])
			dst, _ = e.AppendPing(dst, p[:125])
			dst, _ = e.AppendPong(dst, p[:125])
			dst, _ = e.AppendFragment(dst, frame.OpText, true, p[:1000])
		}); allocs != 0 {
			t.Errorf("%v: %v allocations", role, allocs)
		}
		if allocs := testing.AllocsPerRun(100, func() {
			closing := e
			dst, _ = closing.AppendClose(dst[:0], frame.CloseGoingAway, "a reason to go")
		}); allocs != 0 {
			t.Errorf("%v: %v allocations for a Close", role, allocs)
		}
	}
}

func TestHalves_ShareNothing(t *testing.T) {
	// Under the race detector: one goroutine reads while another writes.
	e := New(Config{Role: Server})
	done := make(chan struct{})
	go func() {
		defer close(done)
		var dst []byte
		for range 1000 {
			dst, _ = e.AppendMessage(dst[:0], frame.OpText, []byte("out"))
		}
		e.AppendFail(nil, errTooBig)
	}()
	for range 1000 {
		var ev Event
		if _, err := e.Step(&ev, wire(Client, 0x81, []byte("in"))); err != nil || ev.Kind != Data {
			t.Error(ev.Kind, err)
		}
		e.SetMaxMessage(e.Want() + 1000)
	}
	<-done
}

func TestNames(t *testing.T) {
	for want, got := range map[string]fmt.Stringer{
		"server": Server, "client": Client, "role 7": Role(7),
		"need more": NeedMore, "data": Data, "ping": Ping, "pong": Pong, "close": Close, "unknown": Kind(99),
	} {
		if got.String() != want {
			t.Errorf("%#v: %q, want %q", got, got, want)
		}
	}
}

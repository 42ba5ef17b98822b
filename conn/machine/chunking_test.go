package machine

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/swan-ws/websocket/frame"
)

// A cutting says how long the pieces are in which bytes arrive, again from its
// start when it is at its end. The empty one is no cutting at all.
type cutting []byte

func (c cutting) pieces(stream []byte) (pieces [][]byte) {
	if len(c) == 0 {
		return [][]byte{stream}
	}
	for i := 0; len(stream) > 0; i++ {
		n := min(int(c[i%len(c)])+1, len(stream)) // never empty
		pieces = append(pieces, stream[:n])
		stream = stream[n:]
	}
	return pieces
}

// played feeds stream as cut, and returns the player with all that has happened.
func played(config Config, stream []byte, c cutting) (*player, error) {
	p := newPlayer(config)
	p.showEnd = true
	for _, piece := range c.pieces(stream) {
		if err := p.feed(piece); err != nil {
			return p, fmt.Errorf("cut by % x: %w", []byte(c), err)
		}
	}
	return p, nil
}

// checkCuttings returns an error unless all that happens is the same however
// stream is cut: what the application is told, what is sent, and the fault.
func checkCuttings(config Config, stream []byte, cuttings ...cutting) error {
	whole, err := played(config, stream, nil)
	if err != nil {
		return err
	}
	for _, c := range append(cuttings, cutting{0}) {
		cut, err := played(config, stream, c)
		if err != nil {
			return err
		}
		switch {
		case !slices.Equal(cut.history, whole.history):
			return fmt.Errorf("cut by % x:\n got %q\nwant %q", []byte(c), cut.history, whole.history)
		case cut.fault != whole.fault:
			return fmt.Errorf("cut by % x: fault %v, want %v", []byte(c), cut.fault, whole.fault)
		case cut.fault == nil && !bytes.Equal(cut.message, whole.message):
			return fmt.Errorf("cut by % x: of the unfinished message %q, want %q", []byte(c), cut.message, whole.message)
		// A fault in a text takes with it what came in the same piece.
		case !bytes.HasPrefix(cut.message, whole.message):
			return fmt.Errorf("cut by % x: of the unfinished message %q, want %q and perhaps more", []byte(c), cut.message, whole.message)
		}
	}
	return nil
}

// traffic is what a peer may send, most of it legal.
type traffic struct {
	r      *rand.Rand
	sender Role
	inside bool
	text   []byte // of the text under way, what is not sent
}

const sentence = "Dies ist ein Text: κόσμε, ελληνικά, 日本語, 😀😀, and then some ASCII to fill the buffer."

// stream returns frames, at most 12 of them, and now and then something else.
func (g *traffic) stream() (out []byte) {
	for range 1 + g.r.IntN(12) {
		switch g.r.IntN(10) {
		case 0, 1:
			out = g.frame(out, byte(0x89+g.r.IntN(2)), g.bytes(g.r.IntN(126)))
		case 2:
			if g.r.IntN(4) == 0 {
				payload := frame.AppendClose(nil, frame.CloseCode(995+g.r.IntN(30)), sentence[:g.r.IntN(60)])
				out = g.frame(out, 0x88, payload[:min(len(payload), g.r.IntN(64))])
			}
		default:
			out = g.data(out)
		}
		if g.r.IntN(25) == 0 {
			out = g.damage(out)
		}
	}
	return out
}

// data appends the next fragment of the message under way, or of a new one.
func (g *traffic) data(out []byte) []byte {
	fin := byte(g.r.IntN(2)) << 7
	opcode := byte(0x0)
	if !g.inside {
		opcode = byte(0x1 + g.r.IntN(2))
		g.text = nil
		if opcode == 0x1 {
			g.text = []byte(sentence)
		}
	}
	payload := g.bytes([]int{g.r.IntN(8), g.r.IntN(200), g.r.IntN(2000)}[g.r.IntN(3)])
	if g.text != nil || opcode == 0x1 {
		n := g.r.IntN(len(g.text) + 1)
		if fin != 0 {
			n = len(g.text)
		}
		payload, g.text = g.text[:n:n], g.text[n:]
	}
	g.inside = fin == 0
	if fin != 0 {
		g.text = nil
	}
	return g.frame(out, fin|opcode, payload)
}

func (g *traffic) frame(out []byte, b0 byte, payload []byte) []byte {
	h := frame.Header{Fin: b0&0x80 != 0, Opcode: frame.Opcode(b0 & 15), Length: uint64(len(payload)), Masked: g.sender == Client}
	if h.Masked {
		h.Key = frame.Key(g.bytes(4))
	}
	out = append(h.Append(out), payload...)
	frame.Mask(out[len(out)-len(payload):], h.Key, 0)
	return out
}

// damage changes, adds or takes away something of the last bytes.
func (g *traffic) damage(out []byte) []byte {
	at := g.r.IntN(len(out) + 1)
	switch g.r.IntN(4) {
	case 0:
		if at < len(out) {
			out[at] ^= 1 << g.r.IntN(8)
		}
	case 1:
		return append(out, g.bytes(1+g.r.IntN(20))...)
	case 2:
		return out[:at]
	case 3: // a header of any kind
		return append(out, byte(g.r.IntN(256)), byte(g.r.IntN(256)), 0, byte(g.r.IntN(256)))
	}
	return out
}

func (g *traffic) bytes(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(g.r.Uint32())
	}
	return p
}

func TestServer_SameEvents_HoweverTheBytesAreCut(t *testing.T) { cutTraffic(t, Server) }
func TestClient_SameEvents_HoweverTheBytesAreCut(t *testing.T) { cutTraffic(t, Client) }

func cutTraffic(t *testing.T, role Role) {
	outcomes := map[string]int{}
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 6455))
		g := &traffic{r: r, sender: peer(role)}
		stream := g.stream()
		config := Config{Role: role}
		if seed%4 == 0 {
			config.MaxMessage, config.MaxFragments = uint64(1+r.IntN(2000)), 1+r.IntN(4)
		}
		cuttings := []cutting{{1}, {2, 0}, g.bytes(1 + r.IntN(8)), g.bytes(1 + r.IntN(64))}
		if err := checkCuttings(config, stream, cuttings...); err != nil {
			t.Fatalf("seed %d, limits %d and %d, % x:\n%v", seed, config.MaxMessage, config.MaxFragments, stream, err)
		}
		outcomes[outcome(config, stream)]++
	}
	// Were all streams faulty, or none, the test would say little.
	for _, what := range []string{"", "1002", "1007", "1008", "1009"} {
		if outcomes[what] < 10 {
			t.Errorf("only %d streams end with %q: %v", outcomes[what], what, outcomes)
		}
	}
}

func outcome(config Config, stream []byte) string {
	p, _ := played(config, stream, nil)
	if fault, ok := errors.AsType[*frame.ProtocolError](p.fault); ok {
		return fmt.Sprint(uint16(fault.Code))
	}
	return ""
}

// A fault must not depend on how much has arrived: what the first two bytes show
// comes before what a length shows.
func TestStep_TwoFaultsInOneHeader_TheSameOneIsFound(t *testing.T) {
	for _, role := range []Role{Server, Client} {
		for b0 := range 256 {
			for b1 := range 256 {
				// A length of 1 in two bytes, of 2^48 in eight.
				stream := []byte{byte(b0), byte(b1), 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
				if err := checkCuttings(Config{Role: role}, stream, cutting{1}, cutting{2}); err != nil {
					t.Fatalf("%v, % x: %v", role, stream, err)
				}
				// A length of 0 in two bytes, one with its top bit set in eight.
				stream[2], stream[3] = (byte(b1)&1)<<7, 0
				if err := checkCuttings(Config{Role: role}, stream, cutting{1}, cutting{2}); err != nil {
					t.Fatalf("%v, % x: %v", role, stream, err)
				}
			}
		}
	}
}

func TestStep_AllocatesNothing(t *testing.T) {
	for _, role := range []Role{Server, Client} {
		var streams [][]byte
		for seed := range uint64(100) {
			g := &traffic{r: rand.New(rand.NewPCG(seed, 7)), sender: peer(role)}
			streams = append(streams, g.stream())
		}
		in, out := make([]byte, 1<<20), make([]byte, 0, 1<<20)
		var ev Event
		if allocs := testing.AllocsPerRun(10, func() {
			for _, stream := range streams {
				e := New(Config{Role: role, MaxMessage: 2000, NewKey: zeroKey})
				rest := in[:copy(in, stream)]
				for {
					n, err := e.Step(&ev, rest)
					if err != nil {
						out = e.AppendFail(out[:0], err)
						break
					}
					if ev.Kind == NeedMore {
						break
					}
					out = e.AppendReply(out[:0], &ev)
					rest = rest[n:]
				}
			}
		}); allocs != 0 {
			t.Errorf("%v: %v allocations", role, allocs)
		}
	}
}

func FuzzStep_AnyChunking(f *testing.F) {
	for seed := range uint64(8) {
		g := &traffic{r: rand.New(rand.NewPCG(seed, 5)), sender: Role(seed % 2)}
		f.Add(g.sender == Client, uint16(seed*100), uint8(seed), g.stream(), g.bytes(3))
	}
	f.Fuzz(func(t *testing.T, server bool, limit uint16, fragments uint8, stream, cut []byte) {
		config := Config{Role: Client, MaxMessage: uint64(limit), MaxFragments: int(fragments)}
		if server {
			config.Role = Server
		}
		if err := checkCuttings(config, stream, cutting(cut)); err != nil {
			t.Fatal(err)
		}
	})
}

package machine

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/swan-ws/websocket/frame"
)

// A player drives an Endpoint as a connection would, and writes down what happens
// in the words of testdata/README.md: "= text ...", "< ...", "! 1002 §5.5", "-".
type player struct {
	e       Endpoint
	role    Role
	history []string
	showEnd bool // write down the Close frame after a fault

	ev      Event
	buf     []byte // from the peer, not taken yet
	message []byte // told so far of the message in progress
	opcode  frame.Opcode
	deflate bool // the message in progress is compressed
	inside  bool // the message in progress is not at its end
	closed  bool
	fault   error

	fed, steps int
}

func newPlayer(c Config) *player {
	if c.NewKey == nil {
		c.NewKey = func() frame.Key { return frame.Key{} }
	}
	return &player{e: New(c), role: c.Role}
}

// feed offers the next bytes from the peer until more are wanted. The errors are
// promises broken, of whatever kind.
func (p *player) feed(piece []byte) error {
	p.buf = append(p.buf, piece...)
	p.fed += len(piece)
	for {
		p.steps++
		if p.steps > 4*p.fed+64 {
			return fmt.Errorf("%d steps for %d bytes", p.steps, p.fed)
		}
		n, err := p.e.Step(&p.ev, p.buf)
		if n < 0 || n > len(p.buf) {
			return fmt.Errorf("took %d of %d bytes", n, len(p.buf))
		}
		if err != nil {
			return p.failed(n, err)
		}
		if p.fault != nil {
			return fmt.Errorf("after the fault %v: %v, %d bytes taken", p.fault, p.ev.Kind, n)
		}
		offered := len(p.buf)
		p.buf = p.buf[n:]
		if p.ev.Kind == NeedMore {
			if n != 0 && n != offered {
				return fmt.Errorf("took %d of %d bytes and wants more", n, offered)
			}
			return nil
		}
		if n == 0 || p.closed {
			return fmt.Errorf("a %v out of nothing, or after Close", p.ev.Kind)
		}
		if err := p.told(&p.ev); err != nil {
			return err
		}
	}
}

func (p *player) told(ev *Event) error {
	switch ev.Kind {
	case Data:
		return p.data(ev)
	case Ping, Pong:
		p.note("= %v %q", ev.Kind, ev.Payload)
	case Close:
		p.closed = true
		p.note("= close %d %q", ev.Code, ev.Payload)
	default:
		return fmt.Errorf("an event of kind %d", ev.Kind)
	}
	if reply := p.e.AppendReply(nil, ev); len(reply) > 0 {
		p.note("< %x", reply)
	}
	return nil
}

func (p *player) data(ev *Event) error {
	if ev.First == p.inside {
		return fmt.Errorf("First is %v, inside a message: %v", ev.First, p.inside)
	}
	if ev.First {
		p.message, p.opcode, p.deflate = nil, ev.Opcode, ev.Compressed
	}
	if ev.Compressed != p.deflate {
		return fmt.Errorf("a piece with Compressed %v in a message with %v", ev.Compressed, p.deflate)
	}
	if ev.Opcode != p.opcode || ev.Opcode != frame.OpText && ev.Opcode != frame.OpBinary {
		return fmt.Errorf("a piece of %v in a message of %v", ev.Opcode, p.opcode)
	}
	if reply := p.e.AppendReply(nil, ev); len(reply) > 0 {
		return fmt.Errorf("a message was answered: % x", reply)
	}
	p.message = append(p.message, ev.Payload...)
	p.inside = !ev.Last
	if ev.Last {
		p.note("%s", toldMessage(p.deflate, p.opcode.String(), p.message))
		p.message = nil
	}
	return nil
}

// failed writes the fault down, the first time, and looks at the Close frame.
func (p *player) failed(n int, err error) error {
	fault, ok := errors.AsType[*frame.ProtocolError](err)
	switch {
	case !ok:
		return fmt.Errorf("an error that is no fault: %v", err)
	case n != 0 || p.ev.Kind != NeedMore:
		return fmt.Errorf("a fault, and %v, and %d bytes taken", p.ev.Kind, n)
	case p.closed:
		return fmt.Errorf("a fault after Close: %v", err)
	case p.fault != nil && p.fault != err:
		return fmt.Errorf("the fault was %v and is now %v", p.fault, err)
	case p.fault != nil:
		return nil
	}
	p.fault = err
	section := fault.Section
	if !strings.Contains(section, "§") {
		section = "§" + section
	}
	p.note("! %d %s", fault.Code, section)
	sent := p.e.CloseSent()
	out := p.e.AppendFail(nil, err)
	if again := p.e.AppendFail(nil, err); len(again) != 0 {
		return fmt.Errorf("a second Close frame: % x", again)
	}
	if sent {
		if len(out) != 0 {
			return fmt.Errorf("a Close frame after another: % x", out)
		}
		return nil
	}
	if p.showEnd {
		p.note("< %x", out)
	}
	payload := append([]byte{byte(fault.Code >> 8), byte(fault.Code)}, fault.Reason...)
	if want := wire(p.role, 0x88, payload); !bytes.Equal(out, want) {
		return fmt.Errorf("the Close frame for %v:\n got % x\nwant % x", err, out, want)
	}
	return nil
}

func (p *player) note(format string, args ...any) {
	p.history = append(p.history, fmt.Sprintf(format, args...))
}

// sent writes down what an Append method made of the application's wish.
func (p *player) sent(out []byte, err error) error {
	if err != nil {
		p.note("-")
		if len(out) != 0 {
			return fmt.Errorf("refused (%v), but appended % x", err, out)
		}
		return nil
	}
	p.note("< %x", out)
	return nil
}

// wire is a frame as sender writes it, by §5.2, with b0 as its first byte. The key of
// a client is zero.
func wire(sender Role, b0 byte, payload []byte) []byte {
	var mask byte
	if sender == Client {
		mask = 0x80
	}
	n := len(payload)
	out := []byte{b0}
	switch {
	case n <= 125:
		out = append(out, mask|byte(n))
	case n <= 65535:
		out = append(out, mask|126, byte(n>>8), byte(n))
	default:
		out = append(out, mask|127, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	if sender == Client {
		out = append(out, 0, 0, 0, 0)
	}
	return append(out, payload...)
}

// peer is the other side.
func peer(r Role) Role {
	if r == Server {
		return Client
	}
	return Server
}

package machine

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/swan-ws/websocket/frame"
)

// ErrCloseSent is returned for what may not follow a Close frame. §5.5.1: "The
// application MUST NOT send any more data frames after sending a Close frame."
var ErrCloseSent = errors.New("a Close frame has been sent: nothing may follow it")

var errMessageOpen = errors.New("a fragmented message is not finished: end it before another one (§5.4)")

// A Sender is the half of an Endpoint that belongs to whoever writes.
type Sender struct {
	newKey    func() frame.Key
	role      Role
	closeSent bool
	opcode    frame.Opcode // of the message being sent in fragments; 0 between messages
}

// NewSender returns one in the OPEN state.
func NewSender(c Config) Sender {
	if c.NewKey == nil {
		c.NewKey = frame.NewKey
	}
	return Sender{role: c.Role, newKey: c.NewKey}
}

// CloseSent reports whether a Close frame has been appended.
func (o *Sender) CloseSent() bool { return o.closeSent }

// AppendMessage appends p as a message of one frame. The opcode is
// frame.OpText, for which p must be UTF-8 (not checked here), or
// frame.OpBinary. p is only read.
func (o *Sender) AppendMessage(dst []byte, opcode frame.Opcode, p []byte) ([]byte, error) {
	if o.opcode != 0 {
		return dst, errMessageOpen
	}
	return o.AppendFragment(dst, opcode, true, p)
}

// AppendFragment appends p as the next frame of a message (§5.4); fin ends the
// message. All fragments of a message are given the message's opcode.
func (o *Sender) AppendFragment(dst []byte, opcode frame.Opcode, fin bool, p []byte) ([]byte, error) {
	return o.appendFragment(dst, 0, opcode, fin, p)
}

// AppendDeflated is AppendFragment of a message that has been compressed (7692
// §6.1): its first frame is marked so, and all its fragments go this way.
func (o *Sender) AppendDeflated(dst []byte, opcode frame.Opcode, fin bool, p []byte) ([]byte, error) {
	return o.appendFragment(dst, frame.RSV1, opcode, fin, p)
}

func (o *Sender) appendFragment(dst []byte, rsv byte, opcode frame.Opcode, fin bool, p []byte) ([]byte, error) {
	h := frame.Header{Fin: fin, RSV: rsv, Opcode: opcode, Length: uint64(len(p))}
	if err := o.begin(&h); err != nil {
		return dst, err
	}
	dst = append(o.header(dst, &h), p...)
	if h.Masked {
		frame.Mask(dst[len(dst)-len(p):], h.Key, 0)
	}
	return dst, nil
}

// CheckMessage reports why a frame of a message with that opcode may not be sent
// now, or nil. The Append methods check by themselves; it is for drivers that
// send frames made earlier.
func (o *Sender) CheckMessage(opcode frame.Opcode) error {
	if (opcode == frame.OpText || opcode == frame.OpBinary) && o.opcode == 0 && !o.closeSent {
		return nil
	}
	return o.checkFragment(opcode)
}

// checkFragment is CheckMessage that sees everything.
func (o *Sender) checkFragment(opcode frame.Opcode) error {
	switch {
	case o.closeSent:
		return ErrCloseSent
	case opcode != frame.OpText && opcode != frame.OpBinary:
		return fmt.Errorf("opcode %v is not that of a message: use text or binary", opcode)
	case o.opcode != 0 && o.opcode != opcode:
		return fmt.Errorf("a fragmented %v message is not finished: end it before a %v one (§5.4)", o.opcode, opcode)
	}
	return nil
}

// AppendHeader is AppendFragment without the payload, for drivers that write it
// from where it lies. A client masks it with key first. length is below 2^63.
func (o *Sender) AppendHeader(dst []byte, opcode frame.Opcode, fin bool, length uint64) (_ []byte, key frame.Key, err error) {
	h := frame.Header{Fin: fin, Opcode: opcode, Length: length}
	if err := o.begin(&h); err != nil {
		return dst, key, err
	}
	dst = o.header(dst, &h)
	return dst, h.Key, nil
}

// begin makes h the header of the next frame of a message.
func (o *Sender) begin(h *frame.Header) error {
	if err := o.CheckMessage(h.Opcode); err != nil {
		return err
	}
	opcode := h.Opcode
	if o.opcode != 0 {
		h.Opcode, h.RSV = frame.OpContinuation, 0
	}
	o.opcode = opcode
	if h.Fin {
		o.opcode = 0
	}
	return nil
}

// AppendPing appends a Ping with at most 125 bytes of payload (§5.5.2).
func (o *Sender) AppendPing(dst, payload []byte) ([]byte, error) {
	return o.command(dst, frame.OpPing, payload)
}

// AppendPong appends a Pong that no Ping asked for, with at most 125 bytes of
// payload (§5.5.3). Answers to Pings are AppendReply's.
func (o *Sender) AppendPong(dst, payload []byte) ([]byte, error) {
	return o.command(dst, frame.OpPong, payload)
}

// AppendClose appends a Close frame, after which nothing but Pongs may be sent.
// The code must be one that this role may send, or frame.CloseNoStatus for a
// Close without code; the reason at most 123 bytes of UTF-8. On an error nothing
// is appended and the connection is still open.
func (o *Sender) AppendClose(dst []byte, code frame.CloseCode, reason string) ([]byte, error) {
	if o.closeSent {
		return dst, ErrCloseSent
	}
	if err := checkClose(o.role, code, reason); err != nil {
		return dst, err
	}
	return o.close(dst, code, reason), nil
}

func checkClose(role Role, code frame.CloseCode, reason string) error {
	switch {
	case code == frame.CloseNoStatus && reason != "":
		return errors.New("a Close without code cannot have a reason: give a code")
	case code == frame.CloseNoStatus:
		return nil
	case !code.Sendable():
		return fmt.Errorf("close code %v may not be sent: use 1000-1003, 1007-1014 or 3000-4999 (§7.4)", code)
	case code == frame.CloseMandatoryExtension && role == Server:
		return fmt.Errorf("close code %v is for clients: a server refuses the handshake instead (§7.4.1)", code)
	case len(reason) > frame.MaxCloseReason:
		return fmt.Errorf("close reason of %d bytes: at most %d fit (§5.5)", len(reason), frame.MaxCloseReason)
	case !utf8.ValidString(reason):
		return errors.New("close reason is not valid UTF-8 (§5.5.1)")
	}
	return nil
}

// AppendReply appends what the protocol owes the peer for ev: a Pong for a Ping,
// a Close for a Close unless one has been sent. For other events it appends
// nothing.
func (o *Sender) AppendReply(dst []byte, ev *Event) []byte {
	switch {
	case ev.Kind == Ping:
		// §5.5.2: "an endpoint MUST send a Pong frame in response, unless it
		// already received a Close frame." Having sent one is no excuse.
		// §5.5.3: "identical "Application data" as found in the message body of
		// the Ping frame".
		return o.control(dst, frame.OpPong, ev.Payload)
	case ev.Kind == Close && !o.closeSent:
		// §5.5.1: "If an endpoint receives a Close frame and did not previously
		// send a Close frame, the endpoint MUST send a Close frame in response.
		// (When sending a Close frame in response, the endpoint typically echos
		// the status code it received.)"
		return o.close(dst, ev.Code, "")
	}
	return dst
}

// AppendFail appends the Close frame that err deserves (§7.1.7): its own code
// and reason if it is a *frame.ProtocolError, else frame.CloseInternalError.
// It appends nothing if a Close has been sent.
func (o *Sender) AppendFail(dst []byte, err error) []byte {
	if o.closeSent {
		return dst
	}
	if fault, ok := errors.AsType[*frame.ProtocolError](err); ok {
		return o.close(dst, fault.Code, fault.Reason)
	}
	return o.close(dst, frame.CloseInternalError, "")
}

func (o *Sender) command(dst []byte, opcode frame.Opcode, payload []byte) ([]byte, error) {
	if o.closeSent {
		return dst, ErrCloseSent
	}
	if len(payload) > frame.MaxControlPayload {
		return dst, fmt.Errorf("%v payload of %d bytes: at most %d fit (§5.5)", opcode, len(payload), frame.MaxControlPayload)
	}
	return o.control(dst, opcode, payload), nil
}

func (o *Sender) close(dst []byte, code frame.CloseCode, reason string) []byte {
	o.closeSent = true
	var p [frame.MaxControlPayload]byte
	return o.control(dst, frame.OpClose, frame.AppendClose(p[:0], code, reason))
}

func (o *Sender) control(dst []byte, opcode frame.Opcode, payload []byte) []byte {
	h := frame.Header{Fin: true, Opcode: opcode, Length: uint64(len(payload))}
	dst = append(o.header(dst, &h), payload...)
	frame.Mask(dst[len(dst)-len(payload):], h.Key, 0)
	return dst
}

// header appends h, masked for a client (§5.1) with a fresh key for each frame (§5.3).
func (o *Sender) header(dst []byte, h *frame.Header) []byte {
	if o.role == Client {
		h.Masked, h.Key = true, o.newKey()
	}
	return h.Append(dst)
}

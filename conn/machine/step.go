package machine

import "github.com/swan-ws/websocket/frame"

// A Receiver is the half of an Endpoint that belongs to whoever reads: what §5 and §7
// make of the peer's bytes.
type Receiver struct {
	role         Role
	maxMessage   uint64
	maxFragments int
	deflate      bool

	// The data frame whose payload is due.
	remain uint64 // payload bytes still to come
	key    frame.Key
	pos    int // of the next payload byte, for unmasking
	fin    bool

	// The message in progress; opcode is 0 between messages.
	opcode     frame.Opcode
	compressed bool
	begun      bool // its First piece has been told
	length     uint64
	fragments  int
	text       frame.UTF8

	closed bool
	fault  *frame.ProtocolError
}

// NewReceiver returns one in the OPEN state.
func NewReceiver(c Config) Receiver {
	return Receiver{role: c.Role, maxMessage: c.MaxMessage, maxFragments: c.MaxFragments, deflate: c.Deflate}
}

// SetMaxMessage changes Config.MaxMessage from the next frame on.
func (d *Receiver) SetMaxMessage(n uint64) { d.maxMessage = n }

// AtRest reports whether a new Receiver would go on as well: no message is in
// progress, and neither a fault nor a Close has come.
func (d *Receiver) AtRest() bool {
	return d.remain == 0 && d.opcode == 0 && !d.closed && d.fault == nil
}

// Faults that only the state shows; those of a header alone are frame's.
var (
	errUnmasked     = &frame.ProtocolError{Code: frame.CloseProtocolError, Section: "5.1", Reason: "frame from a client is not masked"}
	errMasked       = &frame.ProtocolError{Code: frame.CloseProtocolError, Section: "5.1", Reason: "frame from a server is masked"}
	errCompressed   = &frame.ProtocolError{Code: frame.CloseProtocolError, Section: "7692 §6.1", Reason: "RSV1 set on a frame that does not begin a message"}
	errReservedBits = &frame.ProtocolError{Code: frame.CloseProtocolError, Section: "5.2", Reason: "reserved bit set without an extension"}
	errContinuation = &frame.ProtocolError{Code: frame.CloseProtocolError, Section: "5.4", Reason: "continuation frame outside a message"}
	errInterleaved  = &frame.ProtocolError{Code: frame.CloseProtocolError, Section: "5.4", Reason: "new message inside a fragmented message"}
	errNotUTF8      = &frame.ProtocolError{Code: frame.CloseInvalidPayload, Section: "8.1", Reason: "text is not valid UTF-8"}
	errTooBig       = &frame.ProtocolError{Code: frame.CloseTooBig, Section: "10.4", Reason: "message too big"}
	errFragments    = &frame.ProtocolError{Code: frame.ClosePolicyViolation, Section: "10.4", Reason: "too many fragments in a message"}
)

// Step tells in ev what the next bytes from the peer mean. It takes n of them;
// in[n:] must be offered again, together with what arrives later. It changes in:
// payload is unmasked where it lies. It copies nothing and allocates nothing.
//
// A frame that is longer than in comes out in pieces, so that nothing the peer
// declares needs a buffer of that size; a control frame is told only when it is
// whole. Read on after a fault, or after Close, and nothing more is told: an
// error is returned again, bytes after Close are dropped.
//
// Errors are always *frame.ProtocolErrors. The same bytes give the same
// messages, control frames and error however they are cut.
func (d *Receiver) Step(ev *Event, in []byte) (n int, err error) {
	ev.Kind = NeedMore
	if d.remain > 0 {
		return d.payload(ev, in, 0)
	}
	if d.fault != nil {
		return 0, d.fault
	}
	if d.closed {
		// §1.4: "After receiving a control frame indicating the connection
		// should be closed, the peer discards any further data received."
		return len(in), nil
	}
	if len(in) < 2 {
		return 0, nil
	}
	var h frame.Header
	n, err = h.Parse(in) // §5.2, §5.5: opcode, control frame and length rules
	// What the first two bytes show goes before what the length shows, or the
	// fault would depend on how much has arrived.
	if fault := d.judge(&h); fault != nil {
		err = fault
	}
	if err != nil {
		return 0, d.fail(err)
	}
	switch {
	case n == 0:
		return 0, nil
	case h.Opcode.IsControl():
		return d.control(ev, &h, in, n)
	}
	if err = d.begin(&h); err != nil {
		return 0, d.fail(err)
	}
	return d.payload(ev, in, n)
}

// Want returns how many payload bytes of the current data frame are still to
// come: a driver may read as many straight into the place where the message is
// gathered and offer them to Step there. They are the peer's claim: never
// allocate by it.
func (d *Receiver) Want() uint64 { return d.remain }

// judge looks at a frame's first two bytes in the light of the state.
func (d *Receiver) judge(h *frame.Header) error {
	switch {
	// §5.1: "a client MUST mask all frames that it sends to the server ... The
	// server MUST close the connection upon receiving a frame that is not masked."
	case d.role == Server && !h.Masked:
		return errUnmasked
	// §5.1: "A server MUST NOT mask any frames that it sends to the client. A
	// client MUST close a connection if it detects a masked frame."
	case d.role == Client && h.Masked:
		return errMasked
	// §5.2: "MUST be 0 unless an extension is negotiated that defines meanings
	// for non-zero values. If a nonzero value is received and none of the
	// negotiated extensions defines the meaning of such a nonzero value, the
	// receiving endpoint MUST _Fail the WebSocket Connection_."
	case h.RSV&^d.definedBits() != 0:
		return errReservedBits
	// 7692 §6.1: "An endpoint MUST NOT set the "Per-Message Compressed" bit of
	// control frames and non-first fragments of a data message. An endpoint
	// receiving such a frame MUST _Fail the WebSocket Connection_."
	case h.RSV != 0 && (h.Opcode.IsControl() || h.Opcode == frame.OpContinuation):
		return errCompressed
	// §5.4: a fragmented message is "a single frame with the FIN bit clear and an
	// opcode other than 0, followed by zero or more frames with the FIN bit clear
	// and the opcode set to 0, and terminated by a single frame with the FIN bit
	// set and an opcode of 0".
	case h.Opcode == frame.OpContinuation && d.opcode == 0:
		return errContinuation
	// §5.4: "The fragments of one message MUST NOT be interleaved between the
	// fragments of another message".
	case h.Opcode.IsData() && h.Opcode != frame.OpContinuation && d.opcode != 0:
		return errInterleaved
	}
	return nil
}

// definedBits are the reserved bits that an extension has given a meaning.
func (d *Receiver) definedBits() byte {
	if d.deflate {
		return frame.RSV1
	}
	return 0
}

// begin takes the header of a data frame. The limits are checked here, before
// any of the payload is waited for (§10.4).
func (d *Receiver) begin(h *frame.Header) error {
	if h.Opcode != frame.OpContinuation {
		d.opcode = h.Opcode
		d.length, d.fragments, d.begun = 0, 0, false
		d.compressed = h.RSV != 0
		d.text.Reset()
	}
	most := d.maxMessage
	if d.compressed {
		most += most/64 + 64
	}
	// Neither side of the comparison can overflow, whatever was declared.
	if d.maxMessage > 0 && h.Length > most-min(d.length, most) {
		return errTooBig
	}
	d.fragments++
	if d.maxFragments > 0 && d.fragments > d.maxFragments {
		return errFragments
	}
	d.length += h.Length
	d.remain, d.key, d.pos, d.fin = h.Length, h.Key, 0, h.Fin
	return nil
}

// payload takes from in[n:] what is there of the current data frame.
func (d *Receiver) payload(ev *Event, in []byte, n int) (int, error) {
	p := in[n:]
	if uint64(len(p)) > d.remain {
		p = p[:d.remain]
	}
	if len(p) == 0 && d.remain > 0 {
		return n, nil
	}
	d.remain -= uint64(len(p))
	d.unmask(p)
	last := d.fin && d.remain == 0
	// §8.1: "When an endpoint is to interpret a byte stream as UTF-8 but finds
	// that the byte stream is not, in fact, a valid UTF-8 stream, that endpoint
	// MUST _Fail the WebSocket Connection_." A code point may straddle frames
	// (§5.6: "the whole message MUST contain valid UTF-8").
	if d.opcode == frame.OpText && !d.compressed {
		if !d.text.Write(p) || last && !d.text.Complete() {
			d.remain = 0
			return 0, d.fail(errNotUTF8)
		}
	}
	ev.Kind, ev.Opcode, ev.Compressed, ev.Payload = Data, d.opcode, d.compressed, p
	ev.First, ev.Last = !d.begun, last
	d.begun = true
	if last {
		d.opcode = 0
	}
	return n + len(p), nil
}

// control takes a control frame, which may stand "in the middle of a fragmented
// message" (§5.4), as soon as all of it is there.
func (d *Receiver) control(ev *Event, h *frame.Header, in []byte, n int) (int, error) {
	end := n + int(h.Length) // at most 125: Header.Parse saw to it
	if len(in) < end {
		return 0, nil
	}
	p := in[n:end]
	if d.role == Server {
		frame.Mask(p, h.Key, 0)
	}
	switch h.Opcode {
	case frame.OpPing: // §5.5.2
		ev.Kind, ev.Payload = Ping, p
	case frame.OpPong: // §5.5.3
		ev.Kind, ev.Payload = Pong, p
	case frame.OpClose: // §5.5.1, §7.1.5, §7.1.6
		code, reason, err := frame.ParseClose(p)
		if err != nil {
			return 0, d.fail(err)
		}
		ev.Kind, ev.Code, ev.Payload = Close, code, reason
		d.closed = true
	}
	return end, nil
}

// unmask: §5.3, "To convert masked data into unmasked data, or vice versa".
func (d *Receiver) unmask(p []byte) {
	if d.role == Server {
		d.pos = frame.Mask(p, d.key, d.pos)
	}
}

// fail makes the fault permanent. §7.1.7: "An endpoint MUST NOT continue to
// attempt to process data (including a responding Close frame) from the remote
// endpoint after being instructed to _Fail the WebSocket Connection_."
func (d *Receiver) fail(err error) error {
	d.fault, _ = err.(*frame.ProtocolError)
	return err
}

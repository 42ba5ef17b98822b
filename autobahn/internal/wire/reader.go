package wire

import "fmt"

// A Reader takes a peer's octets apart, however they arrive: give them to Feed, and
// call Next until it has nothing more.
type Reader struct {
	FromClient bool   // the peer is a client
	Deflate    bool   // permessage-deflate was agreed on: RSV1 has a meaning
	Limit      uint64 // of a message as it comes over the wire; 0: none

	in      []byte // what was fed and not yet read
	partial []byte // the beginning of a header that has not come whole
	frame   frame  // the one being read
	first   Header // of the message being read; its opcode is 0 between messages
	message []byte // the payload of its frames so far
	broken  bool   // the peer broke the protocol: only its Close is of use now
}

// frame is what is known of a frame that is being read.
type frame struct {
	begun   bool
	useless bool
	header  Header
	got     uint64 // octets of the payload
	head    []byte // the first of them
	control []byte // all of them, of a control frame
}

// An Item is a frame that came whole, or a fault in one that begins.
type Item struct {
	Kind    Kind
	Header  Header // of the frame
	Head    []byte // the first octets of its payload
	First   Header // of the message's first frame, if this is a Message
	Payload []byte // of the Message or Control, until the next call of Next or Feed
	Fault   string // of a Violation
}

// Kind is the kind of an Item.
type Kind byte

// The kinds.
const (
	Fragment Kind = iota // a frame that does not end its message
	Message              // the frame that ends a message
	Control
	Violation
)

// headSize is how much of a frame's payload is kept for the log.
const headSize = 64

// Feed takes what was read from the connection. The reader unmasks it in place, and
// refers to it until Next returns false.
func (r *Reader) Feed(p []byte) {
	if len(r.partial) > 0 {
		p = append(r.partial, p...)
		r.partial = nil
	}
	r.in = p
}

// Next returns the next item, or false if there is none before more is fed. After a
// Violation the rest is passed over, but for Close frames.
func (r *Reader) Next() (Item, bool) {
	for {
		f := &r.frame
		if !f.begun {
			h, n := parseHeader(r.in)
			if n == 0 {
				r.partial = append([]byte(nil), r.in...)
				r.in = nil
				return Item{}, false
			}
			r.in = r.in[n:]
			if fault := r.begin(h); fault != "" {
				return Item{Kind: Violation, Header: h, Fault: fault}, true
			}
		}
		piece := r.take()
		if f.got < f.header.Length {
			r.keep(piece)
			return Item{}, false
		}
		f.begun = false
		if !f.useless {
			return r.finish(piece), true
		}
	}
}

// begin starts a frame, and says what is wrong with it.
func (r *Reader) begin(h Header) (fault string) {
	if !r.broken {
		fault = h.check(r.FromClient, r.Deflate, r.first.Opcode != 0)
		if fault == "" && !h.Control() && r.Limit > 0 && h.Length > r.Limit-uint64(len(r.message)) {
			fault = fmt.Sprintf("a message is larger than all that was sent: it has more than %d octets", r.Limit)
		}
		r.broken = fault != ""
	}
	r.frame = frame{begun: true, header: h, head: r.frame.head[:0], control: r.frame.control[:0],
		useless: r.broken && (h.Opcode != Close || h.Length > 125)}
	if !h.Control() && r.first.Opcode == 0 {
		r.first, r.message = h, r.message[:0]
	}
	return fault
}

// take cuts off as much of the frame's payload as is there, unmasked.
func (r *Reader) take() []byte {
	f := &r.frame
	n := min(uint64(len(r.in)), f.header.Length-f.got)
	piece := r.in[:n:n]
	r.in = r.in[n:]
	if f.header.Masked && !f.useless {
		Mask(f.header.Key, int(f.got&3), piece)
	}
	f.got += n
	return piece
}

// keep stores a piece of a frame that goes on.
func (r *Reader) keep(piece []byte) {
	f := &r.frame
	switch {
	case f.useless:
		return
	case f.header.Control():
		f.control = append(f.control, piece...)
	default:
		r.message = append(r.message, piece...)
	}
	f.head = append(f.head, piece[:min(len(piece), headSize-len(f.head))]...)
}

// finish makes an item of a frame with its last piece.
func (r *Reader) finish(piece []byte) Item {
	f := &r.frame
	item := Item{Kind: Control, Header: f.header, Head: piece[:min(len(piece), headSize)], Payload: piece}
	whole := uint64(len(piece)) == f.header.Length
	if !whole || !f.header.Control() && (len(r.message) > 0 || !f.header.Fin) {
		r.keep(piece)
		item.Head, item.Payload = f.head, f.control
	}
	if f.header.Control() {
		return item
	}
	item.Kind, item.First = Fragment, r.first
	if f.header.Fin {
		item.Kind = Message
		if !whole || len(r.message) > 0 {
			item.Payload = r.message
		}
		r.first = Header{}
		r.message = r.message[:0]
	}
	return item
}

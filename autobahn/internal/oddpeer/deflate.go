package oddpeer

import (
	"bytes"
	"compress/flate"
	"io"
	"slices"
)

const (
	// tail is what a sender cuts off and a receiver puts back (7692 §7.2.1).
	tail = "\x00\x00\xff\xff"
	// last makes flate see an end where the message has one.
	last       = "\x01\x00\x00\xff\xff"
	windowSize = 1 << 15
)

// deflate is what has been agreed on of permessage-deflate, and its state.
type deflate struct {
	agreed    bool
	sendFresh bool // each message by itself
	sendBits  int  // of the window
	w         *flate.Writer
	out       bytes.Buffer // of w

	window []byte // what the peer may refer to
}

// sendMessage writes a message in one frame, compressed if that is agreed on.
func (l *link) sendMessage(op byte, p []byte) error {
	if !l.agreed {
		return l.send(op, p)
	}
	p = l.compress(p)
	switch {
	case l.odd("deflate-sends-without-rsv1"):
		return l.send(op, p)
	case l.odd("deflate-sends-rsv1-on-continuation"):
		b := l.appendFrame(nil, op, 4, false, p)
		return l.write(l.appendFrame(b, opCont, 4, true, nil))
	case l.odd("deflate-sends-tail-in-two"): // as if each frame had a tail of its own
		b := l.appendFrame(nil, op, 4, false, append(p, tail...))
		return l.write(l.appendFrame(b, opCont, 0, true, []byte("\x01\x00")))
	}
	return l.write(l.appendFrame(nil, op, 4, true, p))
}

// compress keeps the window from message to message where it may. One smaller
// than flate's is had by compressing pieces of its size, each by itself. The
// result is good until the next call.
func (l *link) compress(p []byte) []byte {
	size := 1 << l.sendBits
	if l.odd("deflate-window-larger-than-agreed") {
		size = windowSize
	}
	fresh := l.sendFresh || size < windowSize
	if l.odd("deflate-window-kept-though-forbidden") {
		fresh = false
	}
	if l.w == nil {
		l.w, _ = flate.NewWriter(&l.out, flate.DefaultCompression)
	}
	l.out.Reset()
	if fresh {
		l.w.Reset(&l.out)
	}
	for len(p) > size && size < windowSize {
		l.w.Write(p[:size])
		l.w.Flush()
		l.w.Reset(&l.out)
		p = p[size:]
	}
	l.w.Write(p)
	l.w.Flush()
	b := l.out.Bytes()
	switch {
	case l.odd("deflate-sends-tail"):
		return b
	case l.odd("deflate-sends-no-end"):
		return b[:max(len(b)-len(tail)-1, 0)]
	}
	return bytes.TrimSuffix(b, []byte(tail))
}

// inflate returns the message that p is the compressed form of.
func (l *link) inflate(p []byte) (b []byte, err error) {
	if l.odd("deflate-window-not-kept") || l.odd("deflate-window-lost-after-empty") && len(p) <= 1 {
		l.window = nil
	}
	in := bytes.NewReader(slices.Concat(p, []byte(tail+last)))
	most := maxMessage
	if l.odd("deflate-limit-missing") {
		most = 1 << 30
	}
	for in.Len() > 0 {
		r := flate.NewReaderDict(in, l.window)
		part, err := io.ReadAll(io.LimitReader(r, int64(most-len(b)+1)))
		b = append(b, part...)
		l.remember(part)
		switch {
		case len(b) > most:
			return nil, failure(1009)
		case err != nil && l.odd("deflate-corrupt-accepted"):
			return b, nil
		case err != nil:
			return nil, failure(1007)
		case l.odd("deflate-stops-at-bfinal"):
			return b, nil
		}
	}
	return b, nil
}

// remember adds to what the peer may refer to.
func (l *link) remember(p []byte) {
	size := windowSize
	if l.odd("deflate-window-of-4096") {
		size = 4096
	}
	l.window = append(l.window, p...)
	if over := len(l.window) - size; over > 0 {
		l.window = slices.Clone(l.window[over:])
	}
}

package oddpeer

import (
	"bytes"
	"cmp"
	"slices"
	"time"
	"unicode/utf8"
)

// A message is the one in progress.
type message struct {
	op       byte // 0 between messages
	deflated bool
	parts    int
	b        []byte // as it came
	rest     []byte // of text: octets of b that have no end yet
	before   int    // messages before it
}

func (l *link) reset() {
	l.message = message{before: l.before}
}

// data takes a text, binary or continuation frame.
func (l *link) data(h header) error {
	if err := l.begin(h); err != nil || l.op == 0 {
		return err
	}
	if h.n > uint64(l.limit()-len(l.b)) {
		if l.odd("huge-length-waits") || l.odd("huge-length-cut") {
			h.n &= 1<<31 - 1
		} else {
			return failure(1009)
		}
	}
	for pos := uint64(0); pos < h.n; {
		p := make([]byte, min(h.n-pos, 1<<16))
		n, err := l.in.Read(p)
		if err != nil {
			return err
		}
		l.unmask(h, p[:n], pos)
		pos += uint64(n)
		if err := l.add(p[:n]); err != nil {
			return err
		}
	}
	return l.partEnds(h.fin, int(h.n))
}

func (l *link) limit() int {
	switch {
	case l.odd("limit-65535"):
		return 1<<16 - 1
	case l.odd("limit-1-mib"):
		return 1<<20 - 1
	case l.odd("limit-8-mib"):
		return 8 << 20
	}
	return maxMessage
}

// begin has the rules of §5.4 for how frames become messages.
func (l *link) begin(h header) error {
	op := h.op
	switch {
	case op == opCont && l.op == 0:
		if err := l.judge(
			rule{"continuation-begins-message", !l.odd("continuation-without-start-ignored"), 1002},
			rule{"continuation-without-start-ignored", !l.odd("continuation-begins-message"), 1002},
		); err != nil {
			return err
		}
		if l.odd("continuation-without-start-ignored") {
			_, err := l.in.Discard(int(h.n))
			return err
		}
		op = opText
	case op != opCont && l.op != 0:
		if err := l.judge(
			rule{"message-within-message-begins-anew", !l.odd("message-within-message-appended"), 1002},
			rule{"message-within-message-appended", !l.odd("message-within-message-begins-anew"), 1002},
		); err != nil {
			return err
		}
		if l.odd("message-within-message-begins-anew") {
			l.reset()
		}
	case op > opBinary && l.odd("opcode-reserved-is-binary"):
		op = opBinary
	case op > opBinary: // ignored, by a fault
		_, err := l.in.Discard(int(h.n))
		return err
	}
	l.parts++
	if l.parts == 1 {
		l.op, l.deflated = op, l.agreed && (h.rsv&4 != 0 || l.odd("deflate-plain-is-inflated"))
	}
	return cmp.Or(
		l.demand("deflate-plain-refused", l.agreed && !l.deflated, 1002),
		l.demand("fragments-many-refused", l.parts > 40, 1008),
		l.demand("fragments-empty-refused", h.n == 0 && (!h.fin || l.parts > 1), 1002),
	)
}

// add takes octets of the payload, as they arrive.
func (l *link) add(p []byte) error {
	switch {
	case l.odd("fragments-first-only") && l.parts > 1:
		return nil
	case l.odd("fragments-cut-at-65536") && len(l.b) >= 1<<16:
		return nil
	}
	l.b = append(l.b, p...)
	if l.op == opText && !l.deflated && !l.odd("utf8-at-end-of-message") && !l.odd("utf8-at-end-of-frame") {
		return l.checkText(p)
	}
	return nil
}

// partEnds is called after each frame, of n octets.
func (l *link) partEnds(fin bool, n int) error {
	if l.op == opText && !l.deflated {
		if l.odd("utf8-at-end-of-frame") {
			if err := l.checkText(l.b[len(l.b)-n:]); err != nil {
				return err
			}
		}
		if l.odd("utf8-frame-by-frame") && len(l.rest) > 0 {
			return failure(1007)
		}
	}
	switch {
	case l.odd("fragments-echoed-one-by-one"):
		if err := l.echo(l.op, l.b); err != nil {
			return err
		}
		l.b = nil
		if fin {
			l.reset()
		}
		return nil
	case !fin && l.deflated && l.odd("deflate-frame-by-frame"):
		b, err := l.inflate(l.b)
		l.b, l.deflated = b, false
		return err
	case fin && l.odd("fragments-empty-end-ignored") && l.parts > 1 && n == 0:
		return nil
	case fin && l.odd("fragments-last-only") && l.parts > 1:
		l.b = l.b[len(l.b)-n:]
	case fin && l.odd("fragments-become-binary") && l.parts > 1:
		l.op = opBinary
	}
	if !fin {
		return nil
	}
	return l.end()
}

// end takes the message that is complete now.
func (l *link) end() error {
	var err error
	if l.deflated {
		if l.b, err = l.inflate(l.b); err != nil {
			return err
		}
	}
	if l.agreed && !l.deflated && l.odd("deflate-plain-enters-window") {
		l.remember(l.b)
	}
	if l.op == opText && (l.deflated && !l.odd("utf8-deflated-unchecked") || l.odd("utf8-at-end-of-message")) {
		if err := l.checkText(l.b); err != nil {
			return err
		}
	}
	if l.op == opText && len(l.rest) > 0 && !l.odd("utf8-incomplete-end-accepted") && !l.odd("utf8-unchecked") {
		return failure(1007)
	}
	if l.op == opBinary && l.odd("utf8-binary-checked") && !utf8.Valid(l.b) {
		return failure(1007)
	}
	op, b := l.op, l.b
	l.reset()
	if l.odd("state-kept-after-message") {
		l.b = b[:min(len(b), 1)]
	}
	if err := l.echo(op, b); err != nil {
		return err
	}
	if l.owed != nil {
		err, l.owed = l.write(l.owed), nil
	}
	return err
}

// checkText checks that p goes on as UTF-8 (§8.1), up to an incomplete end.
func (l *link) checkText(p []byte) error {
	if l.odd("utf8-unchecked") || l.odd("utf8-replaced") {
		return nil
	}
	if len(l.rest) > 0 {
		p = slices.Concat(l.rest, p)
	}
	l.rest = nil
	if utf8.Valid(p) {
		return nil
	}
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		if r == utf8.RuneError && n == 1 {
			if !utf8.FullRune(p) {
				l.rest = slices.Clone(p)
				return nil
			}
			if n = l.excused(p); n == 0 {
				return failure(1007)
			}
		}
		p = p[min(n, len(p)):]
	}
	return nil
}

// excused returns the length of the wrong sequence that p begins with, if it is
// one that the fault has the peer accept.
func (l *link) excused(p []byte) int {
	next := byte(0)
	if len(p) > 1 {
		next = p[1]
	}
	switch c := p[0]; {
	case l.odd("utf8-surrogates-accepted") && c == 0xed && next >= 0xa0:
		return 3
	case l.odd("utf8-overlong-accepted") && (c == 0xc0 || c == 0xc1):
		return 2
	case l.odd("utf8-overlong-accepted") && c == 0xe0 && next < 0xa0:
		return 3
	case l.odd("utf8-overlong-accepted") && c == 0xf0 && next < 0x90:
		return 4
	case l.odd("utf8-above-10ffff-accepted") && c >= 0xf4 && c <= 0xf7:
		return 4
	case l.odd("utf8-5-octets-accepted") && c >= 0xf8 && c <= 0xfb:
		return 5
	case l.odd("utf8-6-octets-accepted") && (c == 0xfc || c == 0xfd):
		return 6
	case l.odd("utf8-stray-continuations-accepted") && c >= 0x80 && c < 0xc0:
		return 1
	case l.odd("utf8-fe-and-ff-accepted") && c >= 0xfe:
		return 1
	}
	return 0
}

// echo sends a message back.
func (l *link) echo(op byte, b []byte) error {
	l.before++
	switch {
	case l.odd("utf8-noncharacters-refused") && op == opText && hasNoncharacter(b):
		return failure(1007)
	case l.odd("utf8-replaced") && op == opText:
		b = bytes.ToValidUTF8(b, []byte("\ufffd"))
	case l.odd("utf8-ends-at-nul") && op == opText:
		b = untilNUL(b)
	case l.odd("utf8-byte-order-mark-dropped") && op == opText:
		b = bytes.TrimPrefix(b, []byte("\ufeff"))
	case l.odd("echo-is-binary"):
		op = opBinary
	case l.odd("echo-is-text") && utf8.Valid(b):
		op = opText
	case l.odd("echo-cut-at-125"):
		b = b[:min(len(b), 125)]
	case l.odd("echo-cut-at-65535"):
		b = b[:min(len(b), 65535)]
	case l.odd("echo-cut-at-65536"):
		b = b[:min(len(b), 65536)]
	case l.odd("echo-flips-a-bit-at-100000") && len(b) > 100000:
		b = slices.Clone(b)
		b[100000] ^= 1
	case l.odd("echo-has-more"):
		b = append(b, '\n')
	case l.odd("echo-missing"), l.odd("echo-missing-for-empty") && len(b) == 0:
		return nil
	case l.odd("echo-late"):
		time.Sleep(stuck)
	case l.odd("echo-one-message-late"):
		op, b, l.held = opText, l.held, b
	case l.odd("echo-in-reverse"):
		b = slices.Clone(b)
		slices.Reverse(b)
	case l.odd("echo-never-ends"):
		return l.write(l.appendFrame(nil, op, 0, false, b))
	case l.odd("echo-repeats-opcode") && len(b) > 1:
		w := l.appendFrame(nil, op, 0, false, b[:1])
		return l.write(l.appendFrame(w, op, 0, true, b[1:]))
	case l.odd("echo-with-reserved-opcode"):
		op = 3
	case l.odd("echo-with-rsv2"):
		return l.write(l.appendFrame(nil, op, 2, true, b))
	case l.odd("echo-twice"):
		if err := l.sendMessage(op, b); err != nil {
			return err
		}
	case l.odd("pong-unsolicited-before-echo"):
		if err := l.send(opPong, nil); err != nil {
			return err
		}
	}
	return l.sendMessage(op, b)
}

func untilNUL(p []byte) []byte {
	p, _, _ = bytes.Cut(p, []byte{0})
	return p
}

func hasNoncharacter(p []byte) bool {
	return bytes.ContainsFunc(p, func(r rune) bool { return r&0xfffe == 0xfffe })
}

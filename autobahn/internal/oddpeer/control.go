package oddpeer

import (
	"encoding/binary"
	"io"
	"time"
	"unicode/utf8"
)

// frame takes the next frame.
func (l *link) frame() error {
	h, err := l.readHeader()
	if err != nil {
		return err
	}
	if l.answered && !l.odd("data-after-close-echoed") && h.op != opPing {
		_, err = io.CopyN(io.Discard, l.in, int64(h.n))
		return err
	}
	if err := l.judgeHeader(h); err != nil {
		return err
	}
	if !h.control() {
		return l.data(h)
	}
	p := make([]byte, h.n&0xffff)
	if _, err := io.ReadFull(l.in, p); err != nil {
		return err
	}
	l.unmask(h, p, 0)
	switch h.op {
	case opPing:
		return l.ping(p)
	case opPong:
		return l.pong(p)
	case opClose:
		return l.close(p)
	}
	return nil
}

// ping answers a Ping (§5.5.2).
func (l *link) ping(p []byte) error {
	l.pings++
	op := byte(opPong)
	switch {
	case l.odd("pong-missing"),
		l.odd("pong-missing-for-empty") && len(p) == 0,
		l.odd("pong-missing-within-message") && l.op != 0,
		l.odd("pong-for-every-second-only") && l.pings%2 == 0:
		return nil
	case l.odd("ping-drops-message"):
		l.reset()
	case l.odd("ping-ends-message") && l.op != 0:
		return l.end()
	case l.odd("pong-empty"):
		p = nil
	case l.odd("pong-cut"):
		p = p[:min(len(p), 64)]
	case l.odd("pong-ends-at-nul"):
		p = untilNUL(p)
	case l.odd("pong-has-more"):
		p = append(p, 0)
	case l.odd("pong-of-first-ping") && l.pings == 1:
		l.held = p
	case l.odd("pong-of-first-ping"):
		p = l.held
	case l.odd("pong-is-ping"):
		op = opPing
	case l.odd("pong-is-text"):
		op = opText
	case l.odd("pong-is-fragmented"):
		b := l.appendFrame(nil, opPong, 0, false, p)
		return l.write(l.appendFrame(b, opCont, 0, true, nil))
	case l.odd("pong-has-rsv1"):
		return l.write(l.appendFrame(nil, opPong, 4, true, p))
	case l.odd("pong-after-message") && l.op != 0:
		l.owed = l.appendFrame(l.owed, opPong, 0, true, p)
		return nil
	case l.odd("pong-twice"):
		if err := l.send(opPong, p); err != nil {
			return err
		}
	}
	return l.send(op, p)
}

// pong takes a Pong, which needs no answer (§5.5.3).
func (l *link) pong(p []byte) error {
	switch {
	case l.odd("pong-answered"):
		return l.send(opPong, p)
	case l.odd("pong-unsolicited-fails"):
		return failure(1002)
	}
	return nil
}

// close takes a Close and answers it (§5.5.1).
func (l *link) close(p []byte) error {
	switch {
	case l.answered: // and one is enough
		return errClosed
	case l.odd("close-within-message-ignored") && l.op != 0:
		return nil
	}
	if err := l.judgeClose(p); err != nil {
		return err
	}
	var b []byte
	switch {
	case l.odd("close-ignored"):
		return nil
	case l.odd("close-not-answered"):
		return errClosed
	case l.odd("close-answered-late"):
		time.Sleep(stuck)
	case l.odd("close-answered-twice"):
		b = l.appendFrame(b, opClose, 0, true, p)
	case l.odd("close-answered-with-text-before"):
		b = l.appendFrame(b, opText, 0, true, []byte("goodbye"))
	case l.odd("close-answered-with-pong-before"):
		b = l.appendFrame(b, opPong, 0, true, []byte("goodbye"))
	case l.odd("close-ends-message") && l.op != 0:
		if err := l.end(); err != nil {
			return err
		}
	}
	if err := l.write(l.appendFrame(b, opClose, 0, !l.odd("close-answered-without-fin"), l.closeAnswer(p))); err != nil {
		return err
	}
	switch {
	case l.odd("data-after-close-echoed"), l.odd("pong-after-close"):
		l.answered = true
		return nil
	case l.odd("close-answered-with-text-after"):
		l.send(opText, []byte("goodbye"))
	}
	return errClosed
}

// codes are those that must not come (§7.4).
var codes = []struct {
	fault    string
	from, to uint16
}{
	{"close-0-to-999-accepted", 0, 999},
	{"close-1004-accepted", 1004, 1004},
	{"close-1005-accepted", 1005, 1005},
	{"close-1006-accepted", 1006, 1006},
	{"close-1015-accepted", 1015, 1015},
	{"close-1016-to-2999-accepted", 1016, 2999},
}

func (l *link) judgeClose(p []byte) error {
	switch {
	case len(p) == 0 && l.odd("close-empty-refused"):
		return failure(1002)
	case len(p) == 0:
		return nil
	case len(p) == 1:
		return l.judge(rule{"close-1-octet-accepted", true, 1002})
	}
	code, reason := binary.BigEndian.Uint16(p), p[2:]
	for _, c := range codes {
		if code >= c.from && code <= c.to && !l.odd(c.fault) {
			return failure(1002)
		}
	}
	if code >= 5000 ||
		len(reason) > 100 && l.odd("close-long-reason-refused") ||
		code >= 1012 && code <= 1014 && l.odd("close-1012-to-1014-refused") ||
		code >= 3000 && code <= 3999 && l.odd("close-3000-to-3999-refused") ||
		code >= 4000 && l.odd("close-4000-to-4999-refused") {
		return failure(1002)
	}
	return l.judge(rule{"close-reason-unchecked", !utf8.Valid(reason), 1007})
}

// closeAnswer is the payload that answers p: the same code.
func (l *link) closeAnswer(p []byte) []byte {
	switch {
	case l.odd("close-answered-with-1001"):
		return closePayload(1001, "")
	case l.odd("close-answered-with-1005"):
		return closePayload(1005, "")
	case l.odd("close-answered-with-1-octet"):
		return []byte{3}
	case l.odd("close-answered-with-126-octets"):
		return closePayload(1000, string(make([]byte, 124)))
	case l.odd("close-answered-with-bad-utf8"):
		return closePayload(1000, "\xed\xa0\x80")
	case l.odd("close-code-little-endian") && len(p) > 1:
		return []byte{p[1], p[0]}
	}
	return p[:min(len(p), 2)]
}

func closePayload(code uint16, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, code), reason...)
}

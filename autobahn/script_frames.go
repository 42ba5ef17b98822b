package autobahn

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// opcodes by the names that the cases give them.
var opcodes = map[string]byte{"cont": 0, "text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10}

// send reads what comes after ">".
func (p *caseParser) send(rest string) error {
	line, err := splitWords(rest)
	if err != nil {
		return err
	}
	if len(line) == 0 {
		return errors.New("write what to send: text, binary, cont, close, ping, pong, opcode N, bytes, drop or shutdown")
	}
	f := sendFrame{times: 1, closing: line[0] == "close"}
	kind, line := line[0], line[1:]
	op, known := opcodes[kind]
	switch {
	case kind == "bytes":
		return p.sendBytes(line)
	case kind == "drop" || kind == "shutdown":
		p.steps = append(p.steps, endTCP{half: kind == "shutdown"})
		return none(strings.Join(line, " "))
	case kind == "opcode" && len(line) > 0:
		n, err := strconv.ParseUint(line[0], 10, 8)
		if err != nil || n > 15 {
			return fmt.Errorf("%q is no opcode: write 0 to 15", line[0])
		}
		op, line = byte(n), line[1:]
	case !known:
		return fmt.Errorf("%q cannot be sent: write text, binary, cont, close, ping, pong, opcode N, bytes, drop or shutdown", kind)
	}
	f.opcode = op
	if line, err = f.flags(line); err != nil {
		return err
	}
	if f.payload, err = parseFramePayload(f.opcode, line); err != nil {
		return err
	}
	if !f.deflated && !f.headOnly {
		if err := checkSize(f.payload, f.times); err != nil {
			return err
		}
	}
	p.steps = append(p.steps, f)
	return nil
}

// parseFramePayload reads a payload; that of a Close may begin with its code.
func parseFramePayload(opcode byte, line []string) (p payload, err error) {
	if opcode == opcodes["close"] && len(line) > 0 {
		if code, err := strconv.ParseUint(line[0], 10, 16); err == nil {
			p = payload{{binary.BigEndian.AppendUint16(nil, uint16(code)), 2}}
			line = line[1:]
		}
	}
	more, err := parsePayload(line)
	return append(p, more...), err
}

// flags reads the flags of a frame and returns what comes after them.
func (f *sendFrame) flags(line []string) (rest []string, err error) {
	for len(line) > 0 {
		var n int64
		switch flag := line[0]; flag {
		case "nofin":
			f.noFin = true
		case "rsv1", "rsv2", "rsv3":
			f.rsv |= 1 << ('3' - flag[3])
		case "alone":
			f.alone = true
		case "deflated":
			f.deflated = true
		case "masked":
			f.mask = maskedAlways
		case "unmasked":
			f.mask = maskedNever
		case "head":
			f.headOnly = true
		case "key":
			if line, err = f.maskingKey(line); err != nil {
				return nil, err
			}
		case "chop", "fragments", "times":
			if n, line, err = flagNumber(line); err != nil {
				return nil, err
			}
			*map[string]*int{"chop": &f.chop, "fragments": &f.fragments, "times": &f.times}[flag] = int(n)
		case "length7", "length16", "length64":
			if line, err = f.declare(line); err != nil {
				return nil, err
			}
		default:
			return line, f.check()
		}
		line = line[1:]
	}
	return nil, f.check()
}

// flagNumber reads the number after a flag and leaves its word as line[0].
func flagNumber(line []string) (int64, []string, error) {
	if len(line) == 1 {
		return 0, nil, fmt.Errorf("a number is missing after %q", line[0])
	}
	n, err := parseNumber(line[1])
	return n, line[1:], err
}

func (f *sendFrame) maskingKey(line []string) ([]string, error) {
	if len(line) > 1 {
		if n, err := hex.Decode(f.key[:], []byte(line[1][:min(8, len(line[1]))])); err == nil && n == 4 && len(line[1]) == 8 {
			f.mask = maskedWithKey
			return line[1:], nil
		}
	}
	return nil, errors.New("a key is eight hex digits: write `key 01020304`")
}

// declare reads `length16 126`.
func (f *sendFrame) declare(line []string) ([]string, error) {
	bits, _ := strconv.Atoi(line[0][len("length"):])
	if len(line) > 1 {
		if n, err := strconv.ParseUint(line[1], 0, bits); err == nil {
			f.form, f.length = byte(bits), n
			return line[1:], nil
		}
	}
	return nil, fmt.Errorf("write `%s N`, with a number that %d bits can hold", line[0], bits)
}

func (f *sendFrame) check() error {
	switch {
	case f.times < 1:
		return errors.New("`times` needs a number of at least 1")
	case f.fragments > 0 && (f.headOnly || f.form != 0 || f.noFin):
		return errors.New("`fragments` makes frames of its own: leave head, nofin and the length out, or write each frame on a line of its own")
	}
	return nil
}

// sendBytes reads what comes after "> bytes".
func (p *caseParser) sendBytes(line []string) (err error) {
	var f sendFrame
	f.times = 1
	if line, err = f.flags(line); err != nil {
		return err
	}
	b := sendBytes{chop: f.chop, times: f.times, alone: f.alone}
	if f.chop, f.times, f.alone = 0, 1, false; f.noFin || f.rsv != 0 || f.fragments != 0 || f.deflated || f.mask != 0 || f.form != 0 || f.headOnly {
		return errors.New("bytes know only the flags alone, chop and times")
	}
	if b.payload, err = parsePayload(line); err != nil {
		return err
	}
	p.steps = append(p.steps, b)
	return checkSize(b.payload, b.times)
}

// maxSent is how many octets a line may send: they are held until they are written.
const maxSent = 1 << 30

func checkSize(p payload, times int) error {
	if n := p.Len() + 14; n > maxSent || n*int64(times) > maxSent {
		return fmt.Errorf("this is more than %d octets: write less, or only the head of the frame", maxSent)
	}
	return nil
}

// event reads what comes after "<".
func (p *caseParser) event(rest string) error {
	if p.wants == nil {
		p.wants = []want{{verdict: OK}}
	}
	w := &p.wants[len(p.wants)-1]
	line, err := splitWords(rest)
	if err != nil {
		return err
	}
	if len(line) == 0 {
		return errors.New("write what must come: text, binary, pong, close, timeout, open, refused, unanswered or nothing")
	}
	switch kind := line[0]; kind {
	case "nothing":
		return none(strings.Join(line[1:], " "))
	case "open", "refused", "unanswered":
		return w.openingEvent(kind, strings.TrimSpace(rest[len(kind):]))
	case "timeout", "close":
		return p.plainEvent(w, EventKind(kind), line[1:])
	case "text", "binary", "pong":
		e := wanted{kind: Message, binary: kind == "binary"}
		if kind == "pong" {
			e.kind = Pong
		}
		if line, err = e.howOften(line[1:]); err != nil {
			return err
		}
		e.data, err = parsePayload(line)
		w.events = append(w.events, e)
		return err
	default:
		return fmt.Errorf("%q cannot come: write text, binary, pong, close, timeout, open, refused, unanswered or nothing", kind)
	}
}

// plainEvent reads what comes after "< timeout" or "< close".
func (p *caseParser) plainEvent(w *want, kind EventKind, line []string) error {
	e := wanted{kind: kind, least: 1, most: 1}
	if len(line) != 1 {
		return errors.New("write `timeout A`, with the name of a wait, or `close 1000`")
	}
	if kind == Close {
		p.closeEvents = true
		if len(line) == 1 && line[0] == "none" {
			w.events = append(w.events, e)
			return nil
		}
		if _, err := strconv.ParseUint(line[0], 10, 16); err != nil {
			return fmt.Errorf("%q is no close code: write a number, or `close none`", line[0])
		}
	}
	e.data = text(line[0])
	w.events = append(w.events, e)
	return nil
}

// howOften reads `times 5`, `times 1-10` and `maybe`.
func (e *wanted) howOften(line []string) (rest []string, err error) {
	e.least, e.most = 1, 1
	if len(line) > 0 && line[0] == "maybe" {
		e.least = 0
		return line[1:], nil
	}
	if len(line) == 0 || line[0] != "times" {
		return line, nil
	}
	var n int64
	if len(line) > 1 {
		least, most, isRange := strings.Cut(line[1], "-")
		if n, err = parseNumber(least); err == nil {
			e.least, e.most = int(n), int(n)
		}
		if isRange && err == nil {
			n, err = parseNumber(most)
			e.most = int(n)
		}
		if err == nil && e.most >= max(1, e.least) {
			return line[2:], nil
		}
	}
	return nil, errors.New("write `times 5` or `times 1-10`")
}

// another begins a further list of events.
func (p *caseParser) another(verdict Behavior, rest string) error {
	if p.wants == nil {
		return errors.New("write what is OK above this line")
	}
	p.wants = append(p.wants, want{verdict: verdict})
	return none(rest)
}

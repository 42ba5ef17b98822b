package conntest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Script is a raw peer: the bytes it sends and those it expects, in order.
// The zero value is an empty script.
type Script struct {
	// Timeout bounds each step, so that a test whose expectation is not met
	// fails with a message instead of hanging. Zero means 5 seconds.
	Timeout time.Duration

	steps []step
}

type step struct {
	name string // how an error calls it
	do   func(nc net.Conn) error
}

// ParseScript reads a script from text, one step a line, with bytes written as
// for [Hex]:
//
//	# A comment.
//	> 81 85 00000000 "Hello"    ; sent
//	< 81 05 "Hello"             ; expected
//	< EOF                       ; the other end closes, or closes its write side
//
// It panics if text is anything else, for it is written in a test.
func ParseScript(text string) *Script {
	s := new(Script)
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if err := s.parseLine(fmt.Sprintf("line %d", number), line); err != nil {
			panic(fmt.Sprintf("conntest: ParseScript: line %d: %v", number, err))
		}
	}
	return s
}

func (s *Script) parseLine(name, line string) error {
	verb, rest := line[0], line[1:]
	if verb != '>' && verb != '<' {
		return fmt.Errorf("%q begins with none of > < #", line)
	}
	if what, _, _ := strings.Cut(rest, ";"); verb == '<' && strings.TrimSpace(what) == "EOF" {
		s.add(name, expectEOF)
		return nil
	}
	p, err := parseHex(rest)
	if err != nil {
		return err
	}
	if verb == '>' {
		s.add(name, send(p))
	} else {
		s.add(name, expect(p))
	}
	return nil
}

// Send adds a step that writes p, which must stay as it is until the script
// has run. It returns s, for the next step.
func (s *Script) Send(p []byte) *Script { return s.add("", send(p)) }

// Expect adds a step that reads as many bytes as p has, which must be those
// of p; p must stay as it is until the script has run.
func (s *Script) Expect(p []byte) *Script { return s.add("", expect(p)) }

// ExpectEOF adds a step that wants the other end to close, or to close its
// write side, without having sent anything more.
func (s *Script) ExpectEOF() *Script { return s.add("", expectEOF) }

func (s *Script) add(name string, do func(net.Conn) error) *Script {
	if name == "" {
		name = fmt.Sprintf("step %d", len(s.steps)+1)
	}
	s.steps = append(s.steps, step{name, do})
	return s
}

// Run plays the script over nc and returns an error that tells the first step
// that did not go as written. It does not close nc; it does leave nc without a
// deadline. A script can be run any number of times.
func (s *Script) Run(nc net.Conn) error {
	timeout := s.Timeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	defer nc.SetDeadline(time.Time{})
	for _, step := range s.steps {
		nc.SetDeadline(time.Now().Add(timeout))
		if err := step.do(nc); err != nil {
			return fmt.Errorf("script %s: %w", step.name, err)
		}
	}
	return nil
}

func send(p []byte) func(net.Conn) error {
	return func(nc net.Conn) error {
		n, err := nc.Write(p)
		if err != nil {
			return fmt.Errorf("sent %d of %d bytes: %w", n, len(p), err)
		}
		return nil
	}
}

func expect(want []byte) func(net.Conn) error {
	return func(nc net.Conn) error {
		got := make([]byte, 0, len(want))
		for len(got) < len(want) {
			n, err := nc.Read(got[len(got):len(want)])
			got = got[:len(got)+n]
			if at := firstDifference(want, got); at < len(got) {
				return fmt.Errorf("byte %#x differs\n%s", at, compare(want, got, at))
			}
			if err != nil && len(got) < len(want) {
				return fmt.Errorf("got %d of %d bytes, then %w\n%s", len(got), len(want), err, compare(want, got, len(got)))
			}
		}
		return nil
	}
}

func expectEOF(nc net.Conn) error {
	got := make([]byte, 64)
	switch n, err := nc.Read(got); {
	case n > 0:
		return fmt.Errorf("wants EOF, got %d bytes\n  got  %s", n, dumpRow(got[:n], 0))
	case err != io.EOF:
		return fmt.Errorf("wants EOF: %w", err)
	}
	return nil
}

func firstDifference(want, got []byte) int {
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	return at
}

// compare shows the 16 bytes around the byte number at, as hex and as text,
// and points at it:
//
//	want 0000  88 02 03 e8                                      |....|
//	got  0000  88 06                                            |..|
//	              ^^
func compare(want, got []byte, at int) string {
	row := at &^ 15
	pointer := strings.Repeat(" ", 3*(at-row)) + "^^"
	return fmt.Sprintf("  want %s\n  got  %s\n             %s", dumpRow(want, row), dumpRow(got, row), pointer)
}

func dumpRow(p []byte, row int) string {
	p = p[min(row, len(p)):min(row+16, len(p))]
	text := bytes.Clone(p)
	for i, c := range text {
		if c < ' ' || c > '~' {
			text[i] = '.'
		}
	}
	return fmt.Sprintf("%04x  %-47s  |%s|", row, fmt.Sprintf("% x", p), text)
}

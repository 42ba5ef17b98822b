package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/swan-ws/websocket"
)

// seenTimeout is how long the server may take to say that it has seen everything,
// before it is closed all the same.
const seenTimeout = 10 * time.Second

// session is a connection between stdin and stdout. One goroutine reads the
// connection, and is the only one to close it; one reads stdin.
type session struct {
	c     *websocket.Conn
	flags *connectFlags
	std   stdio
	leave context.CancelCauseFunc // makes the reader close the connection

	in   int
	out  atomic.Int64
	line []byte // of stdout, used again
	tty  bool   // stdout is a terminal
}

// A localError is trouble with stdin or stdout.
type localError struct {
	error
	hint string
}

// errLeave ends a session that has done what it was asked to.
var errLeave = errors.New("done")

func newSession(c *websocket.Conn, f *connectFlags, std stdio) *session {
	return &session{c: c, flags: f, std: std, tty: isTerminal(std.out)}
}

// run returns why the connection ended, or a *localError.
func (s *session) run(ctx context.Context) error {
	ctx, s.leave = context.WithCancelCause(ctx)
	defer s.leave(nil)
	go s.send(ctx)
	if s.flags.ping > 0 {
		go s.measure(ctx)
	}
	s.leave(s.receive(ctx))
	err := s.c.Close(websocket.CloseNormal, "") // does nothing if the peer was first
	if local, ok := errors.AsType[*localError](context.Cause(ctx)); ok {
		return local
	}
	if err != nil {
		return err
	}
	return s.c.Err()
}

// receive prints messages until there are no more, or enough, or ctx ends, and
// returns why it stopped.
func (s *session) receive(ctx context.Context) error {
	for m, err := range s.c.Messages(ctx) {
		if err != nil {
			return err
		}
		s.in++
		s.line = appendLine(s.line[:0], m, s.tty)
		if _, err := s.std.out.Write(s.line); err != nil {
			return &localError{fmt.Errorf("cannot print: %w", err), "is the disk full, or the reader of the pipe gone?"}
		}
		if s.in == s.flags.messages {
			return errLeave
		}
	}
	return nil
}

// appendLine appends a message as it is printed. In a terminal, control
// characters are escaped: they would be obeyed.
func appendLine(dst []byte, m websocket.Message, tty bool) []byte {
	switch {
	case m.Type == websocket.Binary:
		dst = fmt.Appendf(append(dst, "binary:"...), "%x", m.Data)
	case tty:
		dst = appendPrintable(dst, string(m.Data))
	default:
		dst = append(dst, m.Data...)
	}
	return append(dst, '\n')
}

// appendPrintable keeps tabs and ends of lines, as texts have them.
func appendPrintable(dst []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r == '\t' || r == '\n':
			dst = append(dst, byte(r))
		case r < ' ' || r >= 0x7F && r < 0xA0:
			dst = fmt.Appendf(dst, `\x%02x`, r)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// send makes messages of lines, until stdin or the connection ends.
func (s *session) send(ctx context.Context) {
	kind := websocket.Text
	if s.flags.binary {
		kind = websocket.Binary
	}
	in := bufio.NewReader(s.std.in)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		if err == nil {
			line = line[:len(line)-1]
			if n := len(line); n > 0 && line[n-1] == '\r' {
				line = line[:n-1]
			}
		}
		if len(line) > 0 || err == nil {
			if kind == websocket.Text && !utf8.Valid(line) {
				s.leave(&localError{fmt.Errorf("line %d of stdin is not valid UTF-8", number), "-b, which sends lines as binary messages"})
				return
			}
			if s.c.Write(ctx, kind, line) != nil {
				return // the reader says why
			}
			s.out.Add(1)
		}
		if err == io.EOF {
			s.end(ctx)
			return
		}
		if err != nil {
			s.leave(&localError{fmt.Errorf("cannot read stdin: %w", err), ""})
			return
		}
	}
}

// end does what was asked for at the end of stdin. By default a pipe that has
// run dry is no reason to leave, as answers may still come, and Ctrl-D in a
// terminal is.
func (s *session) end(ctx context.Context) {
	eof := s.flags.eof
	if eof == eofAuto && isTerminal(s.std.in) {
		eof = eofClose
	}
	if eof != eofClose {
		if eof == eofAuto && s.flags.messages == 0 {
			s.std.note("end of stdin: still printing what comes (Ctrl-C or -eof close leaves, -n N after N messages)")
		}
		return
	}
	// The Pong tells that the server has received all that went before the Ping;
	// what it answers at once comes before the Pong.
	ctx, cancel := context.WithTimeout(ctx, seenTimeout)
	defer cancel()
	s.c.Ping(ctx)
	s.leave(errLeave)
}

// measure prints the round-trip time again and again.
func (s *session) measure(ctx context.Context) {
	tick := time.NewTicker(s.flags.ping)
	defer tick.Stop()
	for {
		rtt, err := s.c.Ping(ctx)
		if err != nil {
			return
		}
		s.std.note("ping %.2f ms", float64(rtt)/float64(time.Millisecond))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// isTerminal tells a terminal from a file, a pipe and the null device.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

package machine

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/swan-ws/websocket/frame"
)

// A script is one conversation of testdata/*.script; README.md there tells the format.
type script struct {
	name    string
	config  Config
	steps   []step
	showEnd bool // a line says which Close frame follows the fault
}

// A step is something that is done to the endpoint, or that it does.
type step struct {
	line  int
	bytes []byte              // '>': from the peer
	do    func(*player) error // '*': what the application does
	want  string              // what happens, as player writes it down
}

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.script")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts:", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		scripts, err := parseScripts(string(text))
		if err != nil {
			t.Fatalf("%s:%v", file, err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".script"), func(t *testing.T) {
			for _, s := range scripts {
				t.Run(s.name, func(t *testing.T) {
					s.playAsWritten(t, file)
					s.playCut(t)
				})
			}
		})
	}
}

// playAsWritten looks after each step that what has happened is what should have.
func (s *script) playAsWritten(t *testing.T, file string) {
	t.Helper()
	p := s.player()
	var want []string
	for i, step := range s.steps {
		if step.want != "" {
			want = append(want, step.want)
		} else if err := s.play(p, step); err != nil {
			t.Fatalf("%s:%d: %v", file, step.line, err)
		}
		if i+1 == len(s.steps) || s.steps[i+1].want == "" {
			if diff := cmp.Diff(want, p.history); diff != "" {
				t.Fatalf("%s:%d: what should have happened (-) and what has (+):\n%s", file, step.line, diff)
			}
		}
	}
}

// playCut plays byte by byte, and cut in two everywhere: a cut of -1 is everywhere.
func (s *script) playCut(t *testing.T) {
	t.Helper()
	doings, total := s.doings()
	whole := s.player()
	for _, doing := range doings {
		if err := s.play(whole, doing); err != nil {
			t.Fatalf("in one piece: %v", err)
		}
	}
	for cut := -1; cut < total; cut++ {
		if total > 1024 && cut > 64 && cut < total-64 && cut%997 != 0 {
			continue // in the middle of a long payload, now and then is enough
		}
		p := s.player()
		at := 0
		for _, doing := range doings {
			var err error
			switch first := cut - at; {
			case cut < 0:
				for i := range doing.bytes {
					err = errors.Join(err, p.feed(doing.bytes[i:i+1]))
				}
			case 0 < first && first < len(doing.bytes):
				err = errors.Join(p.feed(doing.bytes[:first]), p.feed(doing.bytes[first:]))
			case doing.do == nil:
				err = p.feed(doing.bytes)
			}
			if doing.do != nil {
				err = doing.do(p)
			}
			if err != nil {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			at += len(doing.bytes)
		}
		if diff := cmp.Diff(whole.history, p.history); diff != "" {
			t.Fatalf("what happens in one piece (-) and cut at %d (+):\n%s", cut, diff)
		}
	}
}

// doings are the steps that are done to the endpoint, those of the peer joined, and
// how many bytes the peer sends.
func (s *script) doings() (doings []step, total int) {
	for _, step := range s.steps {
		last := len(doings) - 1
		switch {
		case step.want != "":
			continue
		case step.do == nil && last >= 0 && doings[last].do == nil:
			doings[last].bytes = slices.Concat(doings[last].bytes, step.bytes)
		default:
			doings = append(doings, step)
		}
		total += len(step.bytes)
	}
	return doings, total
}

func (s *script) player() *player {
	p := newPlayer(s.config)
	p.showEnd = s.showEnd
	return p
}

func (s *script) play(p *player, doing step) error {
	if doing.do != nil {
		return doing.do(p)
	}
	return p.feed(doing.bytes)
}

func parseScripts(text string) (scripts []*script, err error) {
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if word == "test" {
			scripts = append(scripts, &script{name: rest})
			continue
		}
		if len(scripts) == 0 {
			return nil, fmt.Errorf("%d: a line before the first test", i+1)
		}
		if err := scripts[len(scripts)-1].parseLine(i+1, word, rest); err != nil {
			return nil, fmt.Errorf("%d: %v", i+1, err)
		}
	}
	return scripts, nil
}

func (s *script) parseLine(line int, word, rest string) (err error) {
	c, next := &s.config, step{line: line}
	switch word {
	case "role":
		var ok bool
		c.Role, ok = map[string]Role{"server": Server, "client": Client}[rest]
		if !ok {
			return fmt.Errorf("role %q: want server or client", rest)
		}
		return nil
	case "limit":
		c.MaxMessage, err = strconv.ParseUint(rest, 10, 64)
		return err
	case "fragments":
		c.MaxFragments, err = strconv.Atoi(rest)
		return err
	case "deflate":
		c.Deflate = true
		return nil
	case ">":
		next.bytes, err = parseBytes(rest)
	case "*":
		next.do, err = parseCommand(rest)
	case "=":
		next.want, err = parseTold(rest)
	case "<":
		var p []byte
		p, err = parseBytes(rest)
		next.want = fmt.Sprintf("< %x", p)
		s.showEnd = s.showEnd || len(s.steps) > 0 && strings.HasPrefix(s.steps[len(s.steps)-1].want, "!")
	case "!":
		next.want = "! " + rest
	case "-":
		next.want = "-"
	default:
		return fmt.Errorf("no line starts with %q", word)
	}
	s.steps = append(s.steps, next)
	return err
}

func parseTold(rest string) (string, error) {
	rest, deflated := strings.CutPrefix(rest, "deflated ")
	what, rest, _ := strings.Cut(rest, " ")
	switch what {
	case "text", "binary":
		p, err := parseBytes(rest)
		return toldMessage(deflated, what, p), err
	case "ping", "pong":
		p, err := parseBytes(rest)
		return fmt.Sprintf("= %s %q", what, p), err
	case "close":
		code, reason, err := parseClose(rest)
		return fmt.Sprintf("= close %d %q", code, reason), err
	}
	return "", fmt.Errorf("nobody is ever told of a %q", what)
}

// toldMessage is what a player writes down of a message.
func toldMessage(deflated bool, what string, p []byte) string {
	if deflated {
		what = "deflated " + what
	}
	return fmt.Sprintf("= %s %q", what, p)
}

func parseCommand(rest string) (func(*player) error, error) {
	add := (*Endpoint).AppendFragment
	rest, deflated := strings.CutPrefix(rest, "deflated ")
	if deflated {
		add = (*Endpoint).AppendDeflated
	}
	what, rest, _ := strings.Cut(rest, " ")
	if what == "close" {
		code, reason, err := parseClose(rest)
		return func(p *player) error { return p.sent(p.e.AppendClose(nil, code, string(reason))) }, err
	}
	fin := what != "fragment"
	if !fin {
		what, rest, _ = strings.Cut(rest, " ")
	}
	b, err := parseBytes(rest)
	switch {
	case what == "text":
		return func(p *player) error { return p.sent(add(&p.e, nil, frame.OpText, fin, b)) }, err
	case what == "binary":
		return func(p *player) error { return p.sent(add(&p.e, nil, frame.OpBinary, fin, b)) }, err
	case what == "ping" && fin:
		return func(p *player) error { return p.sent(p.e.AppendPing(nil, b)) }, err
	case what == "pong" && fin:
		return func(p *player) error { return p.sent(p.e.AppendPong(nil, b)) }, err
	}
	return nil, fmt.Errorf("the application cannot send a %q", what)
}

// parseClose reads a close code and a reason; nothing is CloseNoStatus.
func parseClose(rest string) (frame.CloseCode, []byte, error) {
	if rest == "" {
		return frame.CloseNoStatus, nil, nil
	}
	number, rest, _ := strings.Cut(rest, " ")
	code, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return 0, nil, err
	}
	reason, err := parseBytes(rest)
	return frame.CloseCode(code), reason, err
}

// parseBytes reads hex digits, "text" and 61*125, any number of them.
func parseBytes(s string) (out []byte, err error) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if s[0] == '"' {
			quoted, err := strconv.QuotedPrefix(s)
			if err != nil {
				return nil, fmt.Errorf("%s: no closing quote, or a bad escape", s)
			}
			text, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, err
			}
			out, s = append(out, text...), s[len(quoted):]
			continue
		}
		var word string
		word, s, _ = strings.Cut(s, " ")
		digits, times, repeated := strings.Cut(word, "*")
		p, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("%q is neither hex digits nor quoted text", word)
		}
		n := 1
		if repeated {
			if n, err = strconv.Atoi(times); err != nil || n < 0 || n > 1<<20 {
				return nil, fmt.Errorf("%q: how many times?", word)
			}
		}
		for range n {
			out = append(out, p...)
		}
	}
	return out, nil
}

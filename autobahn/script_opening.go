package autobahn

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// handshakeTimer ends a case of the opening handshake that names no timer.
const handshakeTimer = 2 * time.Second

// odd returns what the case changes in our half of the opening handshake.
func (p *caseParser) odd() *shake {
	if p.shake == nil {
		p.shake = new(shake)
	}
	return p.shake
}

// firstLine reads `request "GET …"` or `response "HTTP/1.1 200 OK"`.
func (p *caseParser) firstLine(response bool, rest string) error {
	s, err := strconv.Unquote(rest)
	if err != nil || s == "" {
		return errors.New("write the line in double quotes")
	}
	wanted := ForServer
	if response {
		wanted = ForClient
	}
	if p.Side != Both && p.Side != wanted {
		return errors.New("a tested server gets requests, a tested client gets responses")
	}
	p.Side = wanted
	p.odd().first = s
	return nil
}

var headerForm = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// headerLine reads `+ Name: value`, `= Name: value` or `- Name`.
func (p *caseParser) headerLine(rest string) error {
	verb, line, _ := strings.Cut(rest, " ")
	line = strings.TrimSpace(line)
	name, _, colon := strings.Cut(line, ":")
	switch {
	case verb == "+" && line != "":
		p.odd().edits = append(p.odd().edits, headerEdit{'+', "", line})
	case verb == "-" && headerForm.MatchString(line):
		p.odd().edits = append(p.odd().edits, headerEdit{'-', line, ""})
	case verb == "=" && colon && headerForm.MatchString(name):
		p.odd().edits = append(p.odd().edits, headerEdit{'=', name, line})
	case verb == "pad":
		return p.padding(line)
	default:
		return errors.New("write `header + Name: value`, `header = Name: value`, `header - Name` or `header pad N`")
	}
	return nil
}

// maxPad is how many octets of padding a case may ask for.
const maxPad = 64 << 20

// padding reads `pad 4096` and `pad 10 times 200`.
func (p *caseParser) padding(rest string) error {
	size, times, many := strings.Cut(rest, " times ")
	n, err := parseNumber(strings.TrimSpace(size))
	if err != nil {
		return err
	}
	lines := int64(1)
	if many {
		if lines, err = parseNumber(strings.TrimSpace(times)); err != nil {
			return err
		}
	}
	if n > maxPad || lines > maxPad/100 || (n+20)*lines > maxPad {
		return fmt.Errorf("this is more than %d octets: write less", maxPad)
	}
	for i := range lines {
		p.odd().edits = append(p.odd().edits, headerEdit{'+', "", fmt.Sprintf("X-Pad-%d: %s", i+1, strings.Repeat("a", int(n)))})
	}
	return nil
}

func (p *caseParser) withFrames(rest string) error {
	if rest != "frames" {
		return errors.New("write `with frames`")
	}
	p.odd().withFrames = true
	return nil
}

func (p *caseParser) rawLine(rest string) error {
	line, err := splitWords(rest)
	if err != nil {
		return err
	}
	raw, err := parsePayload(line)
	p.odd().raw = &raw
	return err
}

// An openingWant says what must come of the opening handshake.
type openingWant struct {
	text     []string // its lines
	kind     openingKind
	statuses []string // of a refusal: 400, 4xx, any; none for tested clients
	headers  []wantedHeader
}

// A wantedHeader must be in the answer, or must not.
type wantedHeader struct {
	name, value string
	absent      bool
}

var statusForm = regexp.MustCompile(`^([1-5][0-9][0-9]|[1-5]xx|any)$`)

// openingEvent reads what comes after "< open", "< refused" or "< unanswered".
func (w *want) openingEvent(kind, rest string) error {
	outcome := map[string]openingKind{"open": openingDone, "refused": openingRefused, "unanswered": openingSilent}[kind]
	if w.opening == nil {
		if len(w.events) > 0 {
			return errors.New("what comes of the handshake comes first")
		}
		w.opening = &openingWant{kind: outcome}
		w.events = []wanted{{kind: Handshake, least: 1, most: 1}}
	}
	if w.opening.kind != outcome {
		return errors.New("a handshake cannot be both: begin a second list with `or` or `non-strict`")
	}
	w.opening.text = append(w.opening.text, strings.TrimSpace(kind+" "+rest))
	w.events[0].data = text(strings.Join(w.opening.text, "; "))
	if kind == "refused" && rest != "" && !strings.HasPrefix(rest, "no ") {
		statuses, more, _ := strings.Cut(rest, " ")
		for s := range strings.SplitSeq(statuses, ",") {
			if !statusForm.MatchString(s) {
				return fmt.Errorf("%q is no status: write 400, several joined by commas, 4xx, or any", s)
			}
			w.opening.statuses = append(w.opening.statuses, s)
		}
		rest = strings.TrimSpace(more)
	}
	return w.opening.header(rest)
}

// header reads `Name: value` or `no Name`.
func (o *openingWant) header(rest string) error {
	if rest == "" {
		return nil
	}
	h := wantedHeader{}
	if name, ok := strings.CutPrefix(rest, "no "); ok {
		h.name, h.absent = strings.TrimSpace(name), true
	} else if name, value, ok := strings.Cut(rest, ":"); ok {
		h.name, h.value = name, strings.TrimSpace(value)
	}
	if !headerForm.MatchString(h.name) {
		return errors.New("write a header that must be in the answer, `Name: value`, or one that must not, `no Name`")
	}
	o.headers = append(o.headers, h)
	return nil
}

// finishShake looks at a case of the opening handshake as a whole.
func (p *caseParser) finishShake() error {
	if p.Side == Both {
		return errors.New("servers and clients get different handshakes: add `for server` or `for client`")
	}
	for _, w := range p.wants {
		switch {
		case w.opening == nil:
			return errors.New("it does not say what comes of the handshake: begin each list with `< open` or `< refused`")
		case p.Side == ForClient && (w.opening.headers != nil || w.opening.statuses != nil):
			return errors.New("clients answer nothing: write only `< open` or `< refused`")
		case p.Side == ForClient && w.opening.kind == openingSilent:
			return errors.New("a tested client asks, and does not answer: write `< open` or `< refused`")
		case p.Side == ForServer && w.opening.kind == openingRefused && w.opening.statuses == nil:
			return errors.New("write the status: `< refused 400`, or `< refused any`")
		}
	}
	if p.timer.time == 0 {
		p.timer = timer{kill: true, time: handshakeTimer}
	}
	return nil
}

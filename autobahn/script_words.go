package autobahn

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// caseParser gathers the lines of one case.
type caseParser struct {
	Case
	ended bool // there was an end line
}

// words are the first words of lines, and what reads the rest.
var words map[string]func(p *caseParser, rest string) error

func init() { // not above: meant looks at words, too
	words = map[string]func(p *caseParser, rest string) error{
		"does":       func(p *caseParser, rest string) error { return once(&p.Description, rest) },
		"wants":      func(p *caseParser, rest string) error { return once(&p.Expectation, rest) },
		"source":     (*caseParser).source,
		"for":        (*caseParser).side,
		"deflate":    (*caseParser).deflateLine,
		"strict":     (*caseParser).strictWindow,
		">":          (*caseParser).send,
		"<":          (*caseParser).event,
		"or":         func(p *caseParser, rest string) error { return p.another(OK, rest) },
		"non-strict": func(p *caseParser, rest string) error { return p.another(NonStrict, rest) },
		"wait":       (*caseParser).waitLine,
		"reading":    (*caseParser).reading,
		"keys":       (*caseParser).keys,
		"alive":      func(p *caseParser, rest string) error { p.alive = true; return none(rest) },
		"linger":     (*caseParser).lingerLine,
		"close":      func(p *caseParser, rest string) error { return p.startTimer(false, rest) },
		"kill":       func(p *caseParser, rest string) error { return p.startTimer(true, rest) },
		"message":    (*caseParser).message,
		"timeout":    (*caseParser).seriesTimeout,
		"report":     (*caseParser).report,
		"end":        (*caseParser).endLine,
		"request":    func(p *caseParser, rest string) error { return p.firstLine(false, rest) },
		"response":   func(p *caseParser, rest string) error { return p.firstLine(true, rest) },
		"header":     (*caseParser).headerLine,
		"bytewise":   func(p *caseParser, rest string) error { p.odd().bytewise = true; return none(rest) },
		"with":       (*caseParser).withFrames,
		"raw":        (*caseParser).rawLine,
	}
}

func once(s *string, text string) error {
	if *s != "" {
		return errors.New("this line is there twice: leave one out")
	}
	if text == "" {
		return errors.New("write a sentence after it")
	}
	*s = text
	return nil
}

func none(rest string) error {
	if rest != "" {
		return fmt.Errorf("%q: nothing comes after this word", rest)
	}
	return nil
}

var sourceForm = regexp.MustCompile(`^(?:[0-9]{4} )?§[A-Z0-9.]+: \S`)

func (p *caseParser) source(rest string) error {
	if !sourceForm.MatchString(rest) {
		return errors.New("write `source §5.4: the RFC's sentence`, with the number of the RFC in front if it is not 6455")
	}
	return once(&p.Source, rest)
}

func (p *caseParser) side(rest string) error {
	switch rest {
	case "server":
		p.Side = ForServer
	case "client":
		p.Side = ForClient
	default:
		return errors.New("write `for server` or `for client`, or leave the line out")
	}
	return nil
}

func (p *caseParser) report(rest string) error {
	if rest != "time" {
		return errors.New("write `report time`")
	}
	p.reportTime = true
	return nil
}

func (p *caseParser) strictWindow(rest string) error {
	if rest != "window" {
		return errors.New("write `strict window`")
	}
	p.terms().strict = true
	return nil
}

func (p *caseParser) terms() *deflateTerms {
	if p.deflate == nil {
		p.deflate = new(deflateTerms)
	}
	return p.deflate
}

func (p *caseParser) deflateLine(rest string) error {
	if accept, ok := strings.CutPrefix(rest, "accept "); ok {
		a, err := parseAccept(accept)
		p.terms().accepts = append(p.terms().accepts, a)
		return err
	}
	if offers, err := parseExtensions(rest); err != nil || !offersDeflate(offers) {
		return errors.New("write the offer, `deflate permessage-deflate; …`, or `deflate accept any`")
	}
	return once(&p.terms().offer, rest)
}

// parseAccept reads `any`, or parameters joined by semicolons.
func parseAccept(s string) (a acceptTerms, err error) {
	if strings.TrimSpace(s) == "any" {
		return a, nil
	}
	for param := range strings.SplitSeq(s, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		bits, _ := strconv.Atoi(value)
		switch {
		case name == "client_no_context_takeover" && value == "":
			a.clientNoTakeover = true
		case name == "server_no_context_takeover" && value == "":
			a.serverNoTakeover = true
		case name == "client_max_window_bits" && 8 <= bits && bits <= 15:
			a.clientBits = bits
		case name == "server_max_window_bits" && 8 <= bits && bits <= 15:
			a.serverBits = bits
		default:
			return a, fmt.Errorf("%q: write `any`, or client_no_context_takeover, server_no_context_takeover, client_max_window_bits=N, server_max_window_bits=N (8 to 15), joined by semicolons", param)
		}
	}
	return a, nil
}

// parseTime reads 500ms or 1s.
func parseTime(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is no time: write 500ms or 1s", s)
	}
	return d, nil
}

func (p *caseParser) startTimer(kill bool, rest string) (err error) {
	after, ok := strings.CutPrefix(rest, "after ")
	if !ok {
		return errors.New("write `close after 1s` or `kill after 1s`; a Close that is sent is `> close`")
	}
	if p.timer.time != 0 {
		return errors.New("there is a timer already: leave one out")
	}
	p.timer.kill = kill
	p.timer.time, err = parseTime(after)
	return err
}

// parsePause reads `1s` or `1s as A`.
func parsePause(rest string) (w pause, err error) {
	length, tag, tagged := strings.Cut(rest, " as ")
	w.tag = strings.TrimSpace(tag)
	if tagged && w.tag == "" {
		return w, errors.New("write a name after `as`")
	}
	w.time, err = parseTime(strings.TrimSpace(length))
	return w, err
}

func (p *caseParser) waitLine(rest string) error {
	w, err := parsePause(rest)
	p.steps = append(p.steps, w)
	return err
}

func (p *caseParser) reading(rest string) error {
	if rest != "on" && rest != "off" {
		return errors.New("write `reading off` or `reading on`")
	}
	p.steps = append(p.steps, reading(rest == "on"))
	return nil
}

func (p *caseParser) keys(rest string) error {
	if rest != "differ" {
		return errors.New("write `keys differ`")
	}
	p.keysDiffer = true
	return nil
}

func (p *caseParser) lingerLine(rest string) error {
	w, err := parsePause(rest)
	p.linger = &w
	return err
}

func (p *caseParser) endLine(rest string) error {
	if p.ended {
		return errors.New("there is an end already: leave one out")
	}
	p.ended = true
	fields := strings.Fields(rest)
	if len(fields) < 2 || fields[0] != "us" && fields[0] != "peer" && fields[0] != "either" {
		return errors.New("write `end us 1000 clean`, `end peer 1002` or `end either any`: who sends the first Close, and what the peer's may say")
	}
	p.end.byUs, p.end.either = fields[0] == "us", fields[0] == "either"
	for code := range strings.SplitSeq(fields[1], ",") {
		n, err := strconv.ParseUint(code, 10, 16)
		if code == "any" {
			p.end.anyCode = true
		} else if err != nil {
			return fmt.Errorf("%q is no close code: write a number, several joined by commas, or `any`", code)
		} else {
			p.end.codes = append(p.end.codes, int(n))
		}
	}
	flags := map[string]*bool{"clean": &p.end.clean, "fatal": &p.end.fatal, "strict": &p.end.strict, "told": &p.end.told,
		"quiet": &p.end.quiet, "informational": &p.end.informational}
	for _, f := range fields[2:] {
		if flags[f] == nil {
			return fmt.Errorf("%q: write clean, fatal, strict, told, quiet or informational", f)
		}
		*flags[f] = true
	}
	return nil
}

// finish looks at the case as a whole, and fills in what goes without saying.
func (p *caseParser) finish() error {
	if p.shake != nil {
		if err := p.finishShake(); err != nil {
			return err
		}
	}
	if p.series != nil {
		if err := p.finishSeries(); err != nil {
			return err
		}
	}
	if p.timer.time == 0 && slices.Contains(p.steps, step(endTCP{})) {
		p.timer = timer{kill: true, time: handshakeTimer}
	}
	switch {
	case p.Description == "":
		return errors.New("it does not say what it does: add `does …`")
	case p.Expectation == "":
		return errors.New("it does not say what it wants: add `wants …`")
	case p.wants == nil && p.series == nil:
		return errors.New("it expects nothing: add `< …`, or `< nothing`")
	case !p.ended && !p.refusal():
		return errors.New("it does not say how it ends: add `end us 1000 clean` or `end peer 1002`")
	case p.timer.time == 0 && p.series != nil:
		return errors.New("it does not say how long it may take: add `timeout 60s`")
	case p.timer.time == 0:
		return errors.New("it may never end: add `close after 1s` or `kill after 1s`")
	case p.deflate != nil && p.shake == nil && p.deflate.offer == "" && p.Side != ForClient:
		return errors.New("there is no offer for tested servers: add `deflate permessage-deflate; …`, or `for client`")
	case p.deflate != nil && p.shake == nil && p.deflate.accepts == nil && p.Side != ForServer:
		return errors.New("there is no answer to tested clients: add `deflate accept any`, or `for server`")
	}
	return nil
}

// refusal reports whether all that is wanted is that the handshake fails.
func (c *Case) refusal() bool {
	return len(c.wants) > 0 && !slices.ContainsFunc(c.wants, func(w want) bool { return w.opening == nil || w.opening.kind == openingDone })
}

// compareIDs' order is that of the numbers, not of the digits.
func compareIDs(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		m, _ := strconv.Atoi(x)
		n, _ := strconv.Atoi(y)
		return m - n
	})
}

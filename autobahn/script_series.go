package autobahn

import (
	"errors"
	"fmt"
	"strings"
)

// countMark stands for the number of messages in what a case does and wants.
const countMark = "{count}"

// message reads `text from json size 16 fragments 256` or `binary times 10 hex fe to 64`.
func (p *caseParser) message(rest string) error {
	line, err := splitWords(rest)
	if err != nil {
		return err
	}
	if p.series != nil || len(line) == 0 || line[0] != "text" && line[0] != "binary" {
		return errors.New("write one line `message text …` or `message binary …`")
	}
	s := &series{binary: line[0] == "binary"}
	p.series = s
	flags := map[string]*int{"size": &s.size, "fragments": &s.fragments, "chop": &s.chop, "times": &s.times}
	for line = line[1:]; len(line) > 0; line = line[1:] {
		if line[0] == "from" && len(line) > 1 {
			s.source, line = line[1], line[1:]
			continue
		}
		to := flags[line[0]]
		if to == nil {
			s.payload, err = parsePayload(line)
			return errors.Join(err, s.check())
		}
		if to == &s.times && len(line) > 1 && line[1] == countMark {
			line = line[1:]
			continue
		}
		var n int64
		if n, line, err = flagNumber(line); err != nil {
			return err
		}
		*to = int(n)
	}
	return s.check()
}

func (s *series) check() error {
	switch {
	case s.source == "" && s.size != 0:
		return errors.New("`size` is for a source; of a payload, write `to N`")
	case s.source != "" && s.size == 0:
		return errors.New("a source needs a size: write `from json size 1024`")
	case s.source != "" && sources[s.source] == nil:
		return fmt.Errorf("there is no source %q: write one of %s", s.source, strings.Join(sourceNames(), ", "))
	}
	return nil
}

// finishSeries looks at a case with a series as a whole.
func (p *caseParser) finishSeries() error {
	if p.steps != nil || p.wants != nil {
		return errors.New("a series sends and expects its messages alone: leave the lines with > and < out")
	}
	if !p.ended {
		p.ended, p.end = true, ending{byUs: true, codes: []int{1000}, clean: true}
	}
	p.reportTime = true
	return nil
}

// seriesTimeout reads `timeout 60s`.
func (p *caseParser) seriesTimeout(rest string) error { return p.startTimer(false, "after "+rest) }

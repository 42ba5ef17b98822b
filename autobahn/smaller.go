package autobahn

import (
	"fmt"
	"slices"
)

// smaller cuts a case's messages to Options.Largest, where that leaves it the same
// case.
func (o *Options) smaller(c Case) Case {
	largest := int64(o.Largest)
	if largest <= 0 || !c.canBeCut(largest) {
		return c
	}
	if s := c.series; s != nil {
		c.cut = max(int64(s.size), s.payload.Len()) > largest
		return c // newSeriesRun does it
	}
	steps, wants := c.steps, c.wants
	c.cut, c.steps, c.wants = true, nil, nil
	for _, s := range steps {
		if f, ok := s.(sendFrame); ok {
			f.payload = f.payload.cutText(largest)
			s = f
		}
		c.steps = append(c.steps, s)
	}
	for _, w := range wants {
		w.events = slices.Clone(w.events)
		for i := range w.events {
			w.events[i].data = w.events[i].data.cutText(largest)
		}
		c.wants = append(c.wants, w)
	}
	return c
}

// canBeCut reports whether all that is larger are messages in one piece, and their
// echoes.
func (c *Case) canBeCut(largest int64) bool {
	var lengths []int64
	for _, s := range c.steps {
		switch s := s.(type) {
		case sendFrame:
			n := s.payload.Len()
			if n > largest {
				lengths = append(lengths, n)
			}
			if n > largest && (s.opcode != opcodes["text"] && s.opcode != opcodes["binary"] || s.noFin) || s.form != 0 || s.headOnly || s.deflated {
				return false
			}
		case sendBytes:
			return false
		}
	}
	for _, w := range c.wants {
		for _, e := range w.events {
			if n := e.data.Len(); n > largest && !slices.Contains(lengths, n) {
				return false
			}
		}
	}
	return c.series != nil || lengths != nil
}

// cutNote says so in a result.
func (o *Options) cutNote(c *Case) string {
	if c.cut {
		return fmt.Sprintf(" Messages were cut to %d octets.", o.Largest)
	}
	return ""
}

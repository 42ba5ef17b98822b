package autobahn

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/swan-ws/websocket/autobahn/internal/wire"
)

// defaultMessages is how many messages the original suite sends in a series.
const defaultMessages = 1000

// A seriesRun is a series of messages under way.
type seriesRun struct {
	*series
	count int
	data  *cycle
	forms *compressedCycle // nil: without compression
	sent  int              // messages
	back  int

	// What the peer sent for a message depends only on the message and on its window,
	// and so on the place in the cycle, as long as it compresses all. What was right
	// once is right again, and need not be inflated.
	seen   map[int][]byte
	unseen bool // the peer sent a message without compression
}

func newSeriesRun(s *series, o *Options) *seriesRun {
	r := &seriesRun{series: s, count: s.times, seen: make(map[int][]byte)}
	if r.count == 0 {
		r.count = o.messages()
	}
	size := s.size
	if o.Largest > 0 && size > o.Largest {
		size = o.Largest
	}
	if s.source != "" {
		r.data = &cycle{source: sources[s.source], size: size}
		return r
	}
	p := s.payload
	if o.Largest > 0 {
		p = p.cutText(int64(o.Largest))
	}
	r.data = &cycle{fixed: p.Bytes()}
	return r
}

// messages returns how many messages a series has.
func (o *Options) messages() int {
	if o.Messages > 0 {
		return o.Messages
	}
	return defaultMessages
}

// nextMessage sends the next message, or closes after the last.
func (r *run) nextMessage() {
	s := r.series
	if s.back == s.count {
		r.trace.series.done = true
		r.sendClose(normalClose, false)
		return
	}
	f := sendFrame{opcode: wire.Text, fragments: s.fragments, chop: s.chop}
	if s.binary {
		f.opcode = wire.Binary
	}
	payload := s.data.message(s.sent)
	r.stats.out.message(len(payload))
	if r.agreed.deflate != nil {
		if s.forms == nil {
			s.forms = compressed(s.data, r.bits, r.takeover)
		}
		f.rsv = wire.RSV1
		payload = s.forms.message(s.sent)
	}
	s.sent++
	r.sendMessage(f, payload)
}

// echo compares what came back with what was sent.
func (r *run) echo(item wire.Item) {
	s, t := r.series, &r.trace.series
	if t.fault != "" {
		return
	}
	if s.back == s.sent {
		t.done, t.fault = false, "There came a message that nothing was sent for."
		r.sendClose(normalClose, false)
		return
	}
	if t.fault = r.compare(item); t.fault != "" {
		t.fault = fmt.Sprintf("Message %d of %d: %s", s.back+1, s.count, t.fault)
		r.sendClose(normalClose, false)
		return
	}
	r.stats.in.message(len(s.data.message(s.back)))
	s.back++
	r.nextMessage()
}

// compare says in what the echo is not the message.
func (r *run) compare(item wire.Item) string {
	s := r.series
	want := s.data.message(s.back)
	if binary := item.First.Opcode == wire.Binary; binary != s.binary {
		return "it came back with the wrong type."
	}
	got := item.Payload
	if item.First.RSV&wire.RSV1 != 0 {
		place := s.data.place(s.back, r.inflater.Takeover)
		if !s.unseen && bytes.Equal(s.seen[place], got) && len(got) > 0 {
			r.inflater.Remember(want)
			return ""
		}
		plain, err := r.inflater.Decompress(got)
		if err != nil {
			return err.Error() + "."
		}
		if bytes.Equal(plain, want) {
			s.seen[place] = append(s.seen[place][:0], got...)
			return ""
		}
		got = plain
	} else {
		s.unseen = s.unseen || r.inflater.Takeover
	}
	switch {
	case bytes.Equal(got, want):
		return ""
	case len(got) != len(want):
		return fmt.Sprintf("it came back with %d octets instead of %d.", len(got), len(want))
	}
	return "it came back with other octets."
}

// late says what is wrong when time is up.
func (s *seriesRun) late() string {
	return fmt.Sprintf("Time was up when %d of %d messages had come back.", s.back, s.count)
}

// A cycle is the messages that are cut out of a source, one after the other and
// round again; or the same message always.
type cycle struct {
	source *source
	size   int // of a message, in the units of the source
	fixed  []byte
}

// message returns the k-th message, which is not to be changed.
func (c *cycle) message(k int) []byte {
	if c.source == nil {
		return c.fixed
	}
	return c.source.cut(k*c.size, c.size)
}

// place returns a number that is the same for messages with the same octets and, if
// the window is kept, with the same octets before them.
func (c *cycle) place(k int, takeover bool) int {
	if c.source == nil {
		return min(k, window/max(1, len(c.fixed))+1)
	}
	from := k * c.size
	if !takeover || from >= window {
		return from%sourceUnits + window
	}
	return from
}

// window is how far back compression ever looks.
const window = 1 << 15

// A compressedCycle is the messages of a cycle, compressed one after the other. It
// is made as far as it is needed.
type compressedCycle struct {
	*cycle
	takeover bool

	mu         sync.Mutex
	compressor *wire.Compressor
	done       int // messages
	forms      map[int][]byte
}

// forms keeps what was compressed, for other cases with the same messages.
var forms struct {
	sync.Mutex
	all map[formsKey]*compressedCycle
}

type formsKey struct {
	source     *source
	size, bits int
	takeover   bool
}

// keptSize is the size from which it is worth it.
const keptSize = 512

// compressed returns a cycle's messages, compressed with a window of so many bits.
func compressed(c *cycle, bits int, takeover bool) *compressedCycle {
	fresh := &compressedCycle{cycle: c, takeover: takeover, compressor: wire.NewCompressor(bits, takeover), forms: make(map[int][]byte)}
	if c.source == nil || c.size < keptSize {
		return fresh
	}
	key := formsKey{c.source, c.size, bits, takeover}
	forms.Lock()
	defer forms.Unlock()
	if known := forms.all[key]; known != nil {
		return known
	}
	if forms.all == nil {
		forms.all = make(map[formsKey]*compressedCycle)
	}
	forms.all[key] = fresh
	return fresh
}

// message returns the k-th message, compressed.
func (c *compressedCycle) message(k int) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for place := c.place(k, c.takeover); ; c.done++ {
		if form := c.forms[place]; form != nil {
			return form
		}
		form := c.compressor.Compress(bytes.NewReader(c.cycle.message(c.done)))
		c.forms[c.place(c.done, c.takeover)] = bytes.Clone(form)
		if c.source != nil && sourceUnits%c.size == 0 && (c.done+1)*c.size >= sourceUnits+window {
			c.compressor = nil // everything is there
		}
	}
}

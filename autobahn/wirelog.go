package autobahn

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/swan-ws/websocket/autobahn/internal/wire"
)

// The wire log has the first rows of a case and the last ones; between them, it is
// switched off.
const (
	firstRows = 200
	lastRows  = 100
)

// A wirelog is what a Result says of the wire.
type wirelog struct {
	first, last                            []LogRow
	dropped                                bool
	rxOctets, txOctets, rxFrames, txFrames map[int]int
}

func newWirelog() wirelog {
	return wirelog{rxOctets: map[int]int{}, txOctets: map[int]int{}, rxFrames: map[int]int{}, txFrames: map[int]int{}}
}

func (l *wirelog) add(row ...any) {
	if len(l.first) < firstRows {
		l.first = append(l.first, row)
		return
	}
	if len(l.last) == 2*lastRows {
		l.last = append(l.last[:0], l.last[lastRows:]...)
		l.dropped = true
	}
	l.last = append(l.last, row)
}

// rows returns the log.
func (l *wirelog) rows() []LogRow {
	last := l.last
	if len(last) > lastRows {
		last, l.dropped = last[len(last)-lastRows:], true
	}
	if l.dropped {
		return slices.Concat(l.first, []LogRow{{"WLM", false}, {"WLM", true}}, last)
	}
	return slices.Concat(l.first, last)
}

// octetsIn notes a read.
func (l *wirelog) octetsIn(p []byte) {
	l.rxOctets[len(p)]++
	l.add("RO", []any{len(p), hexStart(p)})
}

// octetsOut notes a write, in pieces of chop octets if that is not 0.
func (l *wirelog) octetsOut(p []byte, chop int, alone bool) {
	if chop <= 0 {
		chop = max(1, len(p))
	}
	if n := len(p) / chop; n > 0 {
		l.txOctets[chop] += n
	}
	if n := len(p) % chop; n > 0 {
		l.txOctets[n]++
	}
	l.add("TO", []any{len(p), hexStart(p)}, alone)
}

// frameIn notes a frame that came whole.
func (l *wirelog) frameIn(f wire.Item) {
	h := f.Header
	l.rxFrames[int(h.Opcode)]++
	l.add("RF", []any{h.Length, frameStart(f.Head, h.Length)}, h.Opcode, h.Fin, h.RSV, h.Masked, maskText(h))
}

// frameOut notes a frame that is sent.
func (l *wirelog) frameOut(h wire.Header, head []byte, chop int, alone bool) {
	l.txFrames[int(h.Opcode)]++
	var pieces any
	if chop > 0 {
		pieces = chop
	}
	l.add("TF", []any{h.Length, frameStart(head, h.Length)}, h.Opcode, h.Fin, h.RSV, maskText(h), nil, pieces, alone)
}

func seconds(d time.Duration) float64 { return d.Seconds() }

// frameStart writes the first octets of a payload of the given length.
func frameStart(head []byte, length uint64) string {
	if uint64(len(head)) < length && len(head) <= printed {
		return printable(head) + " ..."
	}
	return printable(head)
}

func hexStart(p []byte) string {
	if len(p) > printed {
		return hex.EncodeToString(p[:printed]) + " ..."
	}
	return hex.EncodeToString(p)
}

func maskText(h wire.Header) any {
	if !h.Masked {
		return nil
	}
	return hex.EncodeToString(h.Key[:])
}

package conn

import (
	"slices"
	"sync"
)

// pileBlock is what a pile grows by.
const pileBlock = 32 << 10

// A pile gathers a message whose length shows only at its end: it grows without
// ever being copied, so that a message which turns out to be too big has cost no
// more than the limit.
type pile struct {
	blocks []*[pileBlock]byte // all full but the last
	len    int
}

var pileBlocks = sync.Pool{New: func() any { return new([pileBlock]byte) }}

func (p *pile) add(b []byte) {
	for len(b) > 0 {
		used := p.len % pileBlock
		if used == 0 {
			p.blocks = append(p.blocks, pileBlocks.Get().(*[pileBlock]byte))
		}
		n := copy(p.blocks[len(p.blocks)-1][used:], b)
		b = b[n:]
		p.len += n
	}
}

// moveTo appends all of the pile to dst and empties it.
func (p *pile) moveTo(dst []byte) []byte {
	dst = slices.Grow(dst, p.len)
	for _, b := range p.blocks {
		dst = append(dst, b[:min(pileBlock, p.len)]...)
		p.len -= min(pileBlock, p.len)
	}
	p.free()
	return dst
}

func (p *pile) free() {
	for _, b := range p.blocks {
		pileBlocks.Put(b)
	}
	*p = pile{}
}

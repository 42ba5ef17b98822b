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
	*blocks // nil: it is empty
	len     int
}

// blocks are pooled, and so is their list.
type blocks struct{ all []*[pileBlock]byte } // full but the last

var (
	pileBlocks = sync.Pool{New: func() any { return new([pileBlock]byte) }}
	pileLists  = sync.Pool{New: func() any { return new(blocks) }}
)

func (p *pile) add(b []byte) {
	if p.blocks == nil && len(b) > 0 {
		p.blocks = pileLists.Get().(*blocks)
	}
	for len(b) > 0 {
		used := p.len % pileBlock
		if used == 0 {
			p.all = append(p.all, pileBlocks.Get().(*[pileBlock]byte))
		}
		n := copy(p.all[len(p.all)-1][used:], b)
		b = b[n:]
		p.len += n
	}
}

// moveTo appends all of the pile to dst and empties it.
func (p *pile) moveTo(dst []byte) []byte {
	if p.blocks == nil {
		return dst
	}
	dst = slices.Grow(dst, p.len)
	for _, b := range p.all {
		dst = append(dst, b[:min(pileBlock, p.len)]...)
		p.len -= min(pileBlock, p.len)
	}
	p.free()
	return dst
}

func (p *pile) free() {
	if p.blocks == nil {
		return
	}
	for _, b := range p.all {
		pileBlocks.Put(b)
	}
	clear(p.all)
	if p.all = p.all[:0]; cap(p.all) <= keepMessage/pileBlock {
		pileLists.Put(p.blocks)
	}
	*p = pile{}
}

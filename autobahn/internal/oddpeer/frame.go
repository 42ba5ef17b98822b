package oddpeer

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"io"
)

const (
	opCont, opText, opBinary = 0, 1, 2
	opClose, opPing, opPong  = 8, 9, 10
)

// A header is that of a frame (§5.2).
type header struct {
	fin    bool
	rsv    byte // RSV1 is 4
	op     byte
	masked bool
	key    [4]byte
	n      uint64
	bits   int // of the length field: 7, 16 or 64
}

func (h header) control() bool { return h.op >= opClose }

func (l *link) readHeader() (h header, err error) {
	var b [8]byte
	if _, err = io.ReadFull(l.in, b[:2]); err != nil {
		return h, err
	}
	h.fin, h.rsv, h.op = b[0]&0x80 != 0, b[0]>>4&7, b[0]&15
	h.masked, h.n, h.bits = b[1]&0x80 != 0, uint64(b[1]&127), 7
	switch h.n {
	case 126:
		_, err = io.ReadFull(l.in, b[:2])
		h.n, h.bits = uint64(binary.BigEndian.Uint16(b[:2])), 16
	case 127:
		_, err = io.ReadFull(l.in, b[:8])
		h.n, h.bits = binary.BigEndian.Uint64(b[:8]), 64
	}
	if l.odd("length-top-bit-ignored") && h.n>>63 != 0 {
		h.n, h.bits = h.n&^(1<<63), 7
	}
	if h.masked && err == nil {
		_, err = io.ReadFull(l.in, h.key[:])
	}
	return h, err
}

// A rule is broken with a close code, but for a peer with the fault.
type rule struct {
	fault  string
	broken bool
	code   failure
}

func (p Peer) judge(rules ...rule) error {
	for _, r := range rules {
		if r.broken && !p.odd(r.fault) {
			return r.code
		}
	}
	return nil
}

// demand fails the connection if the fault is to ask too much.
func (p Peer) demand(fault string, broken bool, code failure) error {
	if broken && p.odd(fault) {
		return code
	}
	return nil
}

// judgeHeader has the rules for a frame by itself.
func (l *link) judgeHeader(h header) error {
	data, control := !h.control(), h.control()
	return cmp.Or(l.demand("length-signed-16", h.bits == 16 && h.n >= 1<<15, 1002), l.judge(
		rule{"rsv1-ignored", h.rsv&4 != 0 && data && !l.agreed, 1002},
		rule{"rsv2-ignored", h.rsv&2 != 0 && data, 1002},
		rule{"rsv3-ignored", h.rsv&1 != 0 && data, 1002},
		rule{"rsv1-on-control-with-deflate-ignored", h.rsv&4 != 0 && control && l.agreed, 1002},
		rule{"rsv-on-control-ignored", h.rsv != 0 && control && !(l.agreed && h.rsv == 4), 1002},
		rule{"rsv1-on-continuation-ignored", h.rsv&4 != 0 && h.op == opCont && l.agreed, 1002},
		rule{"opcode-3-to-7-ignored", h.op > opBinary && data && !l.odd("opcode-reserved-is-binary"), 1002},
		rule{"opcode-11-to-15-ignored", h.op > opPong, 1002},
		rule{"control-fragmented-accepted", control && !h.fin && h.op != opClose, 1002},
		rule{"close-fragmented-accepted", control && !h.fin && h.op == opClose, 1002},
		rule{"control-long-accepted", control && h.n > 125 && h.op != opClose, 1002},
		rule{"close-long-accepted", control && h.n > 125 && h.op == opClose, 1002},
		rule{"length-16-bits-not-minimal-accepted", h.bits == 16 && h.n < 126, 1002},
		rule{"length-64-bits-not-minimal-accepted", h.bits == 64 && h.n < 1<<16, 1002},
		rule{"length-top-bit-ignored", h.n>>63 != 0, 1002},
		rule{"unmasked-accepted", !h.masked && !l.client, 1002},
		rule{"masked-accepted", h.masked && l.client, 1002},
	))
}

// unmask takes the masking key off the payload's octets from pos on (§5.3).
func (l *link) unmask(h header, p []byte, pos uint64) {
	if !h.masked || l.odd("mask-not-removed-from-pings") && h.op == opPing {
		return
	}
	if l.odd("mask-goes-on-from-frame-to-frame") {
		pos = uint64(l.offset)
		l.offset = (l.offset + len(p)) % 4
	}
	again := ^uint64(0)
	if l.odd("mask-starts-again-after-4093") {
		again = 4093
	}
	for i := range p {
		p[i] ^= h.key[(pos+uint64(i))%again%4]
	}
}

// send writes a frame with FIN.
func (l *link) send(op byte, p []byte) error { return l.write(l.appendFrame(nil, op, 0, true, p)) }

// appendFrame appends a frame to b.
func (l *link) appendFrame(b []byte, op, rsv byte, fin bool, p []byte) []byte {
	l.frames++
	first := rsv<<4 | op
	if fin {
		first |= 0x80
	}
	masked := l.client != (l.odd("masks-wrongly") || l.odd("masks-wrongly-from-2nd-frame-on") && l.frames > 1)
	var mask byte
	if masked {
		mask = 0x80
	}
	b = append(b, first)
	switch n := len(p); {
	case n > 0xffff || l.odd("sends-64-bit-lengths"):
		b = binary.BigEndian.AppendUint64(append(b, 127|mask), uint64(n))
	case n > 125 || l.odd("sends-16-bit-lengths"), n == 125 && l.odd("sends-125-in-16-bits"):
		b = binary.BigEndian.AppendUint16(append(b, 126|mask), uint16(n))
	default:
		b = append(b, byte(n)|mask)
	}
	if !masked {
		return append(b, p...)
	}
	key := l.newKey()
	b = append(b, key[:]...)
	for i, c := range p {
		b = append(b, c^key[i%4])
	}
	return b
}

func (l *link) newKey() (key [4]byte) {
	rand.Read(key[:])
	switch {
	case l.odd("masks-with-zero"):
		key = [4]byte{}
	case l.odd("masks-with-the-same-key"):
		key = [4]byte{1, 2, 3, 4}
	}
	return key
}

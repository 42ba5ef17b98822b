package wire

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var key = [4]byte{1, 2, 3, 4}

// headers are golden: each is written and read.
var headers = []struct {
	name, octets string
	header       Header
}{
	{"empty text", "8100", Header{Fin: true, Opcode: Text, Form: 7}},
	{"first fragment", "0105", Header{Opcode: Text, Form: 7, Length: 5}},
	{"all reserved bits", "f87d", Header{Fin: true, RSV: RSV1 | RSV2 | RSV3, Opcode: Close, Form: 7, Length: 125}},
	{"one reserved bit", "c200", Header{Fin: true, RSV: RSV1, Opcode: Binary, Form: 7}},
	{"16 bits", "827e007e", Header{Fin: true, Opcode: Binary, Form: 16, Length: 126}},
	{"16 bits, full", "827effff", Header{Fin: true, Opcode: Binary, Form: 16, Length: 65535}},
	{"64 bits", "827f0000000000010000", Header{Fin: true, Opcode: Binary, Form: 64, Length: 65536}},
	{"top bit", "827fffffffffffffffff", Header{Fin: true, Opcode: Binary, Form: 64, Length: 1<<64 - 1}},
	{"16 bits for 5", "827e0005", Header{Fin: true, Opcode: Binary, Form: 16, Length: 5}},
	{"64 bits for 5", "827f0000000000000005", Header{Fin: true, Opcode: Binary, Form: 64, Length: 5}},
	{"masked", "898001020304", Header{Fin: true, Opcode: Ping, Masked: true, Key: key, Form: 7}},
	{"masked, 16 bits", "82fe007e01020304", Header{Fin: true, Opcode: Binary, Masked: true, Key: key, Form: 16, Length: 126}},
	{"masked, 64 bits", "82ff000000000001000001020304", Header{Fin: true, Opcode: Binary, Masked: true, Key: key, Form: 64, Length: 65536}},
	{"reserved opcode", "8f00", Header{Fin: true, Opcode: 15, Form: 7}},
}

func TestHeader_Reads_WhatItWrites(t *testing.T) {
	for _, tt := range headers {
		t.Run(tt.name, func(t *testing.T) {
			if got := hex.EncodeToString(tt.header.Append(nil)); got != tt.octets {
				t.Errorf("written as %s, want %s", got, tt.octets)
			}
			octets, _ := hex.DecodeString(tt.octets)
			got, n := parseHeader(append(octets, 0xaa, 0xaa))
			if n != len(octets) {
				t.Errorf("read %d octets, want %d", n, len(octets))
			}
			if diff := cmp.Diff(tt.header, got); diff != "" {
				t.Errorf("read as (-want +got):\n%s", diff)
			}
			for short := range octets {
				if _, n := parseHeader(octets[:short]); n != 0 {
					t.Errorf("%d octets of %d were enough", short, len(octets))
				}
			}
		})
	}
}

func TestHeader_Writes_TheShortestForm(t *testing.T) {
	for _, length := range []uint64{0, 125, 126, 65535, 65536, 1 << 40} {
		h, n := parseHeader(Header{Length: length}.Append(nil))
		if n == 0 || h.Length != length || h.Form != shortest(length) {
			t.Errorf("%d came back as %d, with %d bits", length, h.Length, h.Form)
		}
	}
}

func TestMask_Masks_FromAnyPlace(t *testing.T) {
	for size := range 40 {
		plain := bytes.Repeat([]byte("swan on the lake"), 3)[:size]
		for cut := range size + 1 {
			got := bytes.Clone(plain)
			Mask(key, 0, got[:cut])
			Mask(key, cut, got[cut:])
			for i := range got {
				if got[i] != plain[i]^key[i%4] {
					t.Fatalf("octet %d of %d, cut at %d", i, size, cut)
				}
			}
		}
	}
	zero := []byte("swan")
	if Mask([4]byte{}, 0, zero); string(zero) != "swan" {
		t.Error("a key of zeros changed something")
	}
}

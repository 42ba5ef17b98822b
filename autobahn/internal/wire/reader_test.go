package wire

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// seen is an Item as tests look at it.
type seen struct {
	Kind    Kind
	Opcode  byte // of the message, or the frame
	Payload string
	Fault   string
}

// readAll feeds octets in pieces and returns all items.
func readAll(r *Reader, octets []byte, piece int) (items []seen) {
	for p := bytes.Clone(octets); len(p) > 0; p = p[min(piece, len(p)):] {
		r.Feed(bytes.Clone(p[:min(piece, len(p))]))
		for item, ok := r.Next(); ok; item, ok = r.Next() {
			s := seen{item.Kind, item.Header.Opcode, string(item.Payload), item.Fault}
			switch item.Kind {
			case Message:
				s.Opcode = item.First.Opcode
			case Fragment:
				s.Payload = string(item.Head)
			}
			items = append(items, s)
		}
	}
	return items
}

// conversation is a server's: fragments with a ping between them, large and empty
// messages, and a Close.
func conversation() []byte {
	var b []byte
	add := func(h Header, payload string) {
		h.Length = uint64(len(payload))
		b = append(h.Append(b), payload...)
	}
	add(Header{Opcode: Text}, "sw")
	add(Header{Fin: true, Opcode: Ping}, "are you there?")
	add(Header{Opcode: Continuation}, "")
	add(Header{Fin: true, Opcode: Continuation}, "an")
	add(Header{Fin: true, Opcode: Binary}, strings.Repeat("x", 300))
	add(Header{Fin: true, Opcode: Text}, "")
	add(Header{Fin: true, Opcode: Close}, "\x03\xe8bye")
	return b
}

func TestReader_FindsTheSame_HoweverOctetsArrive(t *testing.T) {
	want := []seen{
		{Fragment, Text, "sw", ""},
		{Control, Ping, "are you there?", ""},
		{Fragment, Continuation, "", ""},
		{Message, Text, "swan", ""},
		{Message, Binary, strings.Repeat("x", 300), ""},
		{Message, Text, "", ""},
		{Control, Close, "\x03\xe8bye", ""},
	}
	octets := conversation()
	for piece := 1; piece <= len(octets); piece++ {
		if diff := cmp.Diff(want, readAll(new(Reader), octets, piece)); diff != "" {
			t.Fatalf("in pieces of %d (-want +got):\n%s", piece, diff)
		}
	}
}

func TestReader_Unmasks(t *testing.T) {
	payload := []byte("the swan is on the lake")
	b := Header{Fin: true, Opcode: Text, Masked: true, Key: key, Length: uint64(len(payload))}.Append(nil)
	b = append(b, payload...)
	Mask(key, 0, b[len(b)-len(payload):])
	for piece := 1; piece <= len(b); piece++ {
		got := readAll(&Reader{FromClient: true}, b, piece)
		if want := []seen{{Message, Text, string(payload), ""}}; !cmp.Equal(want, got) {
			t.Fatalf("in pieces of %d: %v", piece, got)
		}
	}
}

func TestReader_Finds_Faults(t *testing.T) {
	tests := []struct {
		name, octets string
		fault        string // a part of it
		client       bool
		deflate      bool
	}{
		{name: "masked by a server", octets: "818001020304", fault: "must not mask"},
		{name: "not masked by a client", octets: "8100", fault: "must mask", client: true},
		{name: "reserved opcode", octets: "8300", fault: "opcode 3 is reserved"},
		{name: "reserved control opcode", octets: "8b00", fault: "opcode 11 is reserved"},
		{name: "top bit", octets: "827fffffffffffffffff", fault: "top bit"},
		{name: "long length", octets: "827e0005" + "0000000000", fault: "must not be written with 16 bits"},
		{name: "longer length", octets: "827f0000000000000005" + "0000000000", fault: "must not be written with 64 bits"},
		{name: "fragmented ping", octets: "0900", fault: "must not be fragmented"},
		{name: "large ping", octets: "897e007e" + strings.Repeat("00", 126), fault: "more than 125"},
		{name: "close of one octet", octets: "880103", fault: "two octets or none"},
		{name: "continuation of nothing", octets: "8000", fault: "no message to go on with"},
		{name: "message inside a message", octets: "01008100", fault: "inside another"},
		{name: "RSV1", octets: "c100", fault: "RSV is 100"},
		{name: "RSV2 with deflate", octets: "a100", fault: "RSV is 010", deflate: true},
		{name: "RSV1 of a continuation", octets: "0100c000", fault: "RSV is 100", deflate: true},
		{name: "RSV1 of a ping", octets: "c900", fault: "RSV is 100", deflate: true},
		{name: "too large", octets: "827e1001", fault: "larger than all that was sent"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			octets, err := hex.DecodeString(tt.octets)
			if err != nil {
				t.Fatal(err)
			}
			for piece := 1; piece <= len(octets); piece++ {
				items := readAll(&Reader{FromClient: tt.client, Deflate: tt.deflate, Limit: 4096}, octets, piece)
				found := false
				for _, s := range items {
					found = found || s.Kind == Violation && strings.Contains(s.Fault, tt.fault)
				}
				if !found {
					t.Errorf("in pieces of %d: %v", piece, items)
				}
			}
		})
	}
}

func TestReader_Allows_RSV1_WithDeflate(t *testing.T) {
	want := []seen{{Message, Text, "abc", ""}}
	if got := readAll(&Reader{Deflate: true}, []byte("\xc1\x03abc"), 5); !cmp.Equal(want, got) {
		t.Error(got)
	}
}

// After a fault all that matters is the Close.
func TestReader_PassesOver_WhatFollowsAFault(t *testing.T) {
	octets := []byte("\x83\x02zz" + "\x81\x04swan" + "\x89\x00" + "\x88\x02\x03\xea")
	want := []seen{{Violation, 3, "", "opcode 3 is reserved (§5.2)"}, {Control, Close, "\x03\xea", ""}}
	for piece := 1; piece <= len(octets); piece++ {
		if diff := cmp.Diff(want, readAll(new(Reader), octets, piece)); diff != "" {
			t.Errorf("in pieces of %d (-want +got):\n%s", piece, diff)
		}
	}
}

// A faulty Close is one all the same.
func TestReader_Shows_AFaultyClose(t *testing.T) {
	got := readAll(new(Reader), []byte("\xf8\x02\x03\xe8"), 1)
	want := []seen{{Violation, Close, "", "reserved bits are set: RSV is 111 (§5.2)"}, {Control, Close, "\x03\xe8", ""}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(conversation(), byte(3))
	f.Add([]byte("\x01\x01a\x89\x00\x80\x01b\x88\x00"), byte(1))
	f.Fuzz(func(t *testing.T, octets []byte, piece byte) {
		whole := readAll(new(Reader), octets, max(1, len(octets)))
		pieces := readAll(new(Reader), octets, int(piece)+1)
		if diff := cmp.Diff(whole, pieces); diff != "" {
			t.Errorf("in pieces of %d (-whole +pieces):\n%s", int(piece)+1, diff)
		}
	})
}

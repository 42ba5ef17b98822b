package frame

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

var benchHeaders = []Header{
	{Fin: true, Opcode: OpText, Length: 32, Masked: true, Key: testKey},
	{Fin: true, Opcode: OpText, Length: 1024, Masked: true, Key: testKey},
	{Fin: true, Opcode: OpText, Length: 1 << 20, Masked: true, Key: testKey},
	{Fin: true, Opcode: OpText, Length: 32},
}

func BenchmarkHeader_Parse(b *testing.B) {
	for _, want := range benchHeaders {
		wire := want.Append(nil)
		b.Run(fmt.Sprintf("%dbytes", len(wire)), func(b *testing.B) {
			b.ReportAllocs()
			var h Header
			for b.Loop() {
				if n, err := h.Parse(wire); n != len(wire) || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func BenchmarkHeader_Append(b *testing.B) {
	for _, h := range benchHeaders {
		b.Run(fmt.Sprintf("%dbytes", h.Size()), func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				dst = h.Append(dst[:0])
			}
		})
	}
}

// BenchmarkUTF8 sets the price of checking pieces against that of checking a text
// at once with the standard library.
func BenchmarkUTF8(b *testing.B) {
	for _, size := range []int{32, 125, 1 << 10, 64 << 10} {
		for _, text := range utf8Scripts {
			p := []byte(strings.Repeat(text.unit, size/len(text.unit)+1))[:size]
			b.Run(fmt.Sprintf("%s/%d", text.name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				var v UTF8
				for b.Loop() {
					v.Reset()
					v.Write(p)
				}
			})
			b.Run(fmt.Sprintf("std/%s/%d", text.name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					utf8.Valid(p)
				}
			})
		}
	}
}

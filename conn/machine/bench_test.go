package machine

import (
	"fmt"
	"testing"

	"github.com/swan-ws/websocket/frame"
)

// BenchmarkStep is the price of understanding one frame: header, unmasking and,
// for text, UTF-8.
func BenchmarkStep(b *testing.B) {
	for _, op := range []frame.Opcode{frame.OpBinary, frame.OpText} {
		for _, n := range []int{32, 125, 1 << 10, 64 << 10} {
			b.Run(fmt.Sprintf("%v/%d", op, n), func(b *testing.B) {
				client, server := New(Config{Role: Client}), New(Config{Role: Server})
				p := make([]byte, n)
				for i := range p {
					p[i] = 'a'
				}
				wire, _ := client.AppendMessage(nil, op, p)
				in := make([]byte, len(wire))
				b.SetBytes(int64(n))
				b.ReportAllocs()
				var ev Event
				for b.Loop() {
					copy(in, wire) // Step unmasks in place
					if n, err := server.Step(&ev, in); n != len(in) || !ev.Last || err != nil {
						b.Fatal(n, ev, err)
					}
				}
			})
		}
	}
}

// BenchmarkAppendMessage is the price of making one frame, for both roles.
func BenchmarkAppendMessage(b *testing.B) {
	for _, role := range []Role{Server, Client} {
		for _, n := range []int{32, 1 << 10, 64 << 10} {
			b.Run(fmt.Sprintf("%v/%d", role, n), func(b *testing.B) {
				e := New(Config{Role: role})
				p := make([]byte, n)
				var dst []byte
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					dst, _ = e.AppendMessage(dst[:0], frame.OpText, p)
				}
			})
		}
	}
}

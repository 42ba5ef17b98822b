package frame_test

import (
	"fmt"

	"github.com/swan-ws/websocket/frame"
)

// A masked "Hello" of §5.7 is read, unmasked, and written again as a server
// would send it.
func Example() {
	buf := []byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}

	var h frame.Header
	n, err := h.Parse(buf)
	if err != nil || n == 0 {
		fmt.Println("a fault, or more bytes are needed:", err)
		return
	}
	payload := buf[n:][:h.Length] // in a program, compare h.Length with what there is first
	frame.Mask(payload, h.Key, 0)
	fmt.Printf("%v, fin %v, masked %v: %s\n", h.Opcode, h.Fin, h.Masked, payload)

	reply := frame.Header{Fin: true, Opcode: h.Opcode, Length: h.Length}
	out := append(reply.Append(nil), payload...)
	fmt.Printf("% x\n", out)

	// Output:
	// text, fin true, masked true: Hello
	// 81 05 48 65 6c 6c 6f
}

func ExampleHeader_Parse_needMore() {
	var h frame.Header
	n, err := h.Parse([]byte{0x82, 0x7e, 0x01}) // the second byte of the length is missing
	fmt.Println(n, err, h.Opcode)
	// Output: 0 <nil> binary
}

func ExampleMask_inPieces() {
	key := frame.Key{0x37, 0xfa, 0x21, 0x3d}
	p := []byte("Hello")
	pos := frame.Mask(p[:2], key, 0)
	frame.Mask(p[2:], key, pos)
	fmt.Printf("% x\n", p)
	// Output: 7f 9f 4d 51 58
}

func ExampleParseClose() {
	p := frame.AppendClose(nil, frame.CloseGoingAway, "see you")
	code, reason, err := frame.ParseClose(p)
	fmt.Printf("%v, %q, %v\n", code, reason, err)
	// Output: 1001 going away, "see you", <nil>
}

func ExampleUTF8() {
	var v frame.UTF8
	for _, piece := range []string{"caf\xc3", "\xa9"} { // é is cut in two
		fmt.Println(v.Write([]byte(piece)), v.Complete())
	}
	// Output:
	// true false
	// true true
}

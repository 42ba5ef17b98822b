package machine_test

import (
	"fmt"

	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// An echo server without a network: bytes in, bytes out. The client's are those of
// §5.7, a text in two fragments with a Ping between, and then a Close.
func Example() {
	in := []byte("\x01\x83\x37\xfa\x21\x3d\x7f\x9f\x4d" + // "Hel", more to come
		"\x89\x80\x00\x00\x00\x00" + // Ping
		"\x80\x82\x3d\x21\xfa\x37\x51\x4e" + // "lo", the end
		"\x88\x82\x00\x00\x00\x00\x03\xe8") // Close 1000

	e := machine.New(machine.Config{Role: machine.Server, MaxMessage: 1 << 20})
	var ev machine.Event
	var message, out []byte
	for {
		n, err := e.Step(&ev, in)
		if err != nil {
			out = e.AppendFail(out, err) // write it, and close the connection
			break
		}
		in = in[n:]
		if ev.Kind == machine.NeedMore {
			break // a program would read more behind what is left of in
		}
		if ev.Kind == machine.Data {
			message = append(message, ev.Payload...)
			if ev.Last {
				fmt.Printf("%v message: %s\n", ev.Opcode, message)
				out, _ = e.AppendMessage(out, ev.Opcode, message)
				message = message[:0]
			}
		}
		out = e.AppendReply(out, &ev)
	}
	fmt.Printf("% x\n", out)

	// Output:
	// text message: Hello
	// 8a 00 81 05 48 65 6c 6c 6f 88 02 03 e8
}

// A fault knows the Close frame that it deserves.
func ExampleEndpoint_AppendFail() {
	e := machine.New(machine.Config{Role: machine.Server})
	var ev machine.Event
	_, err := e.Step(&ev, []byte("\x81\x05Hello")) // not masked
	fmt.Println(err)
	fmt.Printf("%q\n", e.AppendFail(nil, err))
	// Output:
	// protocol error 1002: frame from a client is not masked (RFC 6455 §5.1)
	// "\x88#\x03\xeaframe from a client is not masked"
}

// Both ends in one program: what one appends, the other steps through.
func ExampleEndpoint_AppendFragment() {
	client := machine.New(machine.Config{Role: machine.Client})
	server := machine.New(machine.Config{Role: machine.Server})

	wire, _ := client.AppendFragment(nil, frame.OpText, false, []byte("Hel"))
	wire, _ = client.AppendPing(wire, []byte("still there?"))
	wire, _ = client.AppendFragment(wire, frame.OpText, true, []byte("lo"))

	var ev machine.Event
	for len(wire) > 0 {
		n, err := server.Step(&ev, wire)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%v %q\n", ev.Kind, ev.Payload)
		wire = wire[n:]
	}
	// Output:
	// data "Hel"
	// ping "still there?"
	// data "lo"
}

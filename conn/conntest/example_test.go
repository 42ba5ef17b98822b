package conntest_test

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
)

func ExamplePipe() {
	a, b := conntest.Pipe()
	a.Write([]byte("hello")) // buffered: nobody has to be reading yet
	a.Close()

	p, err := io.ReadAll(b)
	fmt.Printf("%s %v\n", p, err)
	// Output: hello <nil>
}

func ExampleFailAt() {
	// Greet reads a name and answers; it meets a fault at every point.
	greet := func(nc net.Conn) error {
		defer nc.Close()
		name := make([]byte, 4)
		if _, err := nc.Read(name); err != nil {
			return fmt.Errorf("no name: %w", err)
		}
		if _, err := nc.Write(append([]byte("Hello, "), name...)); err != nil {
			return fmt.Errorf("no greeting: %w", err)
		}
		return nil
	}
	for n := 1; ; n++ {
		a, b := conntest.Pipe()
		b.Write([]byte("Leda"))
		f := conntest.FailAt(a, n, nil)
		fmt.Println(n, greet(f))
		if f.Ops() < n {
			break
		}
	}
	// Output:
	// 1 no name: injected fault
	// 2 no greeting: injected fault
	// 3 <nil>
}

func ExampleHex() {
	fmt.Printf("% x\n", conntest.Hex(`
		81 05 "Hello"   ; a text frame
		8802 03e8       ; a Close frame
	`))
	// Output: 81 05 48 65 6c 6c 6f 88 02 03 e8
}

func ExampleScript() {
	a, b := conntest.Pipe()
	go io.Copy(a, a) // what is tested: here, an echo
	defer b.Close()

	frame := conntest.Hex(`81 05 "Hello"`)
	err := new(conntest.Script).Send(frame).Expect(frame).Run(b)
	fmt.Println(err)
	// Output: <nil>
}

func ExampleParseScript() {
	a, b := conntest.Pipe()
	defer a.Close()
	a.Write(conntest.Hex("88 02 03ea")) // what is tested sends a Close frame

	err := conntest.ParseScript(`
		# The other end gives status code 1000 in its Close frame.
		< 88 02 03e8
		< EOF
	`).Run(b)
	fmt.Println(err)
	// Output:
	// script line 3: byte 0x3 differs
	//   want 0000  88 02 03 e8                                      |....|
	//   got  0000  88 02 03 ea                                      |....|
	//                       ^^
}

func ExamplePair() {
	ctx := context.Background()
	server, client := conntest.Pair(conn.Options{}, conn.Options{})
	defer server.CloseNow()
	defer client.CloseNow()

	client.WriteText(ctx, "hello")
	m, err := server.Read(ctx)
	fmt.Printf("%v %s %v\n", m.Type, m.Data, err)
	// Output: text hello <nil>
}

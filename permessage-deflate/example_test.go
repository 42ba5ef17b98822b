package deflate_test

import (
	"fmt"
	"strings"

	"github.com/swan-ws/websocket/handshake"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// What both sides of the opening handshake do, and then with a message.
func Example() {
	client := deflate.Options{}
	server := deflate.Options{Mode: deflate.Takeover, WindowBits: 12}

	offers := client.Offer()
	fmt.Printf("> %s\n", handshake.AppendExtensions(nil, offers[:1]))
	agreed, answer, ok := server.Accept(offers)
	if !ok {
		fmt.Println("no compression")
		return
	}
	fmt.Printf("< %s\n", handshake.AppendExtensions(nil, []handshake.Extension{answer}))
	if _, err := client.Confirm(answer); err != nil {
		fmt.Println(err)
		return
	}

	out := deflate.NewCompressor(server.Level, agreed.ServerMaxWindowBits, !agreed.ServerNoContextTakeover)
	in := deflate.NewDecompressor(agreed.ServerMaxWindowBits, !agreed.ServerNoContextTakeover)
	message := []byte(strings.Repeat("a swan on a lake. ", 50))
	if server.Worthwhile(len(message)) {
		payload, shorter := out.Append(nil, message)
		fmt.Println(shorter, len(payload) < len(message)/10)
		inflated, err := in.Append(nil, payload, 1<<20)
		fmt.Println(len(inflated), err)
	}
	// Output:
	// > permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits
	// < permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=12
	// true true
	// 900 <nil>
}

// An answer that the RFC has a client refuse.
func ExampleOptions_Confirm() {
	o := deflate.Options{}
	answer := handshake.Extension{Name: deflate.Name, Params: []handshake.Param{{Name: "server_max_window_bits", Value: "16"}}}
	_, err := o.Confirm(answer)
	fmt.Println(err)
	// Output: permessage-deflate: server_max_window_bits is "16", want 8 to 15
}

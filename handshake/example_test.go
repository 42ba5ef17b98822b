package handshake_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/swan-ws/websocket/handshake"
)

// Both sides of one handshake, with the key of §1.3 instead of a new one.
func Example() {
	target, err := handshake.ParseURL("ws://server.example.com/chat")
	if err != nil {
		fmt.Println(err)
		return
	}
	offer := handshake.Offer{Target: target, Key: "dGhlIHNhbXBsZSBub25jZQ==", Subprotocols: []string{"chat", "superchat"}}
	ask, err := handshake.AppendRequest(nil, offer)
	if err != nil {
		fmt.Println(err)
		return
	}

	// The server reads the request, judges it and answers.
	r, _ := http.ReadRequest(bufio.NewReader(bytes.NewReader(ask)))
	req, err := handshake.ParseRequest(r)
	if err == nil {
		err = handshake.CheckOrigin(r, nil)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := handshake.AppendResponse(nil, handshake.Response{Key: req.Key, Subprotocol: req.Subprotocols[0]})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(strings.ReplaceAll(string(answer), "\r\n", "\n"))

	// The client reads the answer and judges it.
	resp, _ := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), nil)
	agreed, err := handshake.CheckResponse(resp, offer)
	fmt.Println("agreed on", agreed.Subprotocol, err)
	// Output:
	// HTTP/1.1 101 Switching Protocols
	// Upgrade: websocket
	// Connection: Upgrade
	// Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
	// Sec-WebSocket-Protocol: chat
	//
	// agreed on chat <nil>
}

func ExampleParseURL() {
	target, _ := handshake.ParseURL("wss://bücher.example:8443/ä?page=1")
	fmt.Println(target.Addr, target.RequestURI)
	_, err := handshake.ParseURL("wss://example.com/#top")
	fmt.Println(err)
	// Output:
	// xn--bcher-kva.example:8443 /%C3%A4?page=1
	// URL "wss://example.com/": a WebSocket URL has no fragment: escape # as %23 (RFC 6455 §3)
}

func ExampleParseExtensions() {
	list, _ := handshake.ParseExtensions([]string{`mux; max-channels="4"`, "deflate-stream"})
	fmt.Printf("%v\n%s\n", list, handshake.AppendExtensions(nil, list))
	// Output:
	// [{mux [{max-channels 4}]} {deflate-stream []}]
	// mux; max-channels=4, deflate-stream
}

func ExampleCheckOrigin() {
	r := &http.Request{Host: "api.example.com", Header: http.Header{"Origin": {"https://evil.example"}}}
	fmt.Println(handshake.CheckOrigin(r, []string{"https://*.example.com"}))
	r.Header.Set("Origin", "https://app.example.com")
	fmt.Println(handshake.CheckOrigin(r, []string{"https://*.example.com"}))
	// Output:
	// Origin: found "https://evil.example", want the site of Host "api.example.com" or one of the allowed origins (RFC 6455 §10.2)
	// <nil>
}

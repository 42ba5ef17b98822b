package websocket_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
)

// start runs a handler for as long as an example takes.
func start(h http.Handler) (url string, stop func()) {
	ts := httptest.NewServer(h)
	return "ws" + strings.TrimPrefix(ts.URL, "http"), ts.Close
}

// A handler that sends back what it gets.
func ExampleAccept() {
	echo := func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return // the response has been sent
		}
		defer c.CloseNow()
		for m, err := range c.Messages(r.Context()) {
			if err != nil {
				return
			}
			c.Write(r.Context(), m.Type, m.Data)
		}
	}
	url, stop := start(http.HandlerFunc(echo))
	defer stop()

	ctx := context.Background()
	c, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	c.WriteText(ctx, "hello")
	m, err := c.Read(ctx)
	fmt.Printf("%v %q %v\n", m.Type, m.Data, err)
	fmt.Println(c.Close(websocket.CloseNormal, "bye"))
	// Output:
	// text "hello" <nil>
	// <nil>
}

// In a program that imports package http2, under an http.Server of one's own.
func ExampleStreamHandler() {
	greet := func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		c.WriteText(r.Context(), "hello")
		c.Close(websocket.CloseNormal, "")
	}
	url, stop := start(websocket.StreamHandler(http.HandlerFunc(greet)))
	defer stop()

	ctx := context.Background()
	c, _, err := websocket.Dial(ctx, url, nil) // over HTTP/1.1, which it takes as before
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	m, err := c.Read(ctx)
	fmt.Printf("%s %v\n", m.Data, err)
	// Output:
	// hello <nil>
}

// Whoever is not known is refused before there is a connection.
func ExampleAccept_check() {
	options := &websocket.AcceptOptions{
		Check: func(r *http.Request) error {
			if r.Header.Get("Authorization") != "Bearer leda" {
				return &websocket.Rejection{Status: http.StatusUnauthorized, Body: "log in first"}
			}
			return nil
		},
	}
	url, stop := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := websocket.Accept(w, r, options); err == nil {
			c.Close(websocket.CloseNormal, "")
		}
	}))
	defer stop()

	_, _, err := websocket.Dial(context.Background(), url, nil)
	if refusal, ok := errors.AsType[*websocket.HandshakeError](err); ok {
		fmt.Println(refusal.Status, strings.TrimSpace(string(refusal.Body)))
	}
	// Output: 401 log in first
}

// Callbacks: what happens on a connection, in order. What they return is sent.
func ExampleService() {
	ended := make(chan struct{})
	service := &websocket.Service{
		OnOpen: func(c *websocket.Conn, r *http.Request) error {
			fmt.Println("open", r.URL.Path)
			return nil
		},
		OnText: func(c *websocket.Conn, m websocket.Message) (any, error) {
			fmt.Printf("text %s\n", m.Data)
			return "got it", nil
		},
		OnClose: func(c *websocket.Conn, err error) {
			fmt.Println("close", websocket.CloseStatus(err))
			close(ended)
		},
	}
	url, stop := start(service)
	defer stop()

	ctx := context.Background()
	c, _, err := websocket.Dial(ctx, url+"/room", nil)
	if err != nil {
		log.Fatal(err)
	}
	c.WriteText(ctx, "hello")
	c.Read(ctx)
	c.Close(websocket.CloseNormal, "")
	<-ended
	// Output:
	// open /room
	// text hello
	// close 1000 normal closure
}

// A client that agrees on a subprotocol, sends JSON and reads the answer.
func ExampleDial() {
	url, stop := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"sum.v1"}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		var numbers []int
		if err := c.ReadJSON(r.Context(), &numbers); err != nil {
			return
		}
		sum := 0
		for _, n := range numbers {
			sum += n
		}
		c.WriteJSON(r.Context(), sum)
		c.Close(websocket.CloseNormal, "")
	}))
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: []string{"sum.v1"}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	c.WriteJSON(ctx, []int{1, 2, 3})
	var sum int
	err = c.ReadJSON(ctx, &sum)
	fmt.Println(c.Subprotocol(), sum, err)
	_, err = c.Read(ctx)
	fmt.Println(websocket.CloseStatus(err))
	// Output:
	// sum.v1 6 <nil>
	// 1000 normal closure
}

// A client that connects again when the server restarts, until its session is done.
func ExampleKeep() {
	restarted := false
	url, stop := start(&websocket.Service{
		OnText: func(*websocket.Conn, websocket.Message) (any, error) {
			if restarted {
				return "welcome back", nil
			}
			restarted = true
			return websocket.CloseServiceRestart, nil
		},
	})
	defer stop()

	o := &websocket.DialOptions{Retry: &websocket.Retry{Interval: time.Millisecond}}
	err := websocket.Keep(context.Background(), url, o, func(ctx context.Context, c *websocket.Conn) error {
		if err := c.WriteText(ctx, "hello"); err != nil {
			return err
		}
		m, err := c.Read(ctx)
		fmt.Printf("%q %v\n", m.Data, websocket.CloseStatus(err))
		return err
	})
	fmt.Println(err)
	// Output:
	// "" 1012 service restart
	// "welcome back" 0
	// <nil>
}

// A server of its own, which says goodbye to everybody when it ends.
func ExampleServer() {
	greet := &websocket.Service{
		OnOpen: func(c *websocket.Conn, r *http.Request) error { return websocket.Send(c, "welcome") },
	}
	server := &websocket.Server{Handler: greet, MaxConns: 1000}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- server.Serve(l) }()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+l.Addr().String(), nil)
	if err != nil {
		log.Fatal(err)
	}
	m, _ := c.Read(ctx)
	fmt.Printf("%s\n", m.Data)

	stopped := make(chan error)
	go func() { stopped <- server.Shutdown(ctx) }()
	_, err = c.Read(ctx)
	fmt.Println(err)
	fmt.Println(<-stopped, errors.Is(<-served, http.ErrServerClosed))
	// Output:
	// welcome
	// websocket: closed by peer: 1001 going away: "server is shutting down"
	// <nil> true
}

// One message for many: its frame is built once.
func ExamplePrepare() {
	server1, client1 := conntest.Pair(websocket.ConnOptions{}, websocket.ConnOptions{})
	server2, client2 := conntest.Pair(websocket.ConnOptions{}, websocket.ConnOptions{})

	ctx := context.Background()
	news := websocket.Prepare(websocket.Text, []byte("the swan is back"))
	for _, c := range []*websocket.Conn{server1, server2} {
		if err := c.Send(ctx, news); err != nil {
			log.Print(err)
		}
	}
	for _, c := range []*websocket.Conn{client1, client2} {
		m, err := c.Read(ctx)
		fmt.Printf("%s %v\n", m.Data, err)
		c.CloseNow()
	}
	// Output:
	// the swan is back <nil>
	// the swan is back <nil>
}

// A message of any length goes through in pieces: neither side holds all of it.
func ExampleConn_Reader() {
	server, client := conntest.Pair(websocket.ConnOptions{MaxMessage: -1}, websocket.ConnOptions{})
	defer server.CloseNow()
	ctx := context.Background()
	go func() {
		w, err := client.Writer(ctx, websocket.Text)
		if err != nil {
			return
		}
		for i := range 100_000 {
			fmt.Fprintln(w, "line", i)
		}
		w.Close() // ends the message
	}()

	_, r, err := server.Reader(ctx)
	if err != nil {
		log.Fatal(err)
	}
	lines := 0
	for s := bufio.NewScanner(r); s.Scan(); {
		lines++
	}
	fmt.Println(lines)
	// Output: 100000
}

// A protocol that wants a stream gets one.
func ExampleNetConn() {
	server, client := conntest.Pair(websocket.ConnOptions{}, websocket.ConnOptions{})
	go func() {
		nc := websocket.NetConn(server, websocket.Binary)
		io.Copy(nc, strings.NewReader("bytes in messages, messages forgotten"))
		nc.Close()
	}()
	p, err := io.ReadAll(websocket.NetConn(client, websocket.Binary))
	fmt.Printf("%s %v\n", p, err)
	// Output: bytes in messages, messages forgotten <nil>
}

// The end of a connection as an error: who ended it, and why.
func ExampleCloseError() {
	server, client := conntest.Pair(websocket.ConnOptions{}, websocket.ConnOptions{})
	ctx := context.Background()
	go server.Close(websocket.ClosePolicyViolation, "too chatty")

	_, err := client.Read(ctx)
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
		fmt.Println(closed.Code, closed.Reason, closed.Remote)
	}
	fmt.Println(errors.Is(err, net.ErrClosed))
	// Output:
	// 1008 policy violation too chatty true
	// true
}

// A service is tested without a network: hand it one end of a pair, and play the
// peer with the other.
func ExampleService_Serve() {
	shout := &websocket.Service{
		OnText: func(c *websocket.Conn, m websocket.Message) (any, error) {
			return strings.ToUpper(string(m.Data)), nil
		},
	}
	server, client := conntest.Pair(shout.ConnOptions(), websocket.ConnOptions{})
	served := make(chan struct{})
	go func() { defer close(served); shout.Serve(server, nil) }()

	ctx := context.Background()
	client.WriteText(ctx, "quiet")
	m, err := client.Read(ctx)
	fmt.Printf("%s %v\n", m.Data, err)
	client.Close(websocket.CloseNormal, "")
	<-served
	// Output: QUIET <nil>
}

// The protocol without a connection: bytes in, events out, and the bytes that are
// owed in return.
func Example_machine() {
	server := machine.New(machine.Config{Role: machine.Server, MaxMessage: 1 << 20})
	client := machine.New(machine.Config{Role: machine.Client})

	wire, _ := client.AppendPing(nil, []byte("still there?"))
	wire, _ = client.AppendClose(wire, websocket.CloseNormal, "bye")

	var ev machine.Event
	var owed []byte
	for len(wire) > 0 {
		n, err := server.Step(&ev, wire)
		if err != nil {
			owed = server.AppendFail(owed, err)
			break
		}
		fmt.Printf("%v %q\n", ev.Kind, ev.Payload)
		owed = server.AppendReply(owed, &ev)
		wire = wire[n:]
	}
	fmt.Printf("%q\n", owed)
	// Output:
	// ping "still there?"
	// close "bye"
	// "\x8a\fstill there?\x88\x02\x03\xe8"
}

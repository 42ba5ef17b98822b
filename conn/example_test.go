package conn_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/frame"
)

func ExampleConn_Messages() {
	ctx := context.Background()
	server, client := conntest.Pair(conn.Options{}, conn.Options{})
	go func() {
		for m, err := range server.Messages(ctx) {
			if err != nil {
				return // the client has closed
			}
			server.Write(ctx, m.Type, m.Data) // m.Data is valid until the next turn
		}
	}()

	client.WriteText(ctx, "hello")
	m, err := client.Read(ctx)
	fmt.Printf("%v %s %v\n", m.Type, m.Data, err)
	fmt.Println(client.Close(frame.CloseNormal, "done"))
	fmt.Println(client.Err())
	// Output:
	// text hello <nil>
	// <nil>
	// websocket: closed: 1000 normal closure: "done"
}

// A read that was given up can be tried again: nothing is lost.
func ExampleConn_Read_givenUp() {
	server, client := conntest.Pair(conn.Options{}, conn.Options{})
	defer server.CloseNow()
	defer client.CloseNow()

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := server.Read(ctx)
	fmt.Println(errors.Is(err, context.Canceled), err)

	client.WriteText(context.Background(), "still here")
	m, err := server.Read(context.Background())
	fmt.Printf("%s %v\n", m.Data, err)
	// Output:
	// true websocket: read given up: context canceled
	// still here <nil>
}

// One goroutine sends to many. Those whose peers have not taken yet what was sent
// before get a goroutine of their own.
func ExampleConn_TrySend() {
	ctx := context.Background()
	server, client := conntest.Pair(conn.Options{}, conn.Options{})
	defer server.CloseNow()
	defer client.CloseNow()

	news := conn.Prepare(conn.Text, []byte("the swan is back"))
	for _, c := range []*conn.Conn{server} {
		if n, err := c.TrySend(news); n == 0 && err == nil {
			go c.Send(ctx, news)
		}
	}
	m, err := client.Read(ctx)
	fmt.Printf("%s %v\n", m.Data, err)
	// Output:
	// the swan is back <nil>
}

func ExampleConn_Reader() {
	ctx := context.Background()
	server, client := conntest.Pair(conn.Options{}, conn.Options{})
	defer server.CloseNow()
	defer client.CloseNow()
	go client.WriteText(ctx, strings.Repeat("a line\n", 1000))

	_, r, err := server.Reader(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	lines := 0
	for s := bufio.NewScanner(r); s.Scan(); {
		lines++
	}
	fmt.Println(lines)
	// Output: 1000
}

func ExampleConn_Writer() {
	ctx := context.Background()
	server, client := conntest.Pair(conn.Options{}, conn.Options{})
	defer server.CloseNow()
	defer client.CloseNow()

	w, err := server.Writer(ctx, conn.Text)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 3 {
		fmt.Fprintf(w, "line %d\n", i)
	}
	if err := w.Close(); err != nil { // only now is it a message
		fmt.Println(err)
		return
	}
	m, _ := client.Read(ctx)
	fmt.Printf("%s", m.Data)
	// Output:
	// line 0
	// line 1
	// line 2
}

func ExampleConn_Ping() {
	ctx := context.Background()
	server, client := conntest.Pair(conn.Options{}, conn.Options{})
	defer client.CloseNow()
	for _, c := range []*conn.Conn{server, client} {
		go func() { // a Pong is met by whoever reads
			for range c.Messages(ctx) {
			}
		}()
	}
	rtt, err := client.Ping(ctx)
	fmt.Println(rtt > 0, err)
	// Output: true <nil>
}

func ExamplePrepare() {
	ctx := context.Background()
	news := conn.Prepare(conn.Text, []byte("the swans are back"))
	for range 3 {
		server, client := conntest.Pair(conn.Options{}, conn.Options{})
		defer server.CloseNow()
		defer client.CloseNow()
		server.Send(ctx, news) // the same bytes for all
		m, err := client.Read(ctx)
		fmt.Printf("%s %v\n", m.Data, err)
	}
	// Output:
	// the swans are back <nil>
	// the swans are back <nil>
	// the swans are back <nil>
}

func ExampleNetConn() {
	server, client := conntest.Pair(conn.Options{}, conn.Options{})
	var a, b net.Conn = conn.NetConn(server, conn.Binary), conn.NetConn(client, conn.Binary)
	go func() {
		io.WriteString(a, "a stream ")
		io.WriteString(a, "of bytes")
		a.Close()
	}()
	p, err := io.ReadAll(b)
	fmt.Printf("%s %v\n", p, err)
	// Output: a stream of bytes <nil>
}

func ExampleCloseStatus() {
	server, client := conntest.Pair(conn.Options{}, conn.Options{})
	go client.Close(frame.CloseGoingAway, "end of the day")

	_, err := server.Read(context.Background())
	switch conn.CloseStatus(err) {
	case frame.CloseNormal, frame.CloseGoingAway:
		fmt.Println("bye")
	default:
		fmt.Println("trouble:", err)
	}
	// Output: bye
}

func ExampleObserver() {
	var open, messages, saved atomic.Int64
	observer := &conn.Observer{
		Opened: func(*conn.Conn) { open.Add(1) },
		Ended: func(_ *conn.Conn, e conn.End) {
			open.Add(-1)
			fmt.Println("ended:", e.Code, "by the peer:", e.Remote)
		},
		Received: func(_ *conn.Conn, t conn.Traffic) {
			if !t.Opcode.IsControl() {
				messages.Add(1)
				saved.Add(t.Bytes - t.Wire) // by compression; its frame's header is in Wire
			}
		},
	}

	ctx := context.Background()
	server, client := conntest.Pair(conn.Options{Observer: observer}, conn.Options{})
	client.WriteText(ctx, "hello")
	go client.Close(frame.CloseGoingAway, "")
	for range server.Messages(ctx) {
	}
	<-server.Done() // Ended has been called by then
	fmt.Println("open:", open.Load(), "messages:", messages.Load(), "saved:", saved.Load())
	// Output:
	// ended: 1001 going away by the peer: true
	// open: 0 messages: 1 saved: -6
}

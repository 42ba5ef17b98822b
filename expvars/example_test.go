package expvars_test

import (
	"context"
	"expvar"
	"fmt"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/expvars"
)

func ExamplePublish() {
	observer := expvars.Publish("websocket") // for Options.Conn of a server.Service, or a client
	ctx := context.Background()
	server, client := conntest.Pair(conn.Options{Observer: observer}, conn.Options{})
	defer server.CloseNow()
	defer client.CloseNow()
	client.WriteText(ctx, "hello")
	server.Read(ctx)

	vars := expvar.Get("websocket").(*expvar.Map) // which /debug/vars serves
	fmt.Println("open:", vars.Get("connections"))
	fmt.Println("received:", vars.Get("received"))
	// Output:
	// open: 1
	// received: {"text": {"messages": 1, "bytes": 5, "wire_bytes": 11}, "binary": {"messages": 0, "bytes": 0, "wire_bytes": 0}, "ping": {"messages": 0, "bytes": 0, "wire_bytes": 0}, "pong": {"messages": 0, "bytes": 0, "wire_bytes": 0}, "close": {"messages": 0, "bytes": 0, "wire_bytes": 0}}
}

package prometheus_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	wsprometheus "github.com/swan-ws/websocket/prometheus"
	"github.com/swan-ws/websocket/server"
)

func Example() {
	ctx := context.Background()
	metrics := wsprometheus.New(prometheus.Labels{"service": "echo"})
	prometheus.MustRegister(metrics)
	service := &server.Service{
		OnMessage: func(c *conn.Conn, m conn.Message) (any, error) { return m, nil },
	}
	mux := http.NewServeMux()
	mux.Handle("/echo", service)
	mux.Handle("/metrics", promhttp.Handler())
	srv := &server.Server{Addr: "localhost:0", Handler: mux, Observer: metrics.Observer()}
	addr, err := srv.Listen()
	if err != nil {
		fmt.Println(err)
		return
	}
	go srv.ListenAndServe()
	defer srv.Close()

	c, _, err := client.Dial(ctx, "ws://"+addr.String()+"/echo", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	c.WriteText(ctx, "hello")
	c.Read(ctx)

	resp, err := http.Get("http://" + addr.String() + "/metrics")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "websocket_connections{") || strings.HasPrefix(line, "websocket_messages_total") && strings.Contains(line, `"received"`) && strings.Contains(line, "text") {
			fmt.Print(line)
		}
	}
	// Output:
	// websocket_connections{service="echo"} 1
	// websocket_messages_total{direction="received",service="echo",type="text"} 1
}

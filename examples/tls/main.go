// Command tls is the echo over TLS, so that nobody on the way can read along.
//
// It needs a certificate. Any will do, such as one that you make yourself:
//
//	go run "$(go env GOROOT)/src/crypto/tls/generate_cert.go" -host localhost
//	go run ./examples/tls
//
// Then greet it:
//
//	go run ./examples/tls/client
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/swan-ws/websocket"
)

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /ws", &websocket.Service{
		OnText: websocket.OnMessage(func(c *websocket.Conn, text string) (any, error) {
			return "Echo: " + text, nil
		}),
	})
	return mux
}

func main() {
	addr := flag.String("addr", "localhost:8443", "where to listen")
	cert := flag.String("cert", "cert.pem", "file with the certificate")
	key := flag.String("key", "key.pem", "file with its private key")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	config, err := websocket.TLSFiles{Cert: *cert, Key: *key}.Config()
	if err != nil {
		log.Fatal(err)
	}
	server := &websocket.Server{Addr: *addr, TLSConfig: config, Handler: handler()}
	if err := server.Run(ctx); err != nil {
		log.Fatal(err)
	}
}

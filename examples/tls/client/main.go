// Command client greets a server whose certificate is its own, and prints the
// response.
//
//	go run ./examples/tls/client
//
// It prints:
//
//	Response: Echo: Hello!
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/swan-ws/websocket"
)

func main() {
	url := flag.String("url", "wss://localhost:8443/ws", "the server")
	trusted := flag.String("trust", "cert.pem", "file with the certificates to trust, instead of the system's")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	resp, err := greet(ctx, *url, *trusted)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Response:", resp)
}

func greet(ctx context.Context, url, trusted string) (resp string, err error) {
	pem, err := os.ReadFile(trusted)
	if err != nil {
		return "", err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return "", errors.New(trusted + " has no certificate")
	}
	c, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		TLSConfig: &tls.Config{RootCAs: roots},
	})
	if err != nil {
		return "", err
	}
	defer c.Close(websocket.CloseNormal, "")
	if err := c.WriteText(ctx, "Hello!"); err != nil {
		return "", err
	}
	return websocket.ReadValue[string](ctx, c)
}

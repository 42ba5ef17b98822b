package server_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

// Port 0 is a free one. Listen says which, before anybody is served.
func ExampleServer_Listen() {
	srv := &server.Server{
		Addr: "127.0.0.1:0",
		Handler: &server.Service{
			OnText: func(_ *conn.Conn, m conn.Message) (any, error) { return "Echo: " + string(m.Data), nil },
		},
	}
	addr, err := srv.Listen()
	if err != nil {
		log.Fatal(err)
	}
	go srv.ListenAndServe()
	defer srv.Close()

	ctx := context.Background()
	c, _, err := client.Dial(ctx, "ws://"+addr.String(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	c.WriteText(ctx, "Hello!")
	m, err := c.Read(ctx)
	fmt.Println(string(m.Data), err)
	// Output: Echo: Hello! <nil>
}

// A server whose clients must have certificates of its own authority. All files may
// be renewed while it runs.
func ExampleTLSFiles() {
	config, err := server.TLSFiles{
		Cert:      "/etc/swan/cert.pem",
		Key:       "/etc/swan/key.pem",
		ClientCAs: "/etc/swan/clients.pem",
		Base:      &tls.Config{MinVersion: tls.VersionTLS13},
	}.Config()
	if err != nil {
		log.Fatal(err)
	}
	devices := &server.Service{
		OnOpen: func(c *conn.Conn, r *http.Request) error {
			log.Println(server.PrincipalOf(c).Name, "is here")
			return nil
		},
	}
	srv := &server.Server{
		Addr:      ":8443",
		TLSConfig: config,
		Handler:   server.Authenticate(devices, server.ClientCertificate),
	}
	log.Fatal(srv.ListenAndServeTLS("", ""))
}

// Services that come and go.
func ExampleMux() {
	mux := new(server.Mux)
	ts := httptest.NewServer(mux) // or a Server with Handler: mux
	defer ts.Close()
	status := func() int {
		resp, err := http.Get(ts.URL + "/time")
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}

	clock := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "late") })
	fmt.Println(status())
	fmt.Println(mux.Attach("GET /time", clock), status())
	fmt.Println(mux.Attach("GET /time", clock))
	fmt.Println(mux.Detach("GET /time"), status())
	// Output:
	// 404
	// <nil> 200
	// websocket: Attach("GET /time"): there is a handler already
	// <nil> 404
}

// Users with passwords from a file, programs with tokens.
func ExampleAuthenticate() {
	users, err := server.ParseUsers( // LoadUsers takes a file
		"ada:$pbkdf2-sha256$i=6400$0ZrzXitFSGltTQnBWOsdAw$Y11AchqV4b0sUisdZd0Xr97KWoymNE0LNNrnEgY4H9M:chat")
	if err != nil {
		log.Fatal(err)
	}
	tokens := map[[32]byte]*server.Principal{ // no clock tells what is in here
		sha256.Sum256([]byte("a long random token")): {Name: "clock", Scopes: []string{"chat"}},
	}
	verify := func(_ context.Context, token string) (*server.Principal, error) {
		if p := tokens[sha256.Sum256([]byte(token))]; p != nil {
			return p, nil
		}
		return nil, errors.New("no such token")
	}
	chat := &server.Service{
		Options: server.Options{Check: server.AnyScope("chat", "admin")},
		OnText: func(c *conn.Conn, m conn.Message) (any, error) {
			return server.PrincipalOf(c).Name + ": " + string(m.Data), nil
		},
		Logger: quiet(),
	}
	handler := server.Authenticate(chat, server.Basic("swans", users.Login), server.Bearer("swans", verify))

	ts := httptest.NewServer(handler)
	defer ts.Close()
	ctx := context.Background()
	c, _, err := client.Dial(ctx, "ws"+strings.TrimPrefix(ts.URL, "http"), &client.Options{
		Header: http.Header{"Authorization": {"Bearer a long random token"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	c.WriteText(ctx, "noon")
	m, err := c.Read(ctx)
	fmt.Println(string(m.Data), err)
	// Output: clock: noon <nil>
}

// The line of a user, as it goes into the file of LoadUsers.
func ExampleUserLine() {
	line, err := server.UserLine("ada", "swan lake", "chat", "admin")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(line[:len("ada:$pbkdf2-sha256$i=600000$")], line[len(line)-len(":chat admin"):])

	users, err := server.ParseUsers(line)
	if err != nil {
		log.Fatal(err)
	}
	p, err := users.Login(context.Background(), "ada", "swan lake")
	fmt.Println(p.Name, p.Has("admin"), err)
	// Output:
	// ada:$pbkdf2-sha256$i=600000$ :chat admin
	// ada true <nil>
}

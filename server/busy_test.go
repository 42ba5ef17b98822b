package server_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

// The runtime interrupts who computes only while it watches. It rests with the program,
// and is roused by the system calls that it is told of: our own must see to it. The
// clients are another process, whose calls do not rouse it.
func TestService_ACallbackThatComputes_HoldsUpNobodyElse_OnOneProcessor(t *testing.T) {
	if mode := os.Getenv(computing); mode != "" {
		serveWhoComputes(t, mode == "loop")
		return
	}
	for _, mode := range []string{"goroutines", "loop"} {
		for name, before := range map[string]func(t *testing.T, c *conn.Conn){
			"after a rest": func(*testing.T, *conn.Conn) { <-time.After(100 * time.Millisecond) },
			"at work": func(t *testing.T, c *conn.Conn) {
				for range 500 {
					roundTrip(t, c, "swan")
				}
			},
		} {
			t.Run(mode+" "+name, func(t *testing.T) {
				url := startComputing(t, mode)
				var clients [2]*conn.Conn
				for i := range clients {
					c, _, err := client.Dial(t.Context(), url, &client.Options{Proxy: noProxy})
					if err != nil {
						t.Fatal(err)
					}
					defer c.CloseNow()
					clients[i] = c
				}
				defer time.AfterFunc(10*time.Second, func() { clients[1].CloseNow() }).Stop() // or it would wait for long
				before(t, clients[1])
				if err := clients[0].Write(t.Context(), conn.Text, []byte("compute")); err != nil {
					t.Fatal(err)
				}
				roundTrip(t, clients[1], "swan")
			})
		}
	}
}

// computing is set in the process that serves.
const computing = "WEBSOCKET_TEST_COMPUTES"

// startComputing returns where that process listens.
func startComputing(t *testing.T, mode string) (url string) {
	child := exec.Command(os.Args[0], "-test.run=^TestService_ACallbackThatComputes_HoldsUpNobodyElse_OnOneProcessor$")
	child.Env = append(os.Environ(), computing+"="+mode, "GOMAXPROCS=1")
	child.Stderr = os.Stderr
	if _, err := child.StdinPipe(); err != nil { // it ends with this process
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		child.Process.Kill()
		child.Wait()
	})
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return "ws://" + strings.TrimSpace(addr) + "/"
}

// serveWhoComputes serves until its input ends: it computes on one message for ever, and
// sends all others back.
func serveWhoComputes(t *testing.T, inLoop bool) {
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	srv := &server.Server{Addr: "127.0.0.1:0", Logger: quiet(), Handler: &server.Service{
		EventLoop: inLoop,
		OnMessage: func(_ *conn.Conn, m conn.Message) (any, error) {
			for string(m.Data) == "compute" {
			}
			return m, nil
		},
	}}
	at, err := srv.Listen()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(at)
	t.Fatal(srv.ListenAndServe())
}

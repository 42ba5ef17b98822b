// Command auth lets some in and refuses others, each with the status that says why.
//
//	go run ./examples/auth
//
// There are ada with the password "swan lake", who is an admin, and bob with "duck
// pond", who is not.
//
//	/seats?row=3   401 without name and password, or with wrong ones
//	/seats         400, since the row is missing
//	/admin         403 for bob
//	/broken        500: the program goes on
//	/stage         404
//
// To see one of them:
//
//	curl -i -u "bob:duck pond" -H "Connection: Upgrade" -H "Upgrade: websocket" \
//	  -H "Sec-WebSocket-Version: 13" -H "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" \
//	  http://localhost:8080/admin
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/server"
)

// Names, hashes of passwords, scopes. server.UserLine makes such lines.
const people = `
ada:$pbkdf2-sha256$i=600000$JnwACaRmFU6NGdw926WbeA$SzToE5EtEUxhaZkCz8ySVfEBeBOkFbVK/VVovtj306E:admin
bob:$pbkdf2-sha256$i=600000$Pik6Rbip4JcXfnKDAWPlSw$HiHYRf5nFoZG4psRs/73ZYmZwOTRpEQX6Hz5i4yZttc
`

func handler(users *server.Users) http.Handler {
	login := server.Basic("theatre", users.Login)
	admin := &websocket.Service{
		Options: websocket.AcceptOptions{Check: server.AnyScope("admin")},
		OnText:  answer,
	}
	mux := http.NewServeMux()
	mux.Handle("GET /seats", server.Authenticate(websocket.Upgrade(seats), login))
	mux.Handle("GET /admin", server.Authenticate(admin, login))
	mux.Handle("GET /broken", websocket.Upgrade(broken))
	return mux
}

// seats refuses a handshake that makes no sense, with an error that says how.
func seats(r *http.Request) (*websocket.Service, error) {
	if _, err := strconv.Atoi(r.URL.Query().Get("row")); err != nil {
		return nil, &websocket.Rejection{Status: http.StatusBadRequest, Body: "which row? Ask for /seats?row=3"}
	}
	return &websocket.Service{OnText: answer}, nil
}

func broken(r *http.Request) (*websocket.Service, error) { panic("the curtain does not open") }

func answer(c *websocket.Conn, m websocket.Message) (any, error) {
	return fmt.Sprintf("%s said %s", server.PrincipalOf(c).Name, m.Data), nil
}

func main() {
	addr := flag.String("addr", "localhost:8080", "where to listen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	users, err := server.ParseUsers(people)
	if err != nil {
		log.Fatal(err)
	}
	theatre := &websocket.Server{Addr: *addr, Handler: handler(users)}
	if err := theatre.Run(ctx); err != nil {
		log.Fatal(err)
	}
}

package server

import (
	"net"
	"net/http"
	"testing"

	"github.com/swan-ws/websocket/conn/conntest"
)

// A connection may end before the groups know that it has begun: its first letGo
// comes before hold then. Its place is given back once all the same.
func TestPlace_IsFreeOnce_WhenAConnectionEndsBeforeItIsHeld(t *testing.T) {
	a := newCrowd(2, nil)
	for range 2 {
		nc, _ := conntest.Pipe()
		if !a.admit(at{nc}) {
			t.Fatal("no place")
		}
	}
	if n := a.homes[homeOfTest].conns; n != 2 {
		t.Fatalf("%d connections", n)
	}
	var p *place
	for nc := range a.places {
		p = a.places[nc]
		p.enter()
		a.state(nc, http.StateHijacked)
		break
	}
	p.letGo(nil)
	p.hold(nil, 2)
	p.letGo(nil)
	if n := a.homes[homeOfTest].conns; n != 1 {
		t.Errorf("%d connections left, want 1", n)
	}
}

var homeOfTest, _ = homeOf(at{}.RemoteAddr())

type at struct{ net.Conn }

func (at) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }

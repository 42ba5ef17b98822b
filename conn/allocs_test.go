package conn_test

import (
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
)

// What a message costs the heap, whoever reads or writes it. Those are left out that
// make values of messages and messages of values: they allocate the values.

// A payload is a message: text that can be compressed, or bytes that cannot.
type payload struct {
	conn.MessageType
	p []byte
}

func (p payload) String() string { return fmt.Sprintf("%v of %d bytes", p.MessageType, len(p.p)) }

func payloads() (all []payload) {
	for _, size := range []int{16, 125, 126, 1 << 10, 16 << 10, 64 << 10} {
		all = append(all, payload{conn.Text, []byte(prose(size, 1))}, payload{conn.Binary, noise(size, 1)})
	}
	return all
}

// frames are the message as the peer of a connection in that role sends it, in n frames.
func (p payload) frames(role machine.Role, compressed bool, n int) (wire []byte) {
	b, first := p.p, byte(p.MessageType)
	if compressed {
		b, first = shrunk(b, nil), first|rsv1
	}
	for i := range n {
		if i == n-1 {
			first |= fin
		}
		wire = append(wire, to(role, first, string(b[len(b)*i/n:len(b)*(i+1)/n]))...)
		first = continuation
	}
	return wire
}

// agreements are what both sides may have agreed on about compression.
var agreements = []struct {
	name string
	*accord
}{{"plain", nil}, {"no takeover", &accords[0]}, {"takeover", &accords[1]}}

// eachAgreement calls test for each of them, and each role.
func eachAgreement(t *testing.T, test func(t *testing.T, compressed bool, newConn func(rwc io.ReadWriteCloser) *conn.Conn)) {
	for _, a := range agreements {
		for _, role := range roles {
			t.Run(fmt.Sprint(a.name, " ", role), func(t *testing.T) {
				test(t, a.accord != nil, func(rwc io.ReadWriteCloser) *conn.Conn {
					if a.accord != nil {
						return a.new(rwc, role, quiet)
					}
					return conn.New(rwc, conn.Config{Options: quiet, Role: role})
				})
			})
		}
	}
}

// carriers are streams that are not treated alike.
var carriers = []struct {
	name string
	pair func(tb testing.TB) (ours, theirs net.Conn)
}{
	{"pipe", func(testing.TB) (net.Conn, net.Conn) { return conntest.Pipe() }},
	{"TCP", func(tb testing.TB) (net.Conn, net.Conn) {
		ours, theirs := loopback(tb)
		return ours, theirs
	}},
}

package conn_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// A tap overhears what is read from a stream.
type tap struct {
	*conntest.Conn
	came []byte
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.came = append(t.came, p[:n]...)
	return n, err
}

// secured returns a connection over TLS in that role, the raw peer's end of the
// session, and the stream that this end reads. TLS 1.2 leaves the type of a
// record legible.
func secured(t *testing.T, role machine.Role, o conn.Options) (*conn.Conn, *tls.Conn, *tap) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	here, end := conntest.Pipe()
	there := &tap{Conn: end}
	server := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MaxVersion: tls.VersionTLS12}
	client := &tls.Config{InsecureSkipVerify: true}
	ours, peer := tls.Server(here, server), tls.Client(there, client)
	if role == machine.Client {
		ours, peer = tls.Client(here, client), tls.Server(there, server)
	}
	shaken := make(chan error)
	go func() { shaken <- ours.Handshake() }()
	if err := peer.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	c := conn.New(ours, conn.Config{Role: role, Options: o})
	t.Cleanup(func() {
		c.CloseNow()
		peer.Close()
	})
	return c, peer, there
}

// lastRecord returns the type of the last TLS record in wire (RFC 8446 §5.1).
func lastRecord(wire []byte) (kind byte) {
	for len(wire) >= 5 {
		kind = wire[0]
		wire = wire[min(len(wire), 5+int(binary.BigEndian.Uint16(wire[3:]))):]
	}
	return kind
}

// R100: "a method that cleanly closes the TCP connection, as well as the TLS
// session, if applicable" (§7.1.1).
func TestClose_OverTLS_EndsTheSessionInOrder(t *testing.T) {
	const alert = 21 // close_notify
	for _, role := range roles {
		for _, tc := range []struct {
			name string
			do   func(c *conn.Conn, peer *tls.Conn)
			want string
		}{
			{"we begin", func(c *conn.Conn, peer *tls.Conn) {
				mustWrite(t, peer, closeTo(role, 3000, ""))
				c.Close(3000, "bye")
			}, "[close 3000 bye]"},
			{"the peer begins", func(c *conn.Conn, peer *tls.Conn) {
				mustWrite(t, peer, closeTo(role, 3000, "bye"))
				c.Read(bg)
			}, "[close 3000 ]"},
			{"a fault", func(c *conn.Conn, peer *tls.Conn) {
				mustWrite(t, peer, to(role, fin|text, "\xff"))
				c.Read(bg)
			}, "[close 1007 text is not valid UTF-8]"},
			{"CloseNow", func(c *conn.Conn, _ *tls.Conn) { c.CloseNow() }, "[]"},
		} {
			t.Run(fmt.Sprint(role, " ", tc.name), func(t *testing.T) {
				c, peer, stream := secured(t, role, quiet)
				go tc.do(c, peer)
				if got := fmt.Sprint(newWire(peer).all(t)); got != tc.want {
					t.Errorf("the peer got %s, want %s", got, tc.want)
				}
				if kind := lastRecord(stream.came); kind != alert {
					t.Errorf("the last record is of type %d, want the close_notify alert", kind)
				}
				peer.Close()
				<-c.Done()
			})
		}
	}
}

// R107, R111: a client that is told nothing closes nothing, for as long as the
// server is there.
func TestConn_OfAClient_StaysOpenForADay(t *testing.T) {
	for name, o := range map[string]conn.Options{"with keepalive": {}, "without": quiet} {
		t.Run(name, func(t *testing.T) { stayOpen(t, o) })
	}
}

func stayOpen(t *testing.T, o conn.Options) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Client
		c, peer := against(t, role, o)
		go drain(c)
		unexpected := make(chan wireFrame, 1)
		go func() {
			w := newWire(peer)
			for f, err := w.next(); err == nil; f, err = w.next() {
				if f.Opcode != frame.OpPing {
					unexpected <- f
					return
				}
				peer.Write(to(role, pongFrame, string(f.Payload)))
			}
		}()
		select {
		case f := <-unexpected:
			t.Errorf("the server got %v", f)
		case <-c.Done():
			t.Error(c.Err())
		case <-time.After(24 * time.Hour):
		}
		if c.Phase() != conn.Open {
			t.Error(c.Phase())
		}
	})
}

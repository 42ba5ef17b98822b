// Package oddpeer is a small echo peer that does one thing wrong: what the suite
// is tested with. It works on raw octets and shares no code with the library nor
// with the suite. Each of its faults is a row in Faults, and a line or two where
// the peer would otherwise be right.
package oddpeer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"time"
)

// Everything has an end: a write, waiting for the peer to close TCP.
const (
	writeTime  = 10 * time.Second
	serverWait = time.Second
	clientWait = 3 * time.Second
	openTime   = 10 * time.Second
	stuck      = 5 * time.Second // for faults: longer than the suite waits
	maxMessage = 16 << 20
)

// A Peer is an echo peer, as a server and as a client.
type Peer struct{ fault string }

// New returns a peer with the fault of that name, or with none if it is "".
func New(fault string) Peer {
	if fault != "" && !known[fault] {
		panic("oddpeer: there is no fault " + fault)
	}
	return Peer{fault}
}

// odd reports whether the peer has the fault.
func (p Peer) odd(fault string) bool {
	if !known[fault] {
		panic("oddpeer: there is no fault " + fault)
	}
	return p.fault == fault
}

// Serve is the server on a listener. It returns when the listener is closed, and
// ends all its connections.
func (p Peer) Serve(l net.Listener) {
	var (
		running sync.WaitGroup
		mu      sync.Mutex
		open    = map[net.Conn]bool{}
	)
	for {
		nc, err := l.Accept()
		if err != nil {
			break
		}
		mu.Lock()
		open[nc] = true
		mu.Unlock()
		running.Go(func() {
			p.serveOne(nc)
			mu.Lock()
			delete(open, nc)
			mu.Unlock()
		})
	}
	mu.Lock()
	for nc := range open {
		nc.Close()
	}
	mu.Unlock()
	running.Wait()
}

func (p Peer) serveOne(nc net.Conn) {
	defer nc.Close()
	l := &link{Peer: p, nc: nc, in: bufio.NewReader(nc)}
	nc.SetDeadline(time.Now().Add(openTime))
	if !l.accept() {
		l.finish(serverWait)
		return
	}
	nc.SetDeadline(time.Time{})
	l.talk()
}

// Echo is the client: it dials url and echoes until the connection ends. The
// error is that of dialing and of the handshake.
func (p Peer) Echo(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return err
	}
	defer nc.Close()
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	l := &link{Peer: p, nc: nc, in: bufio.NewReader(nc), client: true}
	nc.SetDeadline(time.Now().Add(openTime))
	if err := l.open(u); err != nil {
		return err
	}
	nc.SetDeadline(time.Time{})
	l.talk()
	return nil
}

// A link is a connection.
type link struct {
	Peer
	nc     net.Conn
	in     *bufio.Reader
	client bool
	deflate

	message
	offset   int    // of faults: in the masking key
	owed     []byte // of faults: frames to be sent later
	held     []byte // of faults: an echo to be sent later
	pings    int    // so many came
	frames   int    // so many were sent
	answered bool   // the closing handshake is over, and yet it goes on
}

// A failure is the close code with which the connection is failed.
type failure uint16

func (f failure) Error() string { return fmt.Sprint("failed with ", uint16(f)) }

// errClosed ends talk after a closing handshake.
var errClosed = errors.New("closed")

// talk goes on until the connection is over.
func (l *link) talk() {
	var err error
	for err == nil {
		err = l.frame()
	}
	code, failed := errors.AsType[failure](err)
	switch {
	case failed && (l.answered || l.odd("fail-without-close")):
		return
	case failed:
		l.fail(code)
	case err != errClosed: // TCP is gone
		return
	}
	wait := serverWait
	if l.client {
		wait = clientWait
	}
	l.finish(wait)
}

// fail tells the peer why the connection is over (§7.1.7).
func (l *link) fail(code failure) {
	switch {
	case l.odd("fail-never-ends"):
		l.idle(stuck)
	case l.odd("fail-1000"):
		code = 1000
	case l.odd("fail-no-code"):
		l.send(opClose, nil)
		return
	case l.odd("fail-1007-for-1002") && code == 1002, l.odd("fail-1007-for-1009") && code == 1009:
		code = 1007
	case l.odd("fail-1002-for-1007") && code == 1007, l.odd("fail-1002-for-1009") && code == 1009:
		code = 1002
	}
	l.send(opClose, closePayload(uint16(code), ""))
}

// finish lets go of TCP so that what was sent last arrives (§7.1.1): a server
// ends its side and takes in what is still under way; a client waits for that.
func (l *link) finish(wait time.Duration) {
	switch {
	case l.odd("tcp-kept"):
		l.idle(stuck)
		return
	case l.odd("tcp-reset"):
		l.nc.(*net.TCPConn).SetLinger(0)
		return
	}
	if half, ok := l.nc.(interface{ CloseWrite() error }); ok && !l.client {
		half.CloseWrite()
	}
	l.idle(wait)
}

// idle takes in what comes, for some time at the most.
func (l *link) idle(most time.Duration) {
	l.nc.SetReadDeadline(time.Now().Add(most))
	io.Copy(io.Discard, l.nc)
}

func (l *link) write(b []byte) error {
	l.nc.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := l.nc.Write(b)
	return err
}

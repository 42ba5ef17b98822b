package autobahn

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/autobahn/internal/wire"
)

// A habit is what a test's peer does otherwise than it should.
type habit string

const (
	wellBehaved   habit = ""
	keepsAtFault  habit = "fails with Close 1002 but keeps TCP for 5 s"
	keepsAtClose  habit = "answers Close but keeps TCP for 5 s"
	dropsOnClose  habit = "drops TCP on Close, no answer"
	answers1012   habit = "answers Close with 1012"
	pongsBefore   habit = "unsolicited pong before each echo"
	pingsBefore   habit = "unsolicited ping before each echo"
	failsLate     habit = "fails 700 ms late"
	neverFails    habit = "never fails"
	masksWrongly  habit = "masks as a server, or does not as a client"
	saysNothing   habit = "reads and says nothing"
	closesItself  habit = "closes after the first message"
	invalidReason habit = "closes with a reason that is not UTF-8"
	invalidText   habit = "echoes what is not UTF-8"
	echoesDamage  habit = "echoes with RSV1 and damaged data"
	echoesBinary  habit = "echoes text as binary"
	echoesLonger  habit = "echoes with one octet more"
	echoesOther   habit = "echoes with another octet"
	echoesTwice   habit = "echoes twice"
	declines      habit = "does not agree to permessage-deflate"
	refuses       habit = "answers 403"
	hangsUp       habit = "hangs up instead of an answer"
	noHTTP        habit = "answers with a line of prose"
	sameKey       habit = "masks always with the same key"
)

// An echoPeer is a small echo made of internal/wire. It knows no compression but that
// of not compressing.
type echoPeer struct {
	conn   net.Conn
	client bool
	habit  habit
	reader wire.Reader
}

// serve is a server's life on a connection.
func serve(conn net.Conn, h habit) {
	defer conn.Close()
	request, rest, err := readHead(conn)
	switch {
	case err != nil || h == hangsUp:
		return
	case h == refuses:
		refuse(conn, 403, "go away")
		return
	case h == noHTTP:
		conn.Write([]byte("the swan is a large white bird\r\n\r\n"))
		return
	}
	answer := "HTTP/1.1 101 Switching Protocols\r\nServer: echo\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		acceptFor(request.get("Sec-WebSocket-Key")) + "\r\n"
	offers, _ := requestedExtensions(request)
	p := &echoPeer{conn: conn, habit: h, reader: wire.Reader{FromClient: true}}
	if len(offers) > 0 && h != declines {
		answer += "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
		p.reader.Deflate = true
	}
	conn.Write([]byte(answer + "\r\n"))
	p.echo(rest)
}

// dialEcho is a client's life.
func dialEcho(ctx context.Context, dial func(context.Context) (net.Conn, error), path string, h habit) error {
	conn, err := dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.Write([]byte("GET " + path + " HTTP/1.1\r\nHost: swan.example:80\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"))
	answer, rest, err := readHead(conn)
	if err != nil || !strings.Contains(answer.first, " 101 ") {
		return nil // it is refused
	}
	p := &echoPeer{conn: conn, client: true, habit: h, reader: wire.Reader{Deflate: answer.get("Sec-WebSocket-Extensions") != ""}}
	p.echo(rest)
	return nil
}

// echo sends everything back until the end.
func (p *echoPeer) echo(octets []byte) {
	inflater := wire.Decompressor{Bits: 15, Takeover: p.client, Limit: 1 << 28}
	buffer := make([]byte, 16<<10)
	for {
		p.reader.Feed(octets)
		for item, ok := p.reader.Next(); ok; item, ok = p.reader.Next() {
			if item.Kind == wire.Message && item.First.RSV != 0 && p.habit != saysNothing {
				item.Payload, _ = inflater.Decompress(item.Payload)
			}
			if p.item(item) {
				return
			}
		}
		n, err := p.conn.Read(buffer)
		if err != nil {
			return
		}
		octets = buffer[:n]
	}
}

// item answers a frame, and reports whether the connection is over.
func (p *echoPeer) item(item wire.Item) (over bool) {
	switch {
	case p.habit == saysNothing:
	case item.Kind == wire.Violation && p.habit == neverFails:
	case item.Kind == wire.Violation:
		return p.fail()
	case item.Kind == wire.Control && item.Header.Opcode == wire.Ping:
		p.send(wire.Pong, item.Payload)
	case item.Kind == wire.Control && item.Header.Opcode == wire.Close:
		return p.answer(item.Payload)
	case item.Kind == wire.Message:
		return p.message(item)
	}
	return false
}

func (p *echoPeer) fail() bool {
	if p.habit == failsLate {
		<-time.After(700 * time.Millisecond)
	}
	p.send(wire.Close, []byte{1002 >> 8, 1002 & 0xff})
	if p.habit == keepsAtFault {
		<-time.After(5 * time.Second)
	}
	return true
}

func (p *echoPeer) answer(payload []byte) bool {
	switch p.habit {
	case dropsOnClose:
		return true
	case answers1012:
		payload = []byte{1012 >> 8, 1012 & 0xff}
	case invalidReason:
		payload = []byte("\x03\xe8\xff")
	}
	p.send(wire.Close, payload)
	switch {
	case p.habit == keepsAtClose:
		<-time.After(5 * time.Second)
	case p.client: // the server ends TCP
		p.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		p.conn.Read(make([]byte, 1))
	}
	return true
}

func (p *echoPeer) message(item wire.Item) bool {
	opcode, payload := item.First.Opcode, item.Payload
	switch p.habit {
	case pongsBefore:
		p.send(wire.Pong, nil)
	case pingsBefore:
		p.send(wire.Ping, nil)
	case invalidText:
		payload = []byte("\xff")
	case echoesBinary:
		opcode = 3 - opcode
	case echoesLonger:
		payload = append(payload, 'x')
	case echoesOther:
		payload = append([]byte("x"), payload[min(1, len(payload)):]...)
	case echoesTwice:
		p.send(opcode, payload)
	case closesItself:
		p.send(wire.Close, []byte{1001 >> 8, 1001 & 0xff})
		return true
	case echoesDamage:
		p.write(wire.Header{Fin: true, RSV: wire.RSV1, Opcode: opcode}, []byte{7})
		return false
	}
	p.send(opcode, payload)
	return false
}

func (p *echoPeer) send(opcode byte, payload []byte) {
	p.write(wire.Header{Fin: true, Opcode: opcode}, payload)
}

func (p *echoPeer) write(h wire.Header, payload []byte) {
	h.Length, h.Masked = uint64(len(payload)), p.client != (p.habit == masksWrongly)
	if h.Masked && p.habit != sameKey {
		h.Key = newMasker().newKey()
	}
	b := append(h.Append(nil), payload...)
	wire.Mask(h.Key, 0, b[len(b)-len(payload):])
	p.conn.Write(b)
}

func newMasker() *masker { return new(masker) }

// parse reads one case.
func parse(t *testing.T, text string) Case {
	t.Helper()
	cases, err := ParseCases("test.cases", text)
	if err != nil {
		t.Fatal(err)
	}
	return cases[0]
}

// runServer runs one case against a server of this habit, in a bubble.
func runServer(t *testing.T, c Case, h habit, options ...func(*Options)) (result Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var servers sync.WaitGroup
		defer servers.Wait()
		o := Options{Cases: []Case{c}, Messages: 10, Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			servers.Go(func() { serve(theirs, h) })
			return ours, nil
		}}
		for _, f := range options {
			f(&o)
		}
		f := FuzzingClient{Options: o}
		u, err := parseURL("ws://swan.example/echo")
		if err != nil {
			t.Fatal(err)
		}
		result = f.runCase(t.Context(), f.smaller(c), u)
	})
	return result
}

// pipeListener hands out ends of pipes.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	gone  chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), gone: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.gone:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.gone) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{Port: 80} }

func (l *pipeListener) dial(context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.gone:
		return nil, net.ErrClosed
	}
}

// runClientCase runs one case against a client of this habit, in a bubble.
func runClientCase(t *testing.T, c Case, h habit) (result Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		f := &FuzzingServer{Options: Options{Cases: []Case{c}, Messages: 10}}
		var serving sync.WaitGroup
		serving.Go(func() { f.Serve(l) })
		if err := dialEcho(t.Context(), l.dial, "/runCase?agent=a&case=1", h); err != nil {
			t.Error(err)
		}
		result, _ = f.await(t.Context(), "a", c.ID)
		f.Close()
		serving.Wait()
	})
	return result
}

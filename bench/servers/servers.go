// Package servers has a server for each library that is measured, written as the
// library's own documentation recommends where speed matters. All of them echo, and
// send messages to all connections when they are told to by the text
// bcast:<messages>:<size>.
package servers

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/swan-ws/websocket/bench"
)

// Level is how hard the servers compress: 1, as most of the libraries do by default.
const Level = 1

// maxMessage is the longest message that the servers take, those that have a limit.
const maxMessage = 16 << 20

// A Library is a WebSocket server to be measured.
type Library struct {
	Name   string
	Module string // that it is in
	How    string // what of it is used, for those who read the figures
	// Listen takes the TCP address addr and returns what it got, and what serves the
	// connections that come there, for ever. With d it agrees to compress as d says, if
	// it can, and compresses what comes compressed.
	Listen func(addr string, d bench.Deflate) (at net.Addr, serve func() error, err error)
	// Takeover says that it takes over the context if the client wants that.
	Takeover bool
	// Batched says that it is something of its own only where there are several
	// messages at once.
	Batched bool
}

// on is the Listen of what serves a listener.
func on(serve func(l net.Listener, d bench.Deflate) error) func(string, bench.Deflate) (net.Addr, func() error, error) {
	return func(addr string, d bench.Deflate) (net.Addr, func() error, error) {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, nil, err
		}
		return l.Addr(), func() error { return serve(l, d) }, nil
	}
}

// Takes reports whether s says anything about the library.
func (l Library) Takes(s bench.Scenario) bool {
	if l.Batched {
		return s.Flight > 1 && s.Deflate == bench.Off
	}
	return s.Deflate != bench.Takeover || l.Takeover
}

// Libraries are all there are, ours first.
var Libraries = []Library{
	{Name: "swan", Module: swanModule, Listen: Swan(""), Takeover: true,
		How: "`Server`, `Accept`, a loop over `Messages` with `Write`; `Prepared` and `SendAll`"},
	{Name: "swan-service", Module: swanModule, Listen: Swan("service"), Takeover: true,
		How: "`Server`, `Service.OnMessage` with `Write`; a `hub.Hub`, message by message"},
	{Name: "swan-loop", Module: swanModule, Listen: Swan("loop"), Takeover: true,
		How: "`Server`, `Service.EventLoop`, `OnMessage` with `Write`; `Prepared` and `SendAll`"},
	{Name: "gorilla", Module: "github.com/gorilla/websocket", Listen: on(gorillaServer),
		How: "net/http, `NextReader` into a buffer that is kept, `WriteMessage`, `WriteBufferPool`; `PreparedMessage`"},
	{Name: "coder", Module: "github.com/coder/websocket", Listen: on(coderServer), Takeover: true,
		How: "net/http, `Reader` into a buffer that is kept, `Write`"},
	{Name: "gobwas", Module: gobwasModule, Listen: on(gobwasServer(false)),
		How: "`Upgrader` on the listener, `ReadHeaderBuffer` and `WriteHeaderBuffer`, buffers that are lent, a write for each message; a frame compiled once"},
	{Name: "gobwas-batched", Module: gobwasModule, Listen: on(gobwasServer(true)), Batched: true,
		How: "the same, but the server writes only when it has answered all that it has read; all messages of a broadcast in one write"},
	{Name: "gws", Module: "github.com/lxzan/gws", Listen: on(gwsServer), Takeover: true,
		How: "`Server`, `OnMessage` with `WriteMessage`; `Broadcaster`"},
	{Name: "nbio", Module: "github.com/lesismal/nbio", Listen: on(nbioServer),
		How: "`IOModNonBlocking`, `OnMessage` on the poller's goroutine with `WriteMessage`"},
}

const (
	swanModule   = "github.com/swan-ws/websocket"
	gobwasModule = "github.com/gobwas/ws"
)

// Find returns the libraries that text names, separated by spaces or commas: all of
// Libraries for "all".
func Find(text string) ([]Library, error) {
	if text == "all" {
		return Libraries, nil
	}
	var list []Library
	for _, name := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		i := slices.IndexFunc(Libraries, func(l Library) bool { return l.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no library %q: there are %s", name, names())
		}
		list = append(list, Libraries[i])
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no library given: name some of %s, or all", names())
	}
	return list, nil
}

func names() string {
	var list []string
	for _, l := range Libraries {
		list = append(list, l.Name)
	}
	return strings.Join(list, ", ")
}

// broadcast returns what the command of a broadcast asks for.
func broadcast(p []byte) (messages, size int, ok bool) {
	rest, ok := bytes.CutPrefix(p, []byte("bcast:"))
	if !ok {
		return 0, 0, false
	}
	first, second, _ := strings.Cut(string(rest), ":")
	messages, err1 := strconv.Atoi(first)
	size, err2 := strconv.Atoi(second)
	return messages, size, err1 == nil && err2 == nil
}

// A crowd is connections, for libraries that do not keep them.
type crowd[C comparable] struct {
	mu    sync.Mutex
	conns map[C]struct{}
}

func (w *crowd[C]) add(c C) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conns == nil {
		w.conns = map[C]struct{}{}
	}
	w.conns[c] = struct{}{}
}

func (w *crowd[C]) remove(c C) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c)
}

func (w *crowd[C]) each(f func(C)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		f(c)
	}
}

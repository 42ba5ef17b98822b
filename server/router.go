package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// A Router hands each message, a JSON object, to the Handler that its field Key
// names. Add handlers with On and Handle before it is used, then make its Serve the
// OnText of a Service:
//
//	r := &server.Router{Key: "event", ID: "id"}
//	server.On(r, "subscribe", func(c *conn.Conn, v Subscribe) (any, error) { … })
//	http.Handle("/feed", &server.Service{OnText: r.Serve})
//
// Values are names of handlers and nothing else: no message reaches OnOpen or
// OnClose.
type Router struct {
	// Key is the name of the field, at the top of the object and with a string as
	// its value. Of several with that name the last counts, as in encoding/json.
	Key string
	// ID is the name of a field that a message may have and whose value, whatever it
	// is, its reply is given: an object, or each object of a stream, that has none
	// of that name. One of more than 1 KiB is a *conn.BindError: it would come back
	// with each message of a stream. "": none.
	ID string
	// Unknown handles messages without the field, and those whose value nobody
	// handles. nil: they are a *conn.BindError.
	Unknown Handler

	routes map[string]*route
}

type route struct {
	handle  Handler
	onError func(c *conn.Conn, err error) (reply any, failed error)
}

// Handle adds a Handler for messages whose Key has that value, in which case
// matters. It panics if there is one, or h is nil.
func (r *Router) Handle(value string, h Handler) {
	to := r.route(value)
	if h == nil || to.handle != nil {
		panic(fmt.Sprintf("websocket: Router needs one handler for %s %q, not none or two", r.Key, value))
	}
	to.handle = h
}

// On is Handle for a function that wants messages as values of type T. See
// OnMessage.
func On[T any](r *Router, value string, f func(c *conn.Conn, v T) (reply any, err error)) {
	r.Handle(value, OnMessage(f))
}

// HandleError adds a function that is called with the *conn.BindError of messages
// with that value, instead of the Service's OnError. What it returns is as if the
// handler had.
func (r *Router) HandleError(value string, f func(c *conn.Conn, err error) (reply any, failed error)) {
	r.route(value).onError = f
}

func (r *Router) route(value string) *route {
	if r.routes == nil {
		r.routes = make(map[string]*route)
	}
	to := r.routes[value]
	if to == nil {
		to = new(route)
		r.routes[value] = to
	}
	return to
}

// maxID is how long the JSON of an ID may be.
const maxID = 1 << 10

// Serve is a Handler: it finds the message's and calls it.
func (r *Router) Serve(c *conn.Conn, m conn.Message) (reply any, err error) {
	value, id := fields(m.Data, r.Key, r.ID)
	if len(id) > maxID {
		return nil, &conn.BindError{Type: m.Type, Field: r.ID, Err: fmt.Errorf("%d bytes, and may have %d", len(id), maxID)}
	}
	name := unquoted(value)
	var to *route
	if name != nil {
		to = r.routes[string(name)]
	}
	switch {
	case to != nil && to.handle != nil:
		reply, err = to.handle(c, m)
		if to.onError != nil && isBindError(err) {
			reply, err = to.onError(c, err)
		}
	case r.Unknown != nil:
		reply, err = r.Unknown(c, m)
	default:
		err = &conn.BindError{Type: m.Type, Field: r.Key, Err: unhandled(value, name)}
	}
	if reply != nil && utf8.Valid(id) && json.Valid(id) { // nobody has decoded it so far
		reply = answer{reply, r.ID, bytes.Clone(id)}
	}
	return reply, err
}

func unhandled(value, name []byte) error {
	switch {
	case value == nil:
		return errNoKey
	case name == nil:
		return fmt.Errorf("want a string, have %.64q", value)
	}
	return fmt.Errorf("nothing handles %.64q", name)
}

var errNoKey = errors.New("the message has no such field")

func isBindError(err error) bool {
	_, ok := errors.AsType[*conn.BindError](err)
	return ok
}

// answer is a reply to a message that had an id.
type answer struct {
	reply any
	field string
	id    json.RawMessage
}

// send sends a reply that is no stream.
func (a answer) send(c *conn.Conn) error {
	switch a.reply.(type) {
	case nil, string, []byte, conn.Message, *conn.Prepared, frame.CloseCode, CloseFrame, error:
		return Send(c, a.reply)
	}
	m, err := c.Encode(a.reply)
	if err != nil {
		return err
	}
	if m.Type == conn.Text {
		m.Data = a.mark(m.Data)
	}
	return c.Write(context.Background(), m.Type, m.Data)
}

// stream is the reply as a stream of answers, nil if it is none.
func (a answer) stream() stream {
	s := streamOf(a.reply)
	if s == nil {
		return nil
	}
	return func(yield func(any, error) bool) {
		for v, err := range s {
			if err == nil {
				v = answer{v, a.field, a.id}
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

// mark puts the id first in p, if that is an object without one.
func (a answer) mark(p []byte) []byte {
	open := space(p, 0)
	if open == len(p) || p[open] != '{' {
		return p
	}
	if has, _ := fields(p, a.field, ""); has != nil {
		return p
	}
	name, _ := json.Marshal(a.field)
	var comma []byte
	if first := space(p, open+1); first < len(p) && p[first] != '}' {
		comma = []byte{','}
	}
	return slices.Concat([]byte{'{'}, name, []byte{':'}, a.id, comma, p[open+1:])
}

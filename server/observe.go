package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/swan-ws/websocket/conn"
)

type observerKey struct{}

func withObserver(ctx context.Context, o *conn.Observer) context.Context {
	return context.WithValue(ctx, observerKey{}, o)
}

// observerOf returns who is told of a connection, or that there is none: the Observer
// of the options, or else of the Server that the request came to.
func observerOf(r *http.Request, o *Options) *conn.Observer {
	if o != nil && o.Conn.Observer != nil {
		return o.Conn.Observer
	}
	server, _ := r.Context().Value(observerKey{}).(*conn.Observer)
	return server
}

// tellRefused returns err. status is 0 if the response did not get out.
func tellRefused(o *conn.Observer, status int, err error) error {
	if o != nil && o.Refused != nil {
		o.Refused(status, err)
	}
	return err
}

// tellError tells of what has gone wrong in callbacks. Faults have been told.
func (ss *session) tellError(err error) {
	o := ss.c.Observer()
	if o == nil || o.Error == nil || err == ss.c.Err() {
		return
	}
	kind := conn.CallbackError
	if _, ok := errors.AsType[*PanicError](err); ok {
		kind = conn.CallbackPanic
	} else if isBindError(err) {
		kind = conn.BadMessage
	}
	o.Error(ss.c, kind, err)
}

package server

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/swan-ws/websocket/handshake"
)

// An Upgrade is an http.Handler that decides about each handshake: it returns the
// Service for that connection, whose Options say what the response is to hold, or
// an error that refuses it, with what a *Rejection says or with 403. r has passed
// the checks of §4.2.1; that of its origin comes later, as Options say. r.PathValue,
// r.URL.Query, r.Header and r.Cookie tell who wants what. What has to be closed again
// belongs in OnOpen: the handshake may still be refused. Refusals are logged as a
// Service's are, by the Logger of a Service that comes with the error if one does.
//
//	http.Handle("/chat/{user}", server.Upgrade(func(r *http.Request) (*server.Service, error) {
//		user := r.PathValue("user")
//		return &server.Service{OnText: …}, nil
//	}))
type Upgrade func(r *http.Request) (*Service, error)

// ServeHTTP asks u, then accepts and serves the connection. A panic in u is answered
// with 500.
func (u Upgrade) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var s *Service
	_, err := handshake.ParseRequest(r)
	if err == nil {
		s, err = u.ask(r)
	}
	if err == nil && s == nil {
		err = &Rejection{Status: http.StatusNotFound}
	}
	if err != nil {
		if s == nil {
			s = new(Service)
		}
		s.logRefusal(r, refuse(w, r, observerOf(r, &s.Options), err))
		return
	}
	s.ServeHTTP(w, r)
}

func (u Upgrade) ask(r *http.Request) (s *Service, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %w", &PanicError{Value: v, Stack: debug.Stack()}, &Rejection{Status: http.StatusInternalServerError})
		}
	}()
	return u(r)
}

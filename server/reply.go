package server

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

// A CloseFrame says how a connection is to end. It is a reply, and an error: a
// callback may return it as either. An error that wraps one is reported too.
type CloseFrame struct {
	Code   frame.CloseCode
	Reason string // 123 bytes at the most; the peer may read it
}

// Error returns for example "close with 4000: no more tickets".
func (f CloseFrame) Error() string {
	s := fmt.Sprintf("close with %d", f.Code)
	if f.Reason != "" {
		s += ": " + f.Reason
	}
	return s
}

// What closeOf finds in an error.
type errorKind int

const (
	anyError  errorKind = iota
	onlyClose           // it is a CloseFrame and nothing else
	ofBinding           // it is about a message that is not what was wanted
)

// closeOf is how an error ends a connection: with what it says itself, or else with
// 1011.
func closeOf(err error) (CloseFrame, errorKind) {
	switch f := err.(type) {
	case CloseFrame:
		return f, onlyClose
	case *CloseFrame:
		return *f, onlyClose
	}
	if f, ok := errors.AsType[CloseFrame](err); ok {
		return f, anyError
	}
	if f, ok := errors.AsType[*CloseFrame](err); ok {
		return *f, anyError
	}
	kind := anyError
	if isBindError(err) {
		kind = ofBinding
	}
	if e, ok := errors.AsType[interface {
		error
		CloseWith() (code frame.CloseCode, reason string)
	}](err); ok {
		code, reason := e.CloseWith()
		return CloseFrame{code, reason}, kind
	}
	return CloseFrame{Code: frame.CloseInternalError}, kind
}

// Send sends what a Handler may return as its reply. It returns when all of it has
// been sent, the last value of an iter.Seq too; each waits until the peer has room
// for the one before, and when the connection ends so does the Seq: its yield
// returns false. The error of an iter.Seq2 is returned.
func Send(c *conn.Conn, reply any) error {
	if _, failed := reply.(error); !failed {
		if s := streamOf(reply); s != nil {
			return s.send(c)
		}
	}
	return sendValue(c, reply)
}

// sendValue is Send of what is no stream.
func sendValue(c *conn.Conn, reply any) error {
	switch v := reply.(type) {
	case nil:
		return nil
	case frame.CloseCode:
		return c.Close(v, "")
	case CloseFrame:
		return c.Close(v.Code, v.Reason)
	case error:
		return v
	case answer:
		return v.send(c)
	}
	return c.WriteValue(context.Background(), reply) // which ends with the connection
}

// stream is a reply of many messages.
type stream iter.Seq2[any, error]

func (s stream) send(c *conn.Conn) error {
	for v, err := range s {
		if err == nil {
			err = Send(c, v)
		}
		if err != nil {
			return err
		}
		if c.Phase() != conn.Open {
			return nil
		}
	}
	return nil
}

// streamOf returns reply as a stream, nil if it is none. One of a nil function has
// no values.
func streamOf(reply any) stream {
	switch s := reply.(type) {
	case stream:
		return s
	case answer:
		return s.stream()
	case iter.Seq[string]:
		return streamOfSeq(s)
	case iter.Seq[any]:
		return streamOfSeq(s)
	case iter.Seq2[string, error]:
		return streamOfSeq2(s)
	case iter.Seq2[any, error]:
		return streamOfSeq2(s)
	}
	if v := reflect.ValueOf(reply); v.Kind() == reflect.Func {
		return streamOfFunc(v)
	}
	return nil
}

func streamOfFunc(v reflect.Value) stream {
	one := v.Type().CanSeq()
	two := v.Type().CanSeq2() && v.Type().In(0).In(1) == reflect.TypeFor[error]()
	switch {
	case !one && !two:
		return nil
	case v.IsNil():
		return streamOfSeq[any](nil)
	case one:
		return func(yield func(any, error) bool) {
			for e := range v.Seq() {
				if !yield(e.Interface(), nil) {
					return
				}
			}
		}
	}
	return func(yield func(any, error) bool) {
		for e, err := range v.Seq2() {
			failed, _ := err.Interface().(error)
			if !yield(e.Interface(), failed) {
				return
			}
		}
	}
}

func streamOfSeq[T any](s iter.Seq[T]) stream {
	return func(yield func(any, error) bool) {
		if s == nil {
			return
		}
		for v := range s {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func streamOfSeq2[T any](s iter.Seq2[T, error]) stream {
	return func(yield func(any, error) bool) {
		if s == nil {
			return
		}
		for v, err := range s {
			if !yield(v, err) {
				return
			}
		}
	}
}

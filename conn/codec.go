package conn

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"

	"github.com/swan-ws/websocket/frame"
)

// A Codec makes messages of values and values of messages. It is used by many
// connections at once.
type Codec interface {
	// Encode returns v as a message. Its Data is read until the call that wanted it,
	// such as WriteValue, returns, and not after.
	Encode(v any) (Message, error)
	// Decode stores what m holds in v, a pointer. m.Data is only read, and not kept.
	Decode(m Message, v any) error
}

// JSON is the Codec of connections that have no other: encoding/json in text
// messages. It decodes messages of either type.
type JSON struct{}

// Encode returns v as text.
func (JSON) Encode(v any) (Message, error) {
	p, err := json.Marshal(v)
	return Message{Text, p}, err
}

// Decode is json.Unmarshal.
func (JSON) Decode(m Message, v any) error { return json.Unmarshal(m.Data, v) }

// XML is a Codec: encoding/xml in text messages. It decodes messages of either
// type.
type XML struct{}

// Encode returns v as text.
func (XML) Encode(v any) (Message, error) {
	p, err := xml.Marshal(v)
	return Message{Text, p}, err
}

// Decode is xml.Unmarshal.
func (XML) Decode(m Message, v any) error { return xml.Unmarshal(m.Data, v) }

// A Validator is a value that can tell whether it makes sense. Decode asks it.
type Validator interface{ Validate() error }

// A BindError is a message that is not what was wanted. The connection is as good
// as before.
type BindError struct {
	Type  MessageType // of the message
	Field string      // the field at fault, as "order.price"; empty if that is not known
	Err   error       // what the Codec said, or the Validator
}

// Error says which field is wrong, and how.
func (e *BindError) Error() string {
	if e.Field != "" {
		return fmt.Sprintf("websocket: %v message: field %q: %v", e.Type, e.Field, e.Err)
	}
	return fmt.Sprintf("websocket: %v message: %v", e.Type, e.Err)
}

// Unwrap returns Err.
func (e *BindError) Unwrap() error { return e.Err }

// CloseWith is how a Service that has no OnError ends the connection: with 1003
// (§7.4.1: "it has received a type of data it cannot accept") and the field.
func (e *BindError) CloseWith() (code frame.CloseCode, reason string) {
	reason = "data binding failed"
	if field := ": field " + strconv.Quote(e.Field); e.Field != "" && len(reason)+len(field) <= frame.MaxCloseReason {
		reason += field
	}
	return frame.CloseUnsupportedData, reason
}

// Decode stores what m holds in v, a pointer: the text or the bytes themselves in a
// *string or *[]byte, m in a *Message, all of which are copies, anything else by
// Options.Codec. If v is a Validator, it is asked. The error is a *BindError.
func (c *Conn) Decode(m Message, v any) error {
	switch v := v.(type) {
	case *string:
		*v = string(m.Data)
		return nil
	case *[]byte:
		*v = bytes.Clone(m.Data)
		return nil
	case *Message:
		*v = Message{m.Type, bytes.Clone(m.Data)}
		return nil
	}
	if err := c.codec().Decode(m, v); err != nil {
		return &BindError{m.Type, fieldOf(err), err}
	}
	if checked, ok := v.(Validator); ok {
		if err := checked.Validate(); err != nil {
			return &BindError{Type: m.Type, Err: err}
		}
	}
	return nil
}

func fieldOf(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return e.Field
	}
	return ""
}

// Encode makes a message of v: text of a string, binary of a []byte, a Message of
// itself, all without copying, text of a json.RawMessage, and whatever
// Options.Codec makes of anything else.
func (c *Conn) Encode(v any) (Message, error) {
	switch v := v.(type) {
	case string:
		return Message{Text, []byte(v)}, nil
	case []byte:
		return Message{Binary, v}, nil
	case json.RawMessage:
		return Message{Text, v}, nil
	case Message:
		return v, nil
	}
	m, err := c.codec().Encode(v)
	if err != nil {
		return m, fmt.Errorf("websocket: message not sent: %w", err)
	}
	return m, nil
}

// WriteValue sends v as Encode has it, or a *Prepared as it is.
func (c *Conn) WriteValue(ctx context.Context, v any) error {
	switch v := v.(type) {
	case string:
		return c.WriteText(ctx, v)
	case *Prepared:
		return c.Send(ctx, v)
	}
	m, err := c.Encode(v)
	if err != nil {
		return err
	}
	return c.Write(ctx, m.Type, m.Data)
}

// ReadValue waits for the next message and returns it as a T; see Conn.Decode. An
// error of that leaves the connection open; the message is gone.
func ReadValue[T any](ctx context.Context, c *Conn) (v T, err error) {
	m, err := c.Read(ctx)
	if err != nil {
		return v, err
	}
	err = c.Decode(m, &v)
	return v, err
}

func (c *Conn) codec() Codec {
	if c.opt.Codec != nil {
		return c.opt.Codec
	}
	return JSON{}
}

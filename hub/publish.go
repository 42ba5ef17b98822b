package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/swan-ws/websocket/conn"
)

// Publish sends v to all who are in the topic. A string is sent as text, a []byte
// as binary, a conn.Message as it is, a json.RawMessage as text, and of anything
// else the Codec makes a message; that is done once, and v is the caller's again on
// return.
//
// Publish does not wait for anybody: the Result says what happened to the message
// until it returned. An error is the Codec's or the Broker's, or there was text that
// is not valid UTF-8; nobody has got the message then.
func (h *Hub) Publish(topic string, v any) (Result, error) {
	return h.publish(nil, topic, v)
}

// PublishExcept is Publish to all but c: to everybody else, if c said it.
func (h *Hub) PublishExcept(c *conn.Conn, topic string, v any) (Result, error) {
	return h.publish(c, topic, v)
}

// Send is Publish to c alone, which must be a member. Unlike c.Write it does not
// wait for the peer, and comes after what was published before.
func (h *Hub) Send(c *conn.Conn, v any) (r Result, err error) {
	msg, err := h.encode(v)
	if err != nil {
		return r, err
	}
	h.mu.RLock()
	m := h.members[c]
	in := m != nil && len(m.place) > 0
	h.mu.RUnlock()
	if !in {
		return r, errNotMember
	}
	m.push(newParcel(msg), &r)
	return r, nil
}

func (h *Hub) publish(except *conn.Conn, topic string, v any) (r Result, err error) {
	msg, err := h.encode(v)
	if err != nil {
		return r, err
	}
	if h.Broker != nil {
		return h.hand(except, topic, msg)
	}
	h.mu.RLock()
	t := h.topics[topic]
	h.mu.RUnlock()
	if t == nil {
		return r, nil
	}
	return h.send(t, newParcel(msg), except), nil
}

var (
	errNotMember = errors.New("websocket hub: message not sent: the connection is no member: it must Join first")
	errNotText   = errors.New("websocket hub: message not sent: text is not valid UTF-8: send it as a binary message")
	errPrepared  = errors.New("websocket hub: message not sent: give the hub what the Prepared was made of, it prepares it itself")
)

func (h *Hub) encode(v any) (m conn.Message, err error) {
	switch v := v.(type) {
	case string:
		m = conn.Message{Type: conn.Text, Data: []byte(v)}
	case []byte:
		m = conn.Message{Type: conn.Binary, Data: v}
	case json.RawMessage:
		m = conn.Message{Type: conn.Text, Data: v}
	case conn.Message:
		m = v
	case *conn.Prepared:
		return m, errPrepared
	default:
		if m, err = h.codec().Encode(v); err != nil {
			return m, fmt.Errorf("websocket hub: message not sent: %w", err)
		}
	}
	return m, check(m)
}

// check refuses what no connection could send.
func check(m conn.Message) error {
	switch {
	case m.Type == conn.Text && !utf8.Valid(m.Data):
		return errNotText
	case m.Type != conn.Text && m.Type != conn.Binary:
		return fmt.Errorf("websocket hub: message not sent: its Type is %d: use conn.Text or conn.Binary", m.Type)
	}
	return nil
}

func (h *Hub) codec() conn.Codec {
	if h.Codec != nil {
		return h.Codec
	}
	return conn.JSON{}
}

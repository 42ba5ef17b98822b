package server_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
	"github.com/swan-ws/websocket/server"
)

type swan struct {
	Name string `json:"name"`
	Age  int    `json:"age,omitempty"`
}

func TestService_SendsWhatAHandlerReturns(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reply any
		want  string
	}{
		{"string", "hello", "text hello"},
		{"empty string", "", "text "},
		{"string with quotes", `say "hello"`, `text say "hello"`},
		{"bytes", []byte("\x00\xff"), "binary \x00\xff"},
		{"no bytes", []byte(nil), "binary "},
		{"text message", conn.Message{Type: conn.Text, Data: []byte("a")}, "text a"},
		{"binary message", conn.Message{Type: conn.Binary, Data: []byte("a")}, "binary a"},
		{"prepared", conn.Prepare(conn.Binary, []byte("a")), "binary a"},
		{"JSON as it is", json.RawMessage(`{"a": 1}`), `text {"a": 1}`},
		{"struct", swan{"Leda", 3}, `text {"name":"Leda","age":3}`},
		{"pointer", &swan{Name: "Leda"}, `text {"name":"Leda"}`},
		{"struct with quotes", swan{Name: `"L"`}, `text {"name":"\"L\""}`},
		{"map", map[string]any{"a": 1, "b": nil}, `text {"a":1,"b":null}`},
		{"numbers", []int{1, 2, 3}, `text [1,2,3]`},
		{"int", 42, `text 42`},
		{"float", 1.5, `text 1.5`},
		{"bool", true, `text true`},
		{"nil pointer", (*swan)(nil), `text null`},
		{"named string", json.Number("7"), `text 7`},
		{"code", frame.CloseGoingAway, "close 1001 "},
		{"CloseFrame", server.CloseFrame{Code: 4000, Reason: "bye"}, "close 4000 bye"},
		{"error", errors.New("disk full"), "close 1011 "},

		{"what is no JSON", func() {}, "close 1011 "},
		{"what is no text", "\xff", "close 1011 "},
		{"no message", conn.Message{}, "close 1011 "},
		{"no prepared message", (*conn.Prepared)(nil), "close 1011 "},
		{"a channel", make(chan int), "close 1011 "},
	} {
		for way, s := range map[string]*server.Service{
			"returned": replying(tt.reply),
			"sent": answering(func(c *conn.Conn, _ conn.Message) (any, error) {
				return nil, server.Send(c, tt.reply)
			}),
		} {
			t.Run(tt.name+"/"+way, func(t *testing.T) {
				j := new(journal)
				s.OnError = func(_ *conn.Conn, err error) { j.note("%v", err) }
				c, ended := served(t, s)
				say(t, c, "x")
				wantHeard(t, c, tt.want)
				c.CloseNow()
				<-ended
				if n := len(j.all()); (n == 1) != strings.HasPrefix(tt.want, "close 1011") || n > 1 {
					t.Errorf("reported: %q", j.all())
				}
			})
		}
	}
}

// Replies leave before the next callback is called, so they are in order, and those of
// a callback's own writes are among them.
func TestService_SendsRepliesInOrder(t *testing.T) {
	c, _ := served(t, answering(func(c *conn.Conn, m conn.Message) (any, error) {
		return "reply to " + string(m.Data), c.WriteText(c.Context(), "about "+string(m.Data))
	}))
	for i := range 10 {
		say(t, c, fmt.Sprint(i))
	}
	for i := range 10 {
		wantHeard(t, c, fmt.Sprintf("text about %d", i), fmt.Sprintf("text reply to %d", i))
	}
}

func TestService_NilIsNoReply(t *testing.T) {
	c, _ := served(t, answering(func(_ *conn.Conn, m conn.Message) (any, error) {
		if string(m.Data) == "quiet" {
			return nil, nil
		}
		return m, nil
	}))
	say(t, c, "quiet", "loud")
	wantHeard(t, c, "text loud")
}

// A reply may be the message itself, or a part of it.
func TestService_AReplyMayUseTheMessage(t *testing.T) {
	c, _ := served(t, answering(func(_ *conn.Conn, m conn.Message) (any, error) { return m.Data[1:], nil }))
	for i := range 100 {
		say(t, c, fmt.Sprintf("x%d", i))
	}
	for i := range 100 {
		wantHeard(t, c, fmt.Sprintf("binary %d", i))
	}
}

// base64Codec is a Codec that knows nothing but strings of its own.
type base64Codec struct{}

type secret string

func (base64Codec) Encode(v any) (conn.Message, error) {
	s, ok := v.(secret)
	if !ok {
		return conn.Message{}, fmt.Errorf("no secret: %T", v)
	}
	return conn.Message{Type: conn.Binary, Data: []byte(base64.StdEncoding.EncodeToString([]byte(s)))}, nil
}

func (base64Codec) Decode(m conn.Message, v any) error {
	p, err := base64.StdEncoding.DecodeString(string(m.Data))
	if err == nil {
		*v.(*secret) = secret(p)
	}
	return err
}

func TestService_RepliesByItsCodec(t *testing.T) {
	for _, tt := range []struct {
		name  string
		codec conn.Codec
		reply any
		want  string
	}{
		{"JSON", conn.JSON{}, swan{"Leda", 0}, `text {"name":"Leda"}`},
		{"XML", conn.XML{}, struct {
			XMLName xml.Name `xml:"swan"`
			Name    string   `xml:"name,attr"`
		}{Name: "Leda"}, `text <swan name="Leda"></swan>`},
		{"one's own", base64Codec{}, secret("Leda"), "binary TGVkYQ=="},
		{"one's own, of something else", base64Codec{}, 5, "close 1011 "},
		{"strings need none", base64Codec{}, "Leda", "text Leda"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := replying(tt.reply)
			s.Conn.Codec = tt.codec
			c, _ := served(t, s)
			say(t, c, "x")
			wantHeard(t, c, tt.want)
		})
	}
}

func BenchmarkReply(b *testing.B) {
	for name, s := range map[string]*server.Service{
		"message": answering(func(_ *conn.Conn, m conn.Message) (any, error) { return m, nil }),
		"string":  replying("hello"),
		"JSON":    replying(swan{"Leda", 3}),
		"write": answering(func(c *conn.Conn, m conn.Message) (any, error) {
			return nil, c.Write(c.Context(), m.Type, m.Data)
		}),
	} {
		b.Run(name, func(b *testing.B) {
			c, _ := served(b, s)
			ctx, p, buf := b.Context(), []byte("hello"), make([]byte, 0, 100)
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Write(ctx, conn.Text, p); err != nil {
					b.Fatal(err)
				}
				if _, err := c.ReadInto(ctx, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

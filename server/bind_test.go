package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

type order struct {
	Item  string `json:"item"`
	Price int    `json:"price"`
	To    struct {
		Street string   `json:"street"`
		Lines  []string `json:"lines"`
	} `json:"to"`
}

func (o order) Validate() error {
	if o.Price < 0 {
		return errors.New("nobody pays you for buying")
	}
	return nil
}

// strict refuses by its pointer.
type strict struct{ N int }

func (s *strict) Validate() error {
	if s.N > 9 {
		return fmt.Errorf("%d has two digits", s.N)
	}
	return nil
}

// show answers with what a message has been made.
func show[T any]() server.Handler {
	return server.OnMessage(func(_ *conn.Conn, v T) (any, error) { return fmt.Sprintf("%T %v", v, v), nil })
}

func TestOnMessage_MakesValuesOfMessages(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler server.Handler
		kind    conn.MessageType
		message string
		want    string
	}{
		{"string of a text", show[string](), conn.Text, `"a"`, `string "a"`},
		{"string of bytes", show[string](), conn.Binary, `a`, `string a`},
		{"bytes", show[[]byte](), conn.Binary, "\x01\x02", "[]uint8 [1 2]"},
		{"bytes of a text", show[[]byte](), conn.Text, "a", "[]uint8 [97]"},
		{"message", show[conn.Message](), conn.Binary, "a", "conn.Message {binary [97]}"},
		{"int", show[int](), conn.Text, " 42 ", "int 42"},
		{"float", show[float64](), conn.Text, "1.5", "float64 1.5"},
		{"bool", show[bool](), conn.Text, "true", "bool true"},
		{"any", show[any](), conn.Text, `[1,"a",null]`, "[]interface {} [1 a <nil>]"},
		{"raw", show[json.RawMessage](), conn.Text, `[1]`, "json.RawMessage [91 49 93]"},
		{"slice", show[[]string](), conn.Text, `["a","b"]`, "[]string [a b]"},
		{"array", show[[2]int](), conn.Text, `[1,2]`, "[2]int [1 2]"},
		{"map", show[map[string]int](), conn.Text, `{"a":1}`, "map[string]int map[a:1]"},
		{"struct", show[order](), conn.Text, `{"item":"egg","price":3,"more":1}`, "server_test.order {egg 3 { []}}"},
		{"struct in binary", show[order](), conn.Binary, `{"item":"egg"}`, "server_test.order {egg 0 { []}}"},
		{"pointer", show[*int](), conn.Text, `null`, "*int <nil>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := served(t, answering(tt.handler))
			c.Write(t.Context(), tt.kind, []byte(tt.message))
			wantHeard(t, c, "text "+tt.want)
		})
	}
}

// What a handler gets is its own to keep.
func TestOnMessage_GivesValuesAway(t *testing.T) {
	var texts []string
	var bytes [][]byte
	c, _ := served(t, &server.Service{
		OnText:   server.OnMessage(func(_ *conn.Conn, s string) (any, error) { texts = append(texts, s); return nil, nil }),
		OnBinary: server.OnMessage(func(_ *conn.Conn, p []byte) (any, error) { bytes = append(bytes, p); return len(bytes), nil }),
	})
	for i := range 100 {
		say(t, c, fmt.Sprintf("text %d", i))
		c.Write(t.Context(), conn.Binary, fmt.Appendf(nil, "bytes %d", i))
		wantHeard(t, c, fmt.Sprintf("text %d", i+1))
	}
	for i := range 100 {
		if want := fmt.Sprintf("text %d", i); texts[i] != want {
			t.Errorf("%q, want %q", texts[i], want)
		}
		if want := fmt.Sprintf("bytes %d", i); string(bytes[i]) != want {
			t.Errorf("%q, want %q", bytes[i], want)
		}
	}
}

// A message that is not what was wanted is an error that says which field is wrong.
// OnError is told, and the connection goes on; without an OnError it ends with 1003.
func TestOnMessage_OfWhatItIsNot_IsABindError(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler server.Handler
		message string
		field   string
		says    string
		reason  string
	}{
		{"a field", show[order](), `{"price":"three"}`, "price", "cannot unmarshal string", `data binding failed: field "price"`},
		{"a field of a field", show[order](), `{"to":{"street":5}}`, "to.street", "cannot unmarshal number", `data binding failed: field "to.street"`},
		{"an element", show[order](), `{"to":{"lines":["a",5]}}`, "to.lines", "cannot unmarshal number", `data binding failed: field "to.lines"`},
		{"overflow", show[map[string]int8](), `{"a":300}`, "", "300", `data binding failed`},
		{"another type", show[order](), `[1]`, "", "cannot unmarshal array", `data binding failed`},
		{"no JSON", show[order](), `{"item":`, "", "unexpected end", `data binding failed`},
		{"nothing", show[int](), ``, "", "unexpected end", `data binding failed`},
		{"more than one", show[int](), `1 2`, "", "after top-level", `data binding failed`},
		{"not valid", show[order](), `{"item":"egg","price":-1}`, "", "nobody pays you", `data binding failed`},
		{"not valid, says the pointer", show[strict](), `{"N":10}`, "", "10 has two digits", `data binding failed`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var told error
			s := &server.Service{OnText: tt.handler, OnBinary: show[string]()}
			s.OnError = func(c *conn.Conn, err error) {
				told = err
				c.WriteText(c.Context(), "what?")
			}
			c, _ := served(t, s)
			say(t, c, tt.message)
			wantHeard(t, c, "text what?")
			e, ok := errors.AsType[*conn.BindError](told)
			if !ok || e.Field != tt.field || e.Type != conn.Text || !strings.Contains(e.Error(), tt.says) {
				t.Errorf("told of %v, field %q", told, e.Field)
			}
			c.Write(t.Context(), conn.Binary, []byte("goes on"))
			wantHeard(t, c, "text string goes on")

			c, ended := served(t, &server.Service{OnText: tt.handler})
			say(t, c, tt.message)
			wantHeard(t, c, "close 1003 "+tt.reason)
			<-ended
		})
	}
}

// OnError may end the connection as it likes.
func TestOnMessage_OfWhatItIsNot_MayBeTheEnd(t *testing.T) {
	s := answering(show[int]())
	s.OnError = func(c *conn.Conn, _ error) { c.Close(4005, "numbers only") }
	c, ended := served(t, s)
	say(t, c, "five", "5")
	wantHeard(t, c, "close 4005 numbers only")
	<-ended
}

// A name that a peer has made up does not make the Close frame too long to send.
func TestBindError_CutsNothingOffInTheMiddle(t *testing.T) {
	for field, want := range map[string]string{
		"":                       "data binding failed",
		"price":                  `data binding failed: field "price"`,
		strings.Repeat("é", 31):  `data binding failed: field "` + strings.Repeat("é", 31) + `"`,
		strings.Repeat("x", 200): "data binding failed",
		strings.Repeat("\"", 63): "data binding failed",
	} {
		c, ended := served(t, erring(&conn.BindError{Type: conn.Text, Field: field, Err: errors.New("no")}))
		say(t, c, "x")
		wantHeard(t, c, "close 1003 "+want)
		<-ended
	}
}

func TestOnMessage_DecodesByTheCodec(t *testing.T) {
	type order struct {
		Item string `xml:"item,attr"`
	}
	s := answering(show[order]())
	s.Conn.Codec = conn.XML{}
	s.OnError = func(c *conn.Conn, err error) { c.WriteText(c.Context(), err.Error()) }
	c, _ := served(t, s)
	say(t, c, `<order item="egg"/>`, `{"item":"egg"}`)
	wantHeard(t, c, "text server_test.order {egg}", "text websocket: text message: EOF")

	s = answering(show[secret]())
	s.Conn.Codec = base64Codec{}
	c, ended := served(t, s)
	say(t, c, "TGVkYQ==", "?")
	wantHeard(t, c, "text server_test.secret Leda", "close 1003 data binding failed")
	<-ended
}

var orderMessage = conn.Message{Type: conn.Text, Data: []byte(`{"item":"swan's egg","price":350,"to":{"street":"Lakeside 5","lines":["first floor","ring twice"]}}`)}

// Neither binding nor finding the handler allocates anything beside the value.
func TestOnMessage_AllocatesNoMoreThanDecoding(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	c, _ := served(t, &server.Service{})
	handle := func(*conn.Conn, order) (any, error) { return nil, nil }
	r := &server.Router{Key: "item"}
	server.On(r, "swan's egg", handle)
	want := testing.AllocsPerRun(100, func() {
		var o order
		json.Unmarshal(orderMessage.Data, &o)
	})
	for name, h := range map[string]server.Handler{"OnMessage": server.OnMessage(handle), "Router": r.Serve} {
		if n := testing.AllocsPerRun(100, func() { h(c, orderMessage) }); n > want {
			t.Errorf("%s: %v allocations, encoding/json alone %v", name, n, want)
		}
	}
}

// Binding costs no more than encoding/json does.
func BenchmarkOnMessage(b *testing.B) {
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var o order
			if err := json.Unmarshal(orderMessage.Data, &o); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("OnMessage", func(b *testing.B) {
		c, _ := served(b, &server.Service{})
		h := server.OnMessage(func(_ *conn.Conn, o order) (any, error) { return nil, nil })
		b.ReportAllocs()
		for b.Loop() {
			if _, err := h(c, orderMessage); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Router", func(b *testing.B) {
		c, _ := served(b, &server.Service{})
		r := &server.Router{Key: "item"}
		server.On(r, "swan's egg", func(_ *conn.Conn, o order) (any, error) { return nil, nil })
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.Serve(c, orderMessage); err != nil {
				b.Fatal(err)
			}
		}
	})
}

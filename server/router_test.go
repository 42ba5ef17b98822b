package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

type subscribe struct {
	Event   string   `json:"event"`
	Symbols []string `json:"symbols"`
}

// routed is a Service of a Router on "event", with the id in "id", that has some
// handlers.
func routed() (*server.Router, *server.Service) {
	r := &server.Router{Key: "event", ID: "id"}
	server.On(r, "subscribe", func(_ *conn.Conn, v subscribe) (any, error) { return v.Symbols, nil })
	server.On(r, "heartbeat", func(*conn.Conn, struct{}) (any, error) {
		return map[string]string{"event": "heartbeat"}, nil
	})
	server.On(r, "raw", func(_ *conn.Conn, text string) (any, error) { return text, nil })
	return r, &server.Service{OnText: r.Serve, OnError: func(c *conn.Conn, err error) {
		c.WriteText(c.Context(), err.Error())
	}}
}

func TestRouter_HandsAMessageToTheHandlerOfItsKey(t *testing.T) {
	const noKey = `text websocket: text message: field "event": the message has no such field`
	for _, tt := range []struct{ name, message, want string }{
		{"the whole message", `{"event":"subscribe","symbols":["a","b"]}`, `text ["a","b"]`},
		{"the key last", `{"symbols":["a"],"event":"subscribe"}`, `text ["a"]`},
		{"no more than the key", `{"event":"heartbeat"}`, `text {"event":"heartbeat"}`},
		{"white space", " {\n\t\"event\" :\r\"heartbeat\" } ", `text {"event":"heartbeat"}`},
		{"the message itself", `{"event":"raw","a":[1, 2]}`, `text {"event":"raw","a":[1, 2]}`},

		{"other fields of that name below", `{"a":{"event":"subscribe"},"b":[{"event":"x"}],"event":"heartbeat"}`, `text {"event":"heartbeat"}`},
		{"only below", `{"a":{"event":"heartbeat"}}`, noKey},
		{"in a string", `{"a":"\"event\":\"heartbeat\"","event":"subscribe"}`, `text null`},
		{"the last of two", `{"event":"subscribe","event":"heartbeat"}`, `text {"event":"heartbeat"}`},
		{"an escaped value", `{"event":"heart\u0062eat"}`, `text {"event":"heartbeat"}`},
		{"an escaped name", `{"\u0065vent":"heartbeat"}`, `text {"event":"heartbeat"}`},

		{"unknown", `{"event":"unsubscribe"}`, `text websocket: text message: field "event": nothing handles "unsubscribe"`},
		{"another case", `{"event":"Heartbeat"}`, `text websocket: text message: field "event": nothing handles "Heartbeat"`},
		{"another case of the name", `{"Event":"heartbeat"}`, noKey},
		{"a long value", `{"event":"` + strings.Repeat("x", 100) + `"}`, `text websocket: text message: field "event": nothing handles "` + strings.Repeat("x", 64) + `"`},
		{"no such field", `{"type":"heartbeat"}`, noKey},
		{"empty", `{"event":""}`, `text websocket: text message: field "event": nothing handles ""`},
		{"a number", `{"event":5}`, `text websocket: text message: field "event": want a string, have "5"`},
		{"null", `{"event":null}`, `text websocket: text message: field "event": want a string, have "null"`},
		{"an object", `{"event":{"event":"heartbeat"}}`, `text websocket: text message: field "event": want a string, have "{\"event\":\"heartbeat\"}"`},
		{"no object", `["event","heartbeat"]`, noKey},
		{"a string", `"heartbeat"`, noKey},
		{"no JSON", `event=heartbeat`, noKey},
		{"nothing", ``, noKey},

		{"not what is wanted", `{"event":"subscribe","symbols":"a"}`, `text websocket: text message: field "symbols": json: cannot unmarshal string into Go struct field subscribe.symbols of type []string`},
		{"no JSON behind the key", `{"event":"subscribe","symbols":[}`, `text websocket: text message: invalid character '}' looking for beginning of value`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, s := routed()
			c, _ := served(t, s)
			say(t, c, tt.message)
			wantHeard(t, c, tt.want)
			say(t, c, `{"event":"raw"}`) // the connection goes on
			wantHeard(t, c, `text {"event":"raw"}`)
		})
	}
}

func TestRouter_WithoutOnError_ClosesWith1003(t *testing.T) {
	for message, want := range map[string]string{
		`{"event":"x"}`:                     `field "event"`,
		`{}`:                                `field "event"`,
		`{"event":"subscribe","symbols":1}`: `field "symbols"`,
	} {
		_, s := routed()
		s.OnError = nil
		c, ended := served(t, s)
		say(t, c, message)
		wantHeard(t, c, "close 1003 data binding failed: "+want)
		<-ended
	}
}

func TestRouter_Unknown_GetsWhatNobodyHandles(t *testing.T) {
	r, s := routed()
	r.Unknown = func(_ *conn.Conn, m conn.Message) (any, error) { return "unknown: " + string(m.Data), nil }
	c, _ := served(t, s)
	for _, message := range []string{`{"event":"x"}`, `{"event":7}`, `{"event":""}`, `{}`, `[]`, `{`, ``} {
		say(t, c, message)
		wantHeard(t, c, "text unknown: "+message)
	}
	say(t, c, `{"event":"raw"}`)
	wantHeard(t, c, `text {"event":"raw"}`)
}

// A handler for the empty value gets those that are empty, not those that have none.
func TestRouter_TheEmptyValueIsOneToo(t *testing.T) {
	r, s := routed()
	server.On(r, "", func(*conn.Conn, struct{}) (any, error) { return "empty", nil })
	r.Unknown = func(*conn.Conn, conn.Message) (any, error) { return "unknown", nil }
	c, _ := served(t, s)
	say(t, c, `{"event":""}`, `{"event":5}`, `{}`)
	wantHeard(t, c, "text empty", "text unknown", "text unknown")
}

func TestRouter_CarriesTheIDIntoTheReply(t *testing.T) {
	for _, tt := range []struct {
		name  string
		id    string // as in the message
		reply any
		want  []string
	}{
		{"object", `"7"`, map[string]int{"a": 1}, []string{`text {"id":"7","a":1}`}},
		{"struct", `7`, swan{Name: "Leda"}, []string{`text {"id":7,"name":"Leda"}`}},
		{"empty object", `7`, struct{}{}, []string{`text {"id":7}`}},
		{"JSON as it is", `7`, json.RawMessage(" { } "), []string{`text {"id":7 } `}},
		{"any id", `{"a": [1, "b"]}`, struct{}{}, []string{`text {"id":{"a": [1, "b"]}}`}},
		{"null", `null`, struct{}{}, []string{`text {"id":null}`}},
		{"one that has an id", `7`, map[string]any{"id": "mine", "a": 1}, []string{`text {"a":1,"id":"mine"}`}},
		{"one that has an id below", `7`, map[string]any{"a": map[string]int{"id": 1}}, []string{`text {"id":7,"a":{"id":1}}`}},

		{"array", `7`, []int{1}, []string{`text [1]`}},
		{"string", `7`, `{"a":1}`, []string{`text {"a":1}`}},
		{"bytes", `7`, []byte(`{}`), []string{`binary {}`}},
		{"message", `7`, conn.Message{Type: conn.Text, Data: []byte(`{}`)}, []string{`text {}`}},
		{"prepared", `7`, conn.Prepare(conn.Text, []byte(`{}`)), []string{`text {}`}},
		{"nothing", `7`, nil, nil},
		{"close", `7`, server.CloseFrame{Code: 4000}, []string{`close 4000 `}},
		{"no JSON", `7`, func() {}, []string{`close 1011 `}},

		{"stream", `7`, pairs[any](nil, swan{Name: "Leda"}, struct{}{}, "text", nil, 5), []string{`text {"id":7,"name":"Leda"}`, `text {"id":7}`, `text text`, `text 5`}},
		{"stream of structs", `"x"`, func(yield func(swan) bool) { yield(swan{Name: "Leda"}) }, []string{`text {"id":"x","name":"Leda"}`}},
		{"stream of streams", `7`, pairs[any](nil, pairs(nil, struct{}{})), []string{`text {"id":7}`}},
		{"stream that fails", `7`, pairs(io.ErrUnexpectedEOF, struct{}{}), []string{`text {"id":7}`, `close 1011 `}},

		{"an id that is no JSON", `[7}`, struct{}{}, []string{`text {}`}},
		{"an id with an error in it", `tru`, struct{}{}, []string{`text {}`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, s := routed()
			s.OnError = nil
			r.Handle("ask", func(*conn.Conn, conn.Message) (any, error) { return tt.reply, nil })
			c, _ := served(t, s)
			say(t, c, `{"event":"ask","id":`+tt.id+`}`)
			wantHeard(t, c, tt.want...)
		})
	}
}

// An id is that of its message, however many are under way.
func TestRouter_KeepsTheIDsOfStreamsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s := routed()
		server.On(r, "count", func(_ *conn.Conn, v struct{ To int }) (any, error) {
			return func(yield func(map[string]int) bool) {
				for i := range v.To {
					<-time.After(time.Second)
					if !yield(map[string]int{"n": i}) {
						return
					}
				}
			}, nil
		})
		c, ended := served(t, s)
		say(t, c, `{"event":"count","to":2,"id":"a"}`)
		<-time.After(500 * time.Millisecond)
		say(t, c, `{"event":"count","to":1,"id":"b"}`, `{"event":"heartbeat","id":"c"}`, `{"event":"heartbeat"}`)
		wantHeard(t, c, `text {"id":"c","event":"heartbeat"}`, `text {"event":"heartbeat"}`,
			`text {"id":"a","n":0}`, `text {"id":"b","n":0}`, `text {"id":"a","n":1}`)
		c.CloseNow()
		<-ended
	})
}

// Bytes that are no text come in binary messages; an id of such is not sent in text.
func TestRouter_CarriesNoIDThatIsNoText(t *testing.T) {
	r, s := routed()
	s.OnBinary = r.Serve
	c, _ := served(t, s)
	c.Write(t.Context(), conn.Binary, []byte("{\"event\":\"heartbeat\",\"id\":\"\xff\"}"))
	wantHeard(t, c, `text {"event":"heartbeat"}`)
}

func TestRouter_CarriesNoIDIntoBinaryReplies(t *testing.T) {
	r, s := routed()
	s.Conn.Codec = base64Codec{}
	r.Handle("ask", func(*conn.Conn, conn.Message) (any, error) { return secret("{}"), nil })
	c, _ := served(t, s)
	say(t, c, `{"event":"ask","id":7}`)
	wantHeard(t, c, "binary e30=")
}

func TestRouter_WithoutID_CarriesNone(t *testing.T) {
	r, s := routed()
	r.ID = ""
	c, _ := served(t, s)
	say(t, c, `{"event":"heartbeat","id":7,"":8}`)
	wantHeard(t, c, `text {"event":"heartbeat"}`)
}

// An id is sent back, with each message of a stream: a long one is not taken.
func TestRouter_AnIDOfMoreThan1KiB_IsABindError(t *testing.T) {
	_, s := routed()
	s.OnError = nil
	c, _ := served(t, s)
	id := strings.Repeat("x", 1<<10-2) // and its quotes
	say(t, c, `{"event":"heartbeat","id":"`+id+`"}`)
	wantHeard(t, c, `text {"id":"`+id+`","event":"heartbeat"}`)
	say(t, c, `{"event":"heartbeat","id":"`+id+`x"}`)
	if _, err := c.Read(t.Context()); conn.CloseStatus(err) != 1003 {
		t.Error(err)
	}
}

// What is not what one handler wanted is told to that handler's own function.
func TestRouter_HandleError_IsToldInsteadOfOnError(t *testing.T) {
	r, s := routed()
	r.HandleError("subscribe", func(_ *conn.Conn, err error) (any, error) {
		e, _ := errors.AsType[*conn.BindError](err)
		if e.Field == "event" {
			return nil, server.CloseFrame{Code: 4000, Reason: "no such event"}
		}
		return map[string]string{"wrong": e.Field}, nil
	})
	server.On(r, "other", func(*conn.Conn, int) (any, error) { return nil, nil })
	server.On(r, "fails", func(*conn.Conn, struct{}) (any, error) { return nil, errors.New("disk full") })
	r.HandleError("fails", func(_ *conn.Conn, err error) (any, error) {
		t.Errorf("told of %v, which is about no message", err)
		return nil, nil
	})
	s.OnError = func(c *conn.Conn, err error) { c.WriteText(c.Context(), fmt.Sprintf("OnError: %T", err)) }
	c, ended := served(t, s)
	say(t, c, `{"event":"subscribe","symbols":5,"id":"a"}`, `{"event":"other"}`, `{"event":"fails"}`)
	wantHeard(t, c, `text {"id":"a","wrong":"symbols"}`, `text OnError: *conn.BindError`, `text OnError: *errors.errorString`, "close 1011 ")
	<-ended

	c, ended = served(t, s)
	say(t, c, `{"event":"subscribe","event":"subscribe","symbols":[5]}`)
	wantHeard(t, c, `text {"wrong":"symbols"}`)
	c.CloseNow()
	<-ended
}

func TestRouter_HandleError_MayEndTheConnection(t *testing.T) {
	r, s := routed()
	r.HandleError("subscribe", func(*conn.Conn, error) (any, error) {
		return nil, server.CloseFrame{Code: 4000, Reason: "that was no symbol"}
	})
	s.OnError = func(_ *conn.Conn, err error) { t.Errorf("OnError(%v)", err) }
	c, ended := served(t, s)
	say(t, c, `{"event":"subscribe","symbols":5}`)
	wantHeard(t, c, "close 4000 that was no symbol")
	<-ended
}

// Whatever a message says, it is a message: the callbacks of a connection's life are
// called for what happens, and by nobody's word.
func TestRouter_NoMessageReachesTheCallbacksOfTheConnection(t *testing.T) {
	j := new(journal)
	r, s := routed()
	s.OnOpen = func(*conn.Conn, *http.Request) error { j.note("open"); return nil }
	s.OnPing = func(*conn.Conn, []byte) []byte { j.note("ping"); return nil }
	s.OnPong = func(*conn.Conn, []byte) { j.note("pong") }
	s.OnIdleTimeout = func(*conn.Conn) error { j.note("idle"); return nil }
	s.Conn.IdleTimeout = time.Hour
	s.OnError = func(_ *conn.Conn, err error) { j.note("error") }
	s.OnClose = func(*conn.Conn, error) { j.note("close") }
	r.Unknown = func(*conn.Conn, conn.Message) (any, error) { return "unknown", nil }
	c, ended := served(t, s)
	for _, name := range []string{"Open", "Message", "Text", "Binary", "Ping", "Pong", "IdleTimeout", "Error", "Close", "Serve"} {
		for _, value := range []string{name, strings.ToLower(name), "On" + name, "on" + name, "on_" + name, "on " + name, strings.ToLower("on" + name)} {
			say(t, c, fmt.Sprintf(`{"event":%q}`, value))
			wantHeard(t, c, "text unknown")
		}
	}
	c.Close(1000, "")
	<-ended
	j.wantNotes(t, "open", "close")
}

func TestRouter_TakesOneHandlerForAValue(t *testing.T) {
	h := func(*conn.Conn, conn.Message) (any, error) { return nil, nil }
	for name, add := range map[string]func(r *server.Router){
		"two handlers": func(r *server.Router) { r.Handle("raw", h) },
		"two by On":    func(r *server.Router) { server.On(r, "raw", func(*conn.Conn, int) (any, error) { return nil, nil }) },
		"none":         func(r *server.Router) { r.Handle("new", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "event") {
					t.Errorf("panicked with %v", v)
				}
			}()
			r, _ := routed()
			add(r)
		})
	}
	r, _ := routed()
	r.HandleError("later", func(*conn.Conn, error) (any, error) { return nil, nil })
	r.Handle("later", h) // the handler may come after its function for errors
}

package conn_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

type point struct{ X, Y int }

func (p *point) Validate() error {
	if p.X < 0 {
		return errors.New("X must not be negative")
	}
	return nil
}

func TestValues_GoThereAndBack(t *testing.T) {
	for _, codec := range []conn.Codec{nil, conn.JSON{}, conn.XML{}} {
		c, peer := pair(t, conn.Options{Codec: codec})
		go func() {
			c.WriteValue(bg, point{1, 2})
			c.WriteValue(bg, "text")
			c.WriteValue(bg, []byte("bytes"))
			c.WriteValue(bg, conn.Message{Type: conn.Binary, Data: []byte("as it is")})
			c.WriteValue(bg, conn.Prepare(conn.Text, []byte("prepared")))
		}()
		if p, err := conn.ReadValue[point](bg, peer); p != (point{1, 2}) || err != nil {
			t.Fatal(codec, p, err)
		}
		if s, err := conn.ReadValue[string](bg, peer); s != "text" || err != nil {
			t.Fatal(s, err)
		}
		if p, err := conn.ReadValue[[]byte](bg, peer); string(p) != "bytes" || err != nil {
			t.Fatal(p, err)
		}
		m, err := conn.ReadValue[conn.Message](bg, peer)
		wantMessage(t, m, err, conn.Binary, "as it is")
		m, err = conn.ReadValue[conn.Message](bg, peer)
		wantMessage(t, m, err, conn.Text, "prepared")
	}
}

func TestReadValue_OfWhatItIsNot_SaysWhichField_AndGoesOn(t *testing.T) {
	c, peer := pair(t, conn.Options{})
	for wire, want := range map[string]string{
		`{"X":"one"}`: `websocket: text message: field "X": json: cannot unmarshal string into Go struct field point.X of type int`,
		`{"X":-1}`:    `websocket: text message: X must not be negative`,
		`{`:           `websocket: text message: unexpected end of JSON input`,
	} {
		go peer.WriteText(bg, wire)
		_, err := conn.ReadValue[point](bg, c)
		e, ok := errors.AsType[*conn.BindError](err)
		if !ok || e.Error() != want || c.Err() != nil {
			t.Errorf("%s: %v", wire, err)
		}
	}
	if err := c.WriteValue(bg, func() {}); err == nil || c.Err() != nil {
		t.Error(err, c.Err())
	}
}

// What a message is made into is a copy: it may be kept.
func TestDecode_Copies(t *testing.T) {
	c, _ := pair(t, quiet)
	m := conn.Message{Type: conn.Binary, Data: []byte("here")}
	var s string
	var p []byte
	var whole conn.Message
	for _, v := range []any{&s, &p, &whole} {
		if err := c.Decode(m, v); err != nil {
			t.Fatal(err)
		}
	}
	copy(m.Data, "gone")
	if s != "here" || string(p) != "here" || string(whole.Data) != "here" || whole.Type != conn.Binary {
		t.Error(s, p, whole)
	}
}

func TestEncode_MakesMessages(t *testing.T) {
	c, _ := pair(t, quiet)
	for _, tt := range []struct {
		v    any
		kind conn.MessageType
		data string
	}{
		{"text", conn.Text, "text"},
		{[]byte("bytes"), conn.Binary, "bytes"},
		{json.RawMessage(`{ }`), conn.Text, "{ }"},
		{conn.Message{Type: conn.Binary, Data: []byte("as it is")}, conn.Binary, "as it is"},
		{point{1, 2}, conn.Text, `{"X":1,"Y":2}`},
		{nil, conn.Text, "null"},
	} {
		m, err := c.Encode(tt.v)
		wantMessage(t, m, err, tt.kind, tt.data)
	}
	if _, err := c.Encode(func() {}); err == nil {
		t.Error("a function has been encoded")
	}
}

// The reason of the Close frame for a message that is not what was wanted fits in one.
func TestBindError_KnowsHowToClose(t *testing.T) {
	for field, want := range map[string]string{
		"":                         "data binding failed",
		"to.street":                `data binding failed: field "to.street"`,
		strings.Repeat("x", 94):    `data binding failed: field "` + strings.Repeat("x", 94) + `"`,
		strings.Repeat("x", 95):    "data binding failed",
		strings.Repeat("\x00", 40): "data binding failed",
	} {
		e := &conn.BindError{Type: conn.Text, Field: field, Err: errors.New("no")}
		code, reason := e.CloseWith()
		if code != frame.CloseUnsupportedData || reason != want || len(reason) > frame.MaxCloseReason {
			t.Errorf("%v %q, want %q", code, reason, want)
		}
		if !errors.Is(e, e.Err) {
			t.Error("the cause is lost")
		}
	}
}

func TestReadValue_OnAConnectionThatEnds_SaysWhy(t *testing.T) {
	c, peer := pair(t, quiet)
	peer.CloseNow()
	if _, err := conn.ReadValue[point](bg, c); err == nil || err != c.Err() {
		t.Error(err)
	}
}

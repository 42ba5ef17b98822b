package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/server"
)

// Of an object that is JSON the fields found are those that encoding/json finds in
// it. Of anything else they are something, and nothing breaks.
func FuzzFields(f *testing.F) {
	for _, s := range []string{
		`{"event":"a","id":1}`, ` { "id" : [1, {"event":"no"}] , "event" : "b" } `, `{"event":"a","event":"b","id":null,"id":{}}`,
		`{"\u0065vent":"\ud83e\udda2","id":"\"}{"}`, `{"a":{"event":"a"},"b":[["id"]],"c":"\\","event":true}`, `{}`, `{"event":-1.5e+10}`,
		`{"event"`, `{"event":`, `{"event":"`, `{"event":"\`, `{"event":"a\"}`, `{"event":}`, `{"event":[}`, `{:"event"}`, `{,}`, `{"a" "b"}`, `[]`, ``, `{"":""}`, "{\"event\":\"\xff\"}",
		`{"event":"a"}garbage`, `{event:"a"}`, `{"event":tru"a"}`, `{"\udead":1,"event":"\udead"}`,
	} {
		f.Add([]byte(s), "event", "id")
	}
	f.Add([]byte(`{"":1}`), "", "")
	f.Fuzz(func(t *testing.T, p []byte, a, b string) {
		valueA, valueB := server.Fields(p, a, b)
		textA := server.Unquoted(valueA)
		server.Unquoted(valueB)
		var all map[string]json.RawMessage
		if !utf8.Valid(p) || json.Unmarshal(p, &all) != nil {
			return
		}
		if string(valueA) != string(all[a]) {
			t.Errorf("%q: the value of %q is %q, want %q", p, a, valueA, all[a])
		}
		if b != "" && b != a && string(valueB) != string(all[b]) {
			t.Errorf("%q: the value of %q is %q, want %q", p, b, valueB, all[b])
		}
		var text *string
		if json.Unmarshal(all[a], &text) != nil {
			text = nil
		}
		if (textA == nil) != (text == nil) || text != nil && string(textA) != *text {
			t.Errorf("%q stands for %q, want %v", valueA, textA, text)
		}
	})
}

// manyFields is a message with the key behind much else.
func manyFields(size int) []byte {
	return fmt.Appendf(nil, `{"id":12345,"payload":{"list":[%s0],"text":"%s"},"event":"update"}`,
		strings.Repeat("1.5,", size/8), strings.Repeat("x", size/2))
}

func lookup(size int) (r *server.Router, m conn.Message) {
	r = &server.Router{Key: "event", ID: "id"}
	for i := range 100 {
		r.Handle(fmt.Sprint("event ", i), func(*conn.Conn, conn.Message) (any, error) { panic("not this one") })
	}
	r.Handle("update", func(*conn.Conn, conn.Message) (any, error) { return nil, nil })
	return r, conn.Message{Type: conn.Text, Data: manyFields(size)}
}

func TestRouter_FindsTheHandlerWithoutAllocating(t *testing.T) {
	for _, size := range []int{0, 100, 10_000} {
		r, m := lookup(size)
		if n := testing.AllocsPerRun(100, func() { r.Serve(nil, m) }); n != 0 {
			t.Errorf("%d bytes: %v allocations", len(m.Data), n)
		}
	}
}

func BenchmarkRouter_Lookup(b *testing.B) {
	for _, size := range []int{0, 200, 10_000} {
		r, m := lookup(size)
		b.Run(fmt.Sprint(len(m.Data)), func(b *testing.B) {
			b.SetBytes(int64(len(m.Data)))
			b.ReportAllocs()
			for b.Loop() {
				r.Serve(nil, m)
			}
		})
	}
}

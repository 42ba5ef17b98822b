package handshake_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/handshake"
)

// R48, R50: byte for byte, the sample of §1.3 first.
func TestAppendResponse_Writes_ExactBytes(t *testing.T) {
	const start = "HTTP/1.1 101 Switching Protocols\r\n" +
		"Upgrade: websocket\r\n" +
		"Connection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	tests := []struct {
		name string
		resp handshake.Response
		want string
	}{
		{"with a subprotocol", handshake.Response{Subprotocol: "chat"}, "Sec-WebSocket-Protocol: chat\r\n"},
		{"without", handshake.Response{}, ""},
		{"with extensions on one line", handshake.Response{Extensions: []handshake.Extension{
			{Name: "foo"}, {Name: "bar", Params: []handshake.Param{{Name: "a"}, {Name: "b", Value: "10"}}},
		}}, "Sec-WebSocket-Extensions: foo, bar; a; b=10\r\n"},
		{"with fields in order", handshake.Response{Header: http.Header{
			"X-B": {"2", "1"}, "Set-Cookie": {"a=b; Path=/"}, "X-A": {""}, "X-C": nil,
		}}, "Set-Cookie: a=b; Path=/\r\nX-A: \r\nX-B: 2\r\nX-B: 1\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.resp.Key = sampleKey
			got, err := handshake.AppendResponse([]byte("before"), tt.resp)
			if diff := cmp.Diff("before"+start+tt.want+"\r\n", string(got)); err != nil || diff != "" {
				t.Errorf("AppendResponse: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestAppendResponse_Refuses_WhatBreaksIt(t *testing.T) {
	header := func(name, value string) handshake.Response {
		return handshake.Response{Key: sampleKey, Header: http.Header{name: {value}}}
	}
	extension := func(e handshake.Extension) handshake.Response {
		return handshake.Response{Key: sampleKey, Extensions: []handshake.Extension{e}}
	}
	tests := []struct {
		name    string
		resp    handshake.Response
		section string
		text    string
	}{
		{"no key", handshake.Response{}, "4.2.2", "Key: found"},
		{"a key that breaks the line", handshake.Response{Key: "a\r\nb"}, "4.2.2", "Key: found"},
		{"subprotocol", handshake.Response{Key: sampleKey, Subprotocol: "a\r\nb"}, "4.2.2", "Subprotocol: found"},
		{"extension without a name", extension(handshake.Extension{}), "9.1", "Extensions: name"},
		{"extension's name", extension(handshake.Extension{Name: "a\r\n"}), "9.1", "Extensions: name"},
		{"parameter's name", extension(handshake.Extension{Name: "a", Params: []handshake.Param{{Value: "1"}}}), "9.1", "Extensions: parameter"},
		{"parameter's value", extension(handshake.Extension{Name: "a", Params: []handshake.Param{{Name: "b", Value: "1 0"}}}), "9.1", "Extensions: parameter"},
		{"CR in a value", header("X", "a\rb"), "4.2.2", "control character"},
		{"LF in a value", header("X", "a\nb"), "4.2.2", "control character"},
		{"NUL in a value", header("X", "a\x00b"), "4.2.2", "control character"},
		{"line break in a name", header("X\r\nY", "a"), "4.2.2", "not a token"},
		{"no name", header("", "a"), "4.2.2", "not a token"},
		{"colon in a name", header("X:", "a"), "4.2.2", "not a token"},
		{"Upgrade", header("Upgrade", "h2c"), "4.2.2", "the handshake writes it"},
		{"Connection", header("connection", "close"), "4.2.2", "the handshake writes it"},
		{"Content-Length", header("Content-Length", "5"), "4.2.2", "has no body"},
		{"Transfer-Encoding", header("Transfer-Encoding", "chunked"), "4.2.2", "has no body"},
		{"Accept", header("Sec-WebSocket-Accept", sampleAccept), "4.2.2", "set Key instead"},
		{"Key", header("Sec-WebSocket-Key", sampleKey), "4.2.2", "set Key instead"},
		{"Protocol", header("sec-websocket-protocol", "chat"), "4.2.2", "set Subprotocol"},
		{"Extensions", header("Sec-Websocket-Extensions", "foo"), "4.2.2", "set Extensions instead"},
		{"Version", header("SEC-WEBSOCKET-VERSION", "13"), "4.2.2", "the handshake writes it"},
		{"any of the kind", header("Sec-WebSocket-X", "1"), "4.2.2", "belongs to the handshake"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := handshake.AppendResponse([]byte("before"), tt.resp)
			wantError(t, err, 500, tt.section, tt.text)
			if string(got) != "before" {
				t.Errorf("AppendResponse = %q, want what was there before", got)
			}
		})
	}
}

// R33: what follows the empty line are frames.
func TestAppendResponse_EndsBeforeTheFirstFrame(t *testing.T) {
	out, err := handshake.AppendResponse(nil, handshake.Response{Key: sampleKey})
	if err != nil {
		t.Fatal(err)
	}
	const frame = "\x81\x05Hello"
	stream := bufio.NewReader(strings.NewReader(string(out) + frame))
	resp, err := http.ReadResponse(stream, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := handshake.CheckResponse(resp, handshake.Offer{Key: sampleKey}); err != nil {
		t.Error(err)
	}
	if rest, _ := io.ReadAll(stream); string(rest) != frame {
		t.Errorf("after the handshake come %q, want %q", rest, frame)
	}
}

func BenchmarkAppendResponse(b *testing.B) {
	for name, resp := range map[string]handshake.Response{
		"plain": {Key: sampleKey},
		"full": {Key: sampleKey, Subprotocol: "chat",
			Extensions: []handshake.Extension{{Name: "foo", Params: []handshake.Param{{Name: "a", Value: "10"}}}},
			Header:     http.Header{"Set-Cookie": {"a=b"}, "X-Request-Id": {"1"}}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 512)
			for b.Loop() {
				if _, err := handshake.AppendResponse(buf, resp); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

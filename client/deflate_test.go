package client_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/handshake"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// D-numbers are the requirements of RFC 7692.

// answering is the response with that element as what has been agreed on.
func answering(element string) string { return withHeader("Sec-WebSocket-Extensions: " + element) }

// D1, D19, D22: what is wanted, then what will do.
func TestClient_OffersCompression(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options deflate.Options
		want    string // "": no such header
	}{
		{"by default", deflate.Options{},
			"permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits, permessage-deflate; client_no_context_takeover; client_max_window_bits"},
		{"with takeover", deflate.Options{Mode: deflate.Takeover},
			"permessage-deflate; client_max_window_bits"},
		{"with takeover and small windows", deflate.Options{Mode: deflate.Takeover, WindowBits: 10},
			"permessage-deflate; server_max_window_bits=10; client_max_window_bits=10, permessage-deflate; client_max_window_bits=10"},
		{"off", deflate.Options{Mode: deflate.Off}, ""},
		{"level and threshold are its own affair", deflate.Options{Mode: deflate.Takeover, Level: 9, Threshold: 1},
			"permessage-deflate; client_max_window_bits"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			offers := make(chan []string, 1)
			o := reach(t, func(nc net.Conn) {
				r, err := readRequest(nc)
				if err != nil {
					return
				}
				offers <- r.Header["Sec-Websocket-Extensions"]
				respond(nc, r, accepted)
				untilClosed(nc)
			})
			o.Conn.Compression = tt.options
			dial(t, "ws://example.test/", o)
			if got := <-offers; len(got) > 1 || strings.Join(got, "") != tt.want {
				t.Errorf("offered %q, want %q", got, tt.want)
			}
		})
	}
}

// D6, D9, D20: what a server may answer, and how the first messages look then.
func TestClient_TakesWhatTheServerAgreesTo(t *testing.T) {
	takeover := deflate.Options{Mode: deflate.Takeover}
	for _, tt := range []struct {
		name, element string
		options       deflate.Options
		compressed    bool
	}{
		{"nothing", "", deflate.Options{}, false},
		{"both without takeover", "permessage-deflate; server_no_context_takeover; client_no_context_takeover", deflate.Options{}, true},
		{"server_no_context_takeover alone", "permessage-deflate; server_no_context_takeover", deflate.Options{}, true},
		{"the second offer", "permessage-deflate", deflate.Options{}, true},
		{"the second offer, with the client's half", "permessage-deflate; client_no_context_takeover", deflate.Options{}, true},
		{"takeover", "permessage-deflate", takeover, true},
		{"client_no_context_takeover unasked", "permessage-deflate; client_no_context_takeover", takeover, true},
		{"server_no_context_takeover unasked", "permessage-deflate; server_no_context_takeover", takeover, true},
		{"server_max_window_bits unasked", "permessage-deflate; server_max_window_bits=8", takeover, true},
		{"client_max_window_bits", "permessage-deflate; client_max_window_bits=8", takeover, true},
		{"client_max_window_bits as it is", "permessage-deflate; client_max_window_bits=15", takeover, true},
		{"smaller windows than asked for", "permessage-deflate; server_max_window_bits=9; client_max_window_bits=8", deflate.Options{Mode: deflate.Takeover, WindowBits: 10}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			response := accepted
			if tt.element != "" {
				response = answering(tt.element)
			}
			first := make(chan byte, 1)
			o := reach(t, func(nc net.Conn) {
				r, err := readRequest(nc)
				if err != nil {
					return
				}
				respond(nc, r, response)
				if tt.compressed { // 7692 §7.2.3.1
					nc.Write(conntest.Hex(`c107 f248cdc9c90700`))
				}
				nc.Write(conntest.Hex(`8104 "Swan"`))
				var b [1]byte
				nc.Read(b[:])
				first <- b[0]
				untilClosed(nc)
			})
			o.Conn.Compression = tt.options
			c, resp := dial(t, "ws://example.test/", o)
			if got := resp.Header.Get("Sec-Websocket-Extensions"); got != tt.element {
				t.Errorf("the response says %q", got)
			}
			want := []string{"Swan"}
			if tt.compressed {
				want = []string{"Hello", "Swan"}
			}
			for _, want := range want {
				if m, err := c.Read(t.Context()); err != nil || string(m.Data) != want {
					t.Errorf("read %q, %v, want %q", m.Data, err, want)
				}
			}
			if err := c.WriteText(t.Context(), strings.Repeat("swan", 1000)); err != nil {
				t.Fatal(err)
			}
			if got := <-first; (got == 0xc1) != tt.compressed {
				t.Errorf("a long text begins with %#x", got)
			}
		})
	}
}

// D4, D15 to D18, D20, D21, D23, and row 57 of the known attacks: "the client MUST
// _Fail the WebSocket Connection_" (7692 §7).
func TestClient_RefusesAnIllegalAnswerToItsOffer(t *testing.T) {
	small := deflate.Options{Mode: deflate.Takeover, WindowBits: 10}
	type reply struct {
		name, element string
		options       deflate.Options
	}
	answers := []reply{
		{"not offered", "permessage-deflate", deflate.Options{Mode: deflate.Off}},
		{"unknown parameter", "permessage-deflate; foo", deflate.Options{}},
		{"unknown parameter with a value", "permessage-deflate; foo=1", deflate.Options{}},
		{"duplicate parameter", "permessage-deflate; server_no_context_takeover; server_no_context_takeover", deflate.Options{}},
		{"duplicate window", "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", deflate.Options{}},
		{"value where there is none", "permessage-deflate; server_no_context_takeover=1", deflate.Options{}},
		{"value where there is none, of the client", "permessage-deflate; client_no_context_takeover=0", deflate.Options{}},
		{"client_max_window_bits without a value", "permessage-deflate; client_max_window_bits", deflate.Options{}}, // D22
		{"server_max_window_bits without a value", "permessage-deflate; server_max_window_bits", deflate.Options{}},
		{"client_max_window_bits above the offer", "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11", small},
		{"client_max_window_bits above the second offer", "permessage-deflate; client_max_window_bits=12", small},
		{"server_max_window_bits above the offer, client_max_window_bits too", "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12", small},
		{"twice", "permessage-deflate, permessage-deflate", deflate.Options{}},
		{"with another extension", "permessage-deflate, x-other", deflate.Options{}},
		{"another extension", "permessage-bzip2", deflate.Options{}},
		{"another extension that uses RSV1", "x-webkit-deflate-frame", deflate.Options{}},
	}
	for _, bits := range []string{`""`, "0", "1", "7", "16", "99", "-1", "015", `"8 "`, "08", "+9", "0x9", "1e1", "9.0", "abc", "18446744073709551616", "18446744073709551624"} {
		for _, name := range []string{"server_max_window_bits", "client_max_window_bits"} {
			answers = append(answers, reply{name + "=" + bits, "permessage-deflate; " + name + "=" + bits, deflate.Options{}})
		}
	}
	for _, tt := range answers {
		t.Run(tt.name, func(t *testing.T) {
			o := reach(t, func(nc net.Conn) {
				if r, err := readRequest(nc); err == nil {
					respond(nc, r, answering(tt.element))
					untilClosed(nc)
				}
			})
			o.Conn.Compression = tt.options
			dials := watchDials(o)
			resp, err := dialFails(t, "ws://example.test/", o)
			if e := asHandshakeError(t, err); e.Status != http.StatusSwitchingProtocols {
				t.Errorf("status %d", e.Status)
			}
			if _, ok := errors.AsType[*handshake.Error](err); !ok || resp == nil || len(err.Error()) > 600 {
				t.Errorf("response %v with %v", resp, err)
			}
			if all := dials(); len(all) != 1 || !all[0].isClosed() {
				t.Errorf("%d streams; the only one should be closed", len(all))
			}
		})
	}
}

func TestClient_SaysWhatWasWrongWithTheAnswer(t *testing.T) {
	o := reach(t, answer(answering("permessage-deflate; server_max_window_bits=99")))
	_, err := dialFails(t, "ws://example.test/", o)
	const want = `permessage-deflate: server_max_window_bits is "99", want 8 to 15 (RFC 7692 §7)`
	if !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v\nwant %s", err, want)
	}
}

// An option without a meaning: nothing is sent, nobody is dialed.
func TestClient_WithBadCompressionOptions_DoesNotDial(t *testing.T) {
	for _, tt := range []struct {
		options deflate.Options
		want    string
	}{
		{deflate.Options{Mode: 3}, "compression mode"},
		{deflate.Options{Level: 10}, "compression level"},
		{deflate.Options{Level: -1}, "compression level"},
		{deflate.Options{WindowBits: 7}, "compression window"},
		{deflate.Options{WindowBits: 16}, "compression window"},
		{deflate.Options{Mode: deflate.Off, WindowBits: -1}, "compression window"},
	} {
		o, n := reachEach(t, func(string) server { return answer(accepted) })
		o.Conn = conn.Options{Compression: tt.options}
		resp, err := dialFails(t, "ws://example.test/", o)
		if _, ok := errors.AsType[*handshake.Error](err); !ok || !strings.Contains(fmt.Sprint(err), tt.want) || resp != nil {
			t.Errorf("%+v: %v, want %q in it", tt.options, err, tt.want)
		}
		if _, ok := errors.AsType[*client.HandshakeError](err); ok {
			t.Errorf("%+v: %v is a HandshakeError, of a response", tt.options, err)
		}
		if got := n.addresses(); got != "" {
			t.Errorf("%+v: dialed %s", tt.options, got)
		}
	}
}

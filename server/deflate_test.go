package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
	"github.com/swan-ws/websocket/server"
)

// D-numbers are the requirements of RFC 7692.

// extensions returns what a response header says of extensions.
func extensions(t testing.TB, head string) string {
	t.Helper()
	if !strings.HasPrefix(head, "HTTP/1.1 101 ") {
		t.Fatalf("got %q", head)
	}
	var all []string
	for line := range strings.SplitSeq(head, "\r\n") {
		if value, ok := strings.CutPrefix(line, "Sec-WebSocket-Extensions: "); ok {
			all = append(all, value)
		}
	}
	if len(all) > 1 {
		t.Fatalf("%d lines of extensions in %q", len(all), head)
	}
	return strings.Join(all, "")
}

// D1, D2, D3, D5, D11 to D14, D19, D21, D22, D23.
func TestServer_AnswersOffersOfCompression(t *testing.T) {
	const (
		bothNew    = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
		ofBrowsers = "permessage-deflate; client_max_window_bits"
	)
	for _, tt := range []struct {
		name    string
		options deflate.Options
		offer   string
		want    string // "": declined
	}{
		{"a browser's", deflate.Options{}, ofBrowsers, bothNew},
		{"a browser's, with takeover", deflate.Options{Mode: deflate.Takeover}, ofBrowsers, "permessage-deflate"},
		{"a browser's, with small windows", deflate.Options{Mode: deflate.Takeover, WindowBits: 10}, ofBrowsers, "permessage-deflate; client_max_window_bits=10"},
		{"a browser's, where compression is off", deflate.Options{Mode: deflate.Off}, ofBrowsers, ""},
		{"none", deflate.Options{}, "", ""},
		{"another extension alone", deflate.Options{}, "x-webkit-deflate-frame", ""},
		{"behind another extension", deflate.Options{}, "bbf-usp-protocol, permessage-deflate", bothNew},
		{"bare", deflate.Options{Mode: deflate.Takeover}, "permessage-deflate", "permessage-deflate"},
		{"bare, with small windows", deflate.Options{Mode: deflate.Takeover, WindowBits: 9}, "permessage-deflate", "permessage-deflate"}, // D23
		{"server_no_context_takeover", deflate.Options{Mode: deflate.Takeover}, "permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover"},
		{"client_no_context_takeover", deflate.Options{Mode: deflate.Takeover}, "permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover"},
		{"server_max_window_bits", deflate.Options{Mode: deflate.Takeover}, "permessage-deflate; server_max_window_bits=12", "permessage-deflate; server_max_window_bits=12"},
		{"server_max_window_bits above ours", deflate.Options{Mode: deflate.Takeover, WindowBits: 9}, "permessage-deflate; server_max_window_bits=12", "permessage-deflate; server_max_window_bits=9"},
		{"quoted", deflate.Options{Mode: deflate.Takeover}, `permessage-deflate; server_max_window_bits="12"`, "permessage-deflate; server_max_window_bits=12"},
		{"client_max_window_bits", deflate.Options{Mode: deflate.Takeover}, "permessage-deflate; client_max_window_bits=11", "permessage-deflate; client_max_window_bits=11"},
		{"two offers", deflate.Options{Mode: deflate.Takeover}, "permessage-deflate; server_max_window_bits=10, permessage-deflate", "permessage-deflate; server_max_window_bits=10"},
		{"the second of two offers", deflate.Options{Mode: deflate.Takeover}, "permessage-deflate; server_max_window_bits=99, permessage-deflate", "permessage-deflate"},

		{"unknown parameter", deflate.Options{}, "permessage-deflate; foo", ""},
		{"parameter of its predecessor", deflate.Options{}, "permessage-deflate; c2s_max_window_bits", ""},
		{"duplicate parameter", deflate.Options{}, "permessage-deflate; client_max_window_bits; client_max_window_bits", ""},
		{"value where there is none", deflate.Options{}, "permessage-deflate; server_no_context_takeover=1", ""},
		{"value where there is none, of the client", deflate.Options{}, "permessage-deflate; client_no_context_takeover=true", ""},
		{"no value where there is one", deflate.Options{}, "permessage-deflate; server_max_window_bits", ""},
		{"window too small", deflate.Options{}, "permessage-deflate; server_max_window_bits=7", ""},
		{"window too large", deflate.Options{}, "permessage-deflate; client_max_window_bits=16", ""},
		{"leading zero", deflate.Options{}, "permessage-deflate; client_max_window_bits=08", ""},
		{"letters", deflate.Options{}, "permessage-deflate; client_max_window_bits=abc", ""},
		{"sign", deflate.Options{}, "permessage-deflate; client_max_window_bits=+9", ""},
		{"beyond all integers", deflate.Options{}, "permessage-deflate; server_max_window_bits=18446744073709551624", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			service := echo()
			service.Conn.Compression = tt.options
			nc := rawDial(t, serveHTTP(t, service))
			if tt.offer == "" {
				send(t, nc, request())
			} else {
				send(t, nc, request("Sec-WebSocket-Extensions: "+tt.offer))
			}
			if got := extensions(t, receiveHead(t, nc)); got != tt.want {
				t.Errorf("answered %q, want %q", got, tt.want)
			}
			// Whatever has been agreed on, messages that are not compressed are taken (D9).
			nc.Write(conntest.Hex(`8185 00000000 "Hello"`))
			expect(t, nc, conntest.Hex(`8105 "Hello"`))
			if tt.want != "" { // 7692 §7.2.3.1
				nc.Write(conntest.Hex(`c187 00000000 f248cdc9c90700`))
				expect(t, nc, conntest.Hex(`8105 "Hello"`))
			}
		})
	}
}

// agreement is what two wishes come to by RFC 7692 §7.1: the element of the response.
func agreement(s, c deflate.Options) string {
	if s.Mode == deflate.Off || c.Mode == deflate.Off {
		return ""
	}
	answer := deflate.Name
	if s.Mode == deflate.NoTakeover || c.Mode == deflate.NoTakeover {
		answer += "; server_no_context_takeover; client_no_context_takeover"
	}
	if c.WindowBits != 0 {
		answer += fmt.Sprintf("; server_max_window_bits=%d", c.WindowBits)
	}
	if bits := max(s.WindowBits, c.WindowBits); bits != 0 {
		answer += fmt.Sprintf("; client_max_window_bits=%d", bits)
	}
	return answer
}

// D6: each wish of a server's with each wish of a client's.
func TestAccept_AndDial_AgreeOnCompression_AndMessagesGoBothWays(t *testing.T) {
	var wishes []deflate.Options
	for _, mode := range []deflate.Mode{deflate.NoTakeover, deflate.Takeover, deflate.Off} {
		for _, bits := range []int{0, 9} {
			wishes = append(wishes, deflate.Options{Mode: mode, WindowBits: bits})
		}
	}
	for _, s := range wishes {
		for _, c := range wishes {
			t.Run(fmt.Sprintf("%v %d, %v %d", s.Mode, s.WindowBits, c.Mode, c.WindowBits), func(t *testing.T) {
				service := echo()
				service.Conn.Compression = s
				l := serveHTTP(t, service)
				ours, resp, err := tryDial(t, l, &client.Options{Conn: conn.Options{Compression: c}})
				if err != nil {
					t.Fatal(err)
				}
				defer ours.CloseNow()
				if got, want := resp.Header.Get("Sec-Websocket-Extensions"), agreement(s, c); got != want {
					t.Errorf("agreed on %q, want %q", got, want)
				}
				for n := range 20 {
					roundTrip(t, ours, strings.Repeat(fmt.Sprintf("swan %d, ", n), n*n*5))
				}
			})
		}
	}
}

// Compressed messages of both sides as they look on the wire, agreed on by default.
func TestServer_CompressesByDefault_WhatIsWorthIt(t *testing.T) {
	nc := rawDial(t, serveHTTP(t, echo()))
	send(t, nc, request("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"))
	receiveHead(t, nc)
	nc.Write(append(conntest.Hex(`81fe 03e8 00000000`), strings.Repeat("a", 1000)...))
	var head [2]byte
	if _, err := nc.Read(head[:]); err != nil || head[0] != 0xc1 || head[1] > 100 {
		t.Errorf("the echo begins with % x, %v", head, err)
	}
}

// An option without a meaning is the application's fault, whatever the client offers.
func TestServer_WithBadCompressionOptions_AnswersWith500(t *testing.T) {
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
		for _, offer := range []string{"", "Sec-WebSocket-Extensions: permessage-deflate"} {
			failed := make(chan error, 1)
			l := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, err := server.Accept(w, r, &server.Options{Conn: conn.Options{Compression: tt.options}})
				failed <- err
			}))
			nc := rawDial(t, l)
			if offer == "" {
				send(t, nc, request())
			} else {
				send(t, nc, request(offer))
			}
			resp, _ := receive(t, nc)
			if resp.StatusCode != http.StatusInternalServerError || !resp.Close {
				t.Errorf("%+v: %d", tt.options, resp.StatusCode)
			}
			if err := <-failed; err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%+v: %v, want %q in it", tt.options, err, tt.want)
			}
		}
	}
}

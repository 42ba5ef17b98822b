package main

import (
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/internal/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

func TestSubprotocols_TheFirstOfTheClientsThatIsSpokenHere(t *testing.T) {
	tests := []struct {
		name  string
		args  []string // beside the address
		offer []string
		want  string
	}{
		{name: "json, since xml is not spoken", offer: []string{"xml", "json"}, want: "json"},
		{name: "the client's order counts", offer: []string{"mqtt", "json"}, want: "mqtt"},
		{name: "no overlap", offer: []string{"soap"}, want: ""},
		{name: "nothing offered", want: ""},
		{name: "xml, where it is spoken", args: []string{"-protocols", "xml,json"}, offer: []string{"xml", "json"}, want: "xml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := trial.Start(t, ".", append(tt.args, "-addr", "127.0.0.1:0")...)
			c, resp, err := websocket.Dial(t.Context(), "ws://"+p.Addr(t)+"/ws/subscribe", &websocket.DialOptions{Subprotocols: tt.offer})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			if c.Subprotocol() != tt.want {
				t.Errorf("agreed on %q, want %q", c.Subprotocol(), tt.want)
			}
			if header, has := resp.Header["Sec-Websocket-Protocol"]; has != (tt.want != "") {
				t.Errorf("the response has %q", header)
			}
			if tt.want == "" {
				tt.want = "none"
			}
			p.Prints(t, "Negotiated sub-protocol: "+tt.want)
		})
	}
}

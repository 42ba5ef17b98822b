package machine

import (
	"bytes"
	"testing"

	"github.com/swan-ws/websocket/frame"
)

// onTheWire is §7.4 and IANA's registry: may code stand in a Close frame?
func onTheWire(code int) bool {
	switch code {
	case 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014:
		return true
	}
	return 3000 <= code && code <= 4999
}

func TestServer_ReceivesEveryCloseCode_ByTheRFC(t *testing.T) { receiveEveryCode(t, Server) }
func TestClient_ReceivesEveryCloseCode_ByTheRFC(t *testing.T) { receiveEveryCode(t, Client) }

func receiveEveryCode(t *testing.T, role Role) {
	for code := range 65536 {
		e := New(Config{Role: role, NewKey: func() frame.Key { return frame.Key{} }})
		payload := []byte{byte(code >> 8), byte(code)}
		var ev Event
		in := wire(peer(role), 0x88, payload)
		n, err := e.Step(&ev, in)
		if !onTheWire(code) {
			if n != 0 || ev.Kind != NeedMore || err == nil || err.(*frame.ProtocolError).Code != 1002 {
				t.Fatalf("code %d: %d, %v, %v, want fault 1002", code, n, ev.Kind, err)
			}
			continue
		}
		if n != len(in) || ev.Kind != Close || int(ev.Code) != code || len(ev.Payload) != 0 || err != nil {
			t.Fatalf("code %d: %d, %+v, %v, want to be told", code, n, ev, err)
		}
		if got, want := e.AppendReply(nil, &ev), wire(role, 0x88, payload); !bytes.Equal(got, want) {
			t.Fatalf("code %d: answered with % x, want % x", code, got, want)
		}
	}
}

func TestServer_SendsEveryCloseCode_ByTheRFC(t *testing.T) { sendEveryCode(t, Server) }
func TestClient_SendsEveryCloseCode_ByTheRFC(t *testing.T) { sendEveryCode(t, Client) }

func sendEveryCode(t *testing.T, role Role) {
	for code := range 65536 {
		e := New(Config{Role: role, NewKey: func() frame.Key { return frame.Key{} }})
		got, err := e.AppendClose(nil, frame.CloseCode(code), "")
		var want []byte
		switch {
		case code == 1005: // asks for a Close without a code
			want = wire(role, 0x88, nil)
		case code == 1010 && role == Server: // §7.4.1: "not used by the server"
		case onTheWire(code):
			want = wire(role, 0x88, []byte{byte(code >> 8), byte(code)})
		}
		if !bytes.Equal(got, want) || (err == nil) != (want != nil) || e.CloseSent() != (want != nil) {
			t.Fatalf("code %d: % x, %v, want % x", code, got, err, want)
		}
	}
}

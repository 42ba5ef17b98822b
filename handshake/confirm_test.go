package handshake_test

import (
	"bufio"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/handshake"
)

var sampleOffer = handshake.Offer{
	Key:          sampleKey,
	Subprotocols: []string{"chat", "superchat"},
	Extensions:   []handshake.Extension{{Name: "foo"}, {Name: "bar"}},
}

// answer returns the text of a good response, with these lines in the place of
// the one of that name.
func answer(name string, values ...string) string {
	var b strings.Builder
	b.WriteString("HTTP/1.1 101 Switching Protocols\n")
	lines := []field{{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", sampleAccept}}
	for _, f := range lines {
		if f.name != name {
			b.WriteString(f.name + ": " + f.value + "\n")
		}
	}
	for _, value := range values {
		b.WriteString(name + ":" + value + "\n")
	}
	return b.String() + "\n"
}

// R27-R32, R54-R56
func TestCheckResponse(t *testing.T) {
	const k = sampleAccept
	tests := []struct {
		field   string
		name    string
		values  []string
		section string // "" if it is accepted
	}{
		{"X Swan", "blank in the name of a header", []string{"1"}, "RFC 9110 §5.1"},
		{"Upgrade", "missing", nil, "4.1"},
		{"Upgrade", "empty", []string{""}, "4.1"},
		{"Upgrade", "other protocol", []string{"h2c"}, "4.1"},
		{"Upgrade", "longer", []string{"websocket2"}, "4.1"},
		{"Upgrade", "other case", []string{"WebSocket"}, ""},
		{"Upgrade", "surrounding OWS", []string{" \t websocket \t"}, ""},
		{"Upgrade", "list", []string{"websocket, h2c"}, "4.1"},
		{"Upgrade", "duplicated", []string{"websocket", "websocket"}, "4.1"},
		{"Upgrade", "letter of another alphabet", []string{"web\u017focket"}, "4.1"},
		{"Upgrade", "Kelvin sign", []string{"websoc\u212aet"}, "4.1"},

		{"Connection", "missing", nil, "4.1"},
		{"Connection", "empty", []string{""}, "4.1"},
		{"Connection", "close", []string{"close"}, "4.1"},
		{"Connection", "list in capitals", []string{"keep-alive, UPGRADE"}, ""},
		{"Connection", "two lines", []string{"keep-alive", "upgrade"}, ""},
		{"Connection", "part of a word", []string{"upgraded"}, "4.1"},
		{"Connection", "junk appended", []string{"Upgrade;x"}, "4.1"},
		{"Connection", "junk beside", []string{"Upgrade, a b"}, "4.1"},

		{"Sec-WebSocket-Accept", "missing", nil, "4.1"},
		{"Sec-WebSocket-Accept", "empty", []string{""}, "4.1"},
		{"Sec-WebSocket-Accept", "surrounding OWS", []string{" \t " + k + " \t"}, ""},
		{"Sec-WebSocket-Accept", "of another key", []string{"AAAAAAAAAAAAAAAAAAAAAAAAAAA="}, "4.1"},
		{"Sec-WebSocket-Accept", "no base64", []string{"%%%"}, "4.1"},
		{"Sec-WebSocket-Accept", "the key itself", []string{sampleKey}, "4.1"},
		{"Sec-WebSocket-Accept", "in small letters", []string{strings.ToLower(k)}, "4.1"},
		{"Sec-WebSocket-Accept", "junk appended", []string{k + "x"}, "4.1"},
		{"Sec-WebSocket-Accept", "list", []string{k + ", " + k}, "4.1"},
		{"Sec-WebSocket-Accept", "duplicated", []string{k, k}, "4.1"},
		{"Sec-WebSocket-Accept", "right and wrong", []string{k, "x"}, "4.1"},

		{"Sec-WebSocket-Protocol", "offered", []string{"superchat"}, ""},
		{"Sec-WebSocket-Protocol", "surrounding OWS", []string{" \t chat \t"}, ""},
		{"Sec-WebSocket-Protocol", "not offered", []string{"mqtt"}, "4.1"},
		{"Sec-WebSocket-Protocol", "other case", []string{"Chat"}, "4.1"},
		{"Sec-WebSocket-Protocol", "empty", []string{""}, "4.1"},
		{"Sec-WebSocket-Protocol", "list", []string{"chat, superchat"}, "4.1"},
		{"Sec-WebSocket-Protocol", "two lines", []string{"chat", "superchat"}, "4.1"},
		{"Sec-WebSocket-Protocol", "duplicated", []string{"chat", "chat"}, "4.1"},

		{"Sec-WebSocket-Extensions", "offered", []string{"foo; a=1"}, ""},
		{"Sec-WebSocket-Extensions", "in another order", []string{"bar, foo"}, ""},
		{"Sec-WebSocket-Extensions", "not offered", []string{"permessage-deflate"}, "4.1"},
		{"Sec-WebSocket-Extensions", "other case", []string{"Foo"}, "4.1"},
		{"Sec-WebSocket-Extensions", "twice", []string{"foo, foo"}, "9.1"},
		{"Sec-WebSocket-Extensions", "two lines", []string{"foo", "bar"}, "11.3.2"},
		{"Sec-WebSocket-Extensions", "empty", []string{""}, "9.1"},
		{"Sec-WebSocket-Extensions", "no grammar", []string{"foo;"}, "9.1"},

		{"Content-Length", "none", []string{"0"}, ""},
		{"Content-Length", "some", []string{"5"}, "RFC 9110 §15.2"},
		{"Transfer-Encoding", "chunked", []string{"chunked"}, "RFC 9110 §15.2"},
	}
	for _, tt := range tests {
		t.Run(tt.field+"/"+tt.name, func(t *testing.T) {
			_, err := handshake.CheckResponse(mustReadResponse(t, answer(tt.field, tt.values...)), sampleOffer)
			switch {
			case tt.section != "":
				wantError(t, err, 0, tt.section, tt.field)
			case err != nil:
				t.Errorf("CheckResponse: %v", err)
			}
		})
	}
}

func TestCheckResponse_ReturnsWhatIsAgreed(t *testing.T) {
	text := answer("Sec-WebSocket-Extensions", "bar; b=2, foo")
	text = strings.TrimSuffix(text, "\n") + "Sec-WebSocket-Protocol: superchat\n\n"
	got, err := handshake.CheckResponse(mustReadResponse(t, text), sampleOffer)
	want := handshake.Agreement{
		Subprotocol: "superchat",
		Extensions:  []handshake.Extension{{Name: "bar", Params: []handshake.Param{{Name: "b", Value: "2"}}}, {Name: "foo"}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("CheckResponse: %v (-want +got):\n%s", err, diff)
	}
	got, err = handshake.CheckResponse(mustReadResponse(t, answer("X")), sampleOffer)
	if diff := cmp.Diff(handshake.Agreement{}, got); err != nil || diff != "" {
		t.Errorf("a server may decline all: %v (-want +got):\n%s", err, diff)
	}
}

// R31, R30: who offers nothing is answered nothing.
func TestCheckResponse_Rejects_AnswersToNoOffer(t *testing.T) {
	none := handshake.Offer{Key: sampleKey}
	for _, f := range []field{{"Sec-WebSocket-Protocol", "chat"}, {"Sec-WebSocket-Protocol", ""}, {"Sec-WebSocket-Extensions", "foo"}} {
		_, err := handshake.CheckResponse(mustReadResponse(t, answer(f.name, f.value)), none)
		wantError(t, err, 0, "4.1", f.name)
	}
}

// R26
func TestCheckResponse_Rejects_EveryOtherStatus(t *testing.T) {
	for status := 100; status < 600; status++ {
		text := strings.Replace(answer("X"), "101 Switching Protocols", fmt.Sprintf("%d Whatever", status), 1)
		_, err := handshake.CheckResponse(mustReadResponse(t, text), sampleOffer)
		if status == http.StatusSwitchingProtocols {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		wantError(t, err, 0, "4.1", fmt.Sprintf("status: found %d", status))
	}
}

// R32
func TestCheckResponse_Judges_TheHTTPVersion(t *testing.T) {
	for version, ok := range map[string]bool{"HTTP/1.0": false, "HTTP/1.1": true, "HTTP/1.2": true, "HTTP/2.0": false, "HTTP/0.9": false} {
		resp := mustReadResponse(t, strings.Replace(answer("X"), "HTTP/1.1", version, 1))
		_, err := handshake.CheckResponse(resp, sampleOffer)
		if ok && err != nil {
			t.Errorf("%s: %v", version, err)
		} else if !ok {
			wantError(t, err, 0, "4.1", "found "+version+", want HTTP/1.1")
		}
	}
}

func TestCheckResponse_Rejects_ABodyOfAnotherReader(t *testing.T) {
	sized, coded := mustReadResponse(t, answer("X")), mustReadResponse(t, answer("X"))
	sized.ContentLength = 5
	coded.Header["Transfer-Encoding"] = []string{"gzip"}
	for _, resp := range []*http.Response{sized, coded} {
		_, err := handshake.CheckResponse(resp, sampleOffer)
		wantError(t, err, 0, "RFC 9110 §15.2", "found a body")
	}
}

func FuzzCheckResponse(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(answer("X"), "\n", "\r\n")))
	f.Fuzz(func(t *testing.T, text []byte) {
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(text))), nil)
		if err != nil {
			return
		}
		agreed, err := handshake.CheckResponse(resp, sampleOffer)
		if err != nil {
			wantError(t, err, 0, err.(*handshake.Error).Section, "")
			if diff := cmp.Diff(handshake.Agreement{}, agreed); diff != "" {
				t.Fatalf("an agreement beside an error (-want +got):\n%s", diff)
			}
			return
		}
		// What is accepted has, by a coarser look, all that §4.1 asks for.
		switch h := resp.Header; {
		case resp.StatusCode != 101 || !strings.Contains(string(text), sampleAccept):
			t.Fatalf("accepts %q", text)
		case !strings.EqualFold(h.Get("Upgrade"), "websocket") || len(h["Upgrade"]) != 1:
			t.Fatalf("accepts Upgrade %q", h["Upgrade"])
		case !strings.Contains(strings.ToLower(strings.Join(h["Connection"], ",")), "upgrade"):
			t.Fatalf("accepts Connection %q", h["Connection"])
		case agreed.Subprotocol != h.Get("Sec-WebSocket-Protocol") || agreed.Subprotocol != "" && !slices.Contains(sampleOffer.Subprotocols, agreed.Subprotocol):
			t.Fatalf("agrees on %q", agreed.Subprotocol)
		case len(agreed.Extensions) > len(sampleOffer.Extensions):
			t.Fatalf("agrees on %v", agreed.Extensions)
		}
	})
}

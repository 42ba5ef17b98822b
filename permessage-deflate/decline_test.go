package deflate

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/handshake"
)

// illegal elements, both as an offer and as a response (§7).
var illegal = func() []handshake.Extension {
	list := []handshake.Extension{
		elementOf("foo"),
		elementOf("foo=1"),
		elementOf("server_max_window_bits=10", "x-bits=10"),
		elementOf("Server_No_Context_Takeover"),
		elementOf("server_max_window_bits"), // it always has a value
		elementOf("server_no_context_takeover=1"),
		elementOf("client_no_context_takeover=true"),
		elementOf("server_no_context_takeover", "server_no_context_takeover"),
		elementOf("client_no_context_takeover", "client_no_context_takeover"),
		elementOf("server_max_window_bits=10", "server_max_window_bits=10"),
		elementOf("client_max_window_bits=10", "client_max_window_bits=11"),
		elementOf("client_max_window_bits", "client_max_window_bits"),
		elementOf("client_max_window_bits=10", "server_no_context_takeover", "client_max_window_bits"),
	}
	for _, value := range []string{"7", "16", "0", "1", "99", "08", "015", "abc", "8 ", " 8", "-1", "-8", "+8", "8.0", "0x8", "1_0", "1e1",
		"18446744073709551616", "18446744073709551624", "9223372036854775807", "٩", "8\x00", "\"8\"", strings.Repeat("9", 1<<16)} {
		list = append(list, elementOf("server_max_window_bits="+value), elementOf("client_max_window_bits="+value))
	}
	return list
}()

func TestAccept_Declines(t *testing.T) {
	good := elementOf("client_no_context_takeover", "server_max_window_bits=12")
	for _, offer := range illegal {
		t.Run(nameOf(offer), func(t *testing.T) {
			for _, o := range everyOptions() {
				if p, reply, ok := o.Accept([]handshake.Extension{offer}); ok || p != (Params{}) || !cmp.Equal(reply, handshake.Extension{}) {
					t.Errorf("%+v: %+v, %v", o, p, reply)
				}
				_, want, _ := o.Accept([]handshake.Extension{good})
				_, reply, ok := o.Accept([]handshake.Extension{offer, offer, good, elementOf()})
				if diff := cmp.Diff(want, reply); !ok || diff != "" {
					t.Errorf("%+v: the next offer is not taken (-want +got):\n%s", o, diff)
				}
			}
		})
	}
}

func TestConfirm_Fails(t *testing.T) {
	list := append([]handshake.Extension{elementOf("client_max_window_bits"), elementOf("client_max_window_bits=")}, illegal...)
	for _, response := range list {
		t.Run(nameOf(response), func(t *testing.T) {
			for _, o := range everyOptions() {
				p, err := o.Confirm(response)
				if err == nil || p != (Params{}) {
					t.Fatalf("%+v: %+v", o, p)
				}
				if text := err.Error(); !strings.HasPrefix(text, Name+": ") || len(text) > 200 || strings.Contains(text, "\x00") {
					t.Errorf("%q", text)
				}
			}
		})
	}
}

func TestConfirm_OfWhatWasNotOffered_Fails(t *testing.T) {
	if p, err := (Options{Mode: Off}).Confirm(elementOf()); err == nil {
		t.Errorf("Off: %+v", p)
	}
	if p, err := (Options{}).Confirm(handshake.Extension{Name: "permessage-snappy"}); err == nil {
		t.Errorf("another extension: %+v", p)
	}
	without := element{} // an offer without client_max_window_bits
	if err := (element{clientBits: 15}).meets(without); err == nil || !strings.Contains(err.Error(), "not offered") {
		t.Error("client_max_window_bits:", err)
	}
}

func TestConfirm_SaysWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name     string
		answer   element
		offer    element
		contains string
	}{
		{"no takeover demanded", element{}, element{serverNoTakeover: true}, "server_no_context_takeover missing"},
		{"bits demanded", element{}, element{serverBits: 10}, "server_max_window_bits missing or above 10"},
		{"bits too large", element{serverBits: 12}, element{serverBits: 10}, "server_max_window_bits missing or above 10"},
		{"client bits too large", element{clientBits: 12}, element{clientBits: 10}, "client_max_window_bits above 10"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := tc.answer.meets(tc.offer); err == nil || !strings.Contains(err.Error(), tc.contains) {
				t.Error(err)
			}
		})
	}
}

func TestAccept_PassesOverOtherExtensions(t *testing.T) {
	other := handshake.Extension{Name: "permessage-bzip2", Params: []handshake.Param{{Name: "server_max_window_bits", Value: "99"}}}
	for _, name := range []string{"x-webkit-deflate-frame", "permessage-deflat", "permessage-deflate2", "PERMESSAGE-DEFLATE"} {
		if _, _, ok := (Options{}).Accept([]handshake.Extension{other, {Name: name}}); ok {
			t.Error(name)
		}
		_, reply, ok := (Options{}).Accept([]handshake.Extension{other, {Name: name}, elementOf("server_max_window_bits=9"), other})
		if !ok || obeys(elementOf("server_max_window_bits=9"), reply) != nil {
			t.Error(name, reply)
		}
	}
	if _, _, ok := (Options{}).Accept(nil); ok {
		t.Error("no offer is accepted")
	}
}

// The first offer that is legal is taken, though another would suit more.
func TestAccept_TakesOffersInTheirOrder(t *testing.T) {
	p, _, ok := Options{Mode: Takeover}.Accept([]handshake.Extension{elementOf("server_no_context_takeover"), elementOf()})
	if !ok || !p.ServerNoContextTakeover {
		t.Error(p, ok)
	}
}

func TestOffer_IsWhatTheDocumentsSay(t *testing.T) {
	for _, tc := range []struct {
		name string
		o    Options
		want string
	}{
		{"zero", Options{}, "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits, " +
			"permessage-deflate; client_no_context_takeover; client_max_window_bits"},
		{"takeover", Options{Mode: Takeover}, "permessage-deflate; client_max_window_bits"},
		{"small windows", Options{Mode: Takeover, WindowBits: 10}, "permessage-deflate; server_max_window_bits=10; client_max_window_bits=10, " +
			"permessage-deflate; client_max_window_bits=10"},
		{"off", Options{Mode: Off}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := string(handshake.AppendExtensions(nil, tc.o.Offer())); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestOptions_Check(t *testing.T) {
	for _, tc := range []struct {
		name string
		o    Options
		want string // "" is fine
	}{
		{"zero", Options{}, ""},
		{"all set", Options{Takeover, 9, 1, 8}, ""},
		{"off", Options{Mode: Off, Threshold: -1, WindowBits: 15}, ""},
		{"mode", Options{Mode: Off + 1}, "mode"},
		{"level -1", Options{Level: -1}, "level"},
		{"level 10", Options{Level: 10}, "level"},
		{"window 7", Options{WindowBits: 7}, "window"},
		{"window 16", Options{WindowBits: 16}, "window"},
		{"window -1", Options{WindowBits: -1}, "window"},
		{"any threshold", Options{Threshold: math.MinInt}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.o.Check()
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

func TestOptions_Worthwhile(t *testing.T) {
	for _, tc := range []struct {
		mode         Mode
		threshold, n int
		want         bool
	}{
		{NoTakeover, 0, 255, false}, {NoTakeover, 0, 256, true}, {NoTakeover, 0, 0, false},
		{Takeover, 0, 31, false}, {Takeover, 0, 32, true}, {Takeover, 256, 255, false},
		{NoTakeover, -1, 0, true}, {NoTakeover, -1, 1, true},
		{NoTakeover, 10, 9, false}, {NoTakeover, 10, 10, true}, {NoTakeover, 1, 0, false},
	} {
		if got := (Options{Mode: tc.mode, Threshold: tc.threshold}).Worthwhile(tc.n); got != tc.want {
			t.Errorf("%v, threshold %d: Worthwhile(%d) = %v", tc.mode, tc.threshold, tc.n, got)
		}
	}
}

func TestMode_String(t *testing.T) {
	if got := fmt.Sprint(NoTakeover, ", ", Takeover, ", ", Off); got != "no takeover, takeover, off" {
		t.Error(got)
	}
}

func nameOf(e handshake.Extension) string {
	return fmt.Sprintf("%.60q", handshake.AppendExtensions(nil, []handshake.Extension{e}))
}

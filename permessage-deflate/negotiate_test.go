package deflate

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/handshake"
)

// params of an element by name. The oracle below shares nothing with the code:
// it reads the text of parameters as §7.1 has them.
func paramsOf(e handshake.Extension) (map[string]string, error) {
	all := map[string]string{}
	for _, p := range e.Params {
		if _, twice := all[p.Name]; twice {
			return nil, errors.New("parameter twice: " + p.Name)
		}
		all[p.Name] = p.Value
	}
	return all, nil
}

var valid = map[string]struct{ offer, response *regexp.Regexp }{
	"server_no_context_takeover": {regexp.MustCompile(`^$`), regexp.MustCompile(`^$`)},
	"client_no_context_takeover": {regexp.MustCompile(`^$`), regexp.MustCompile(`^$`)},
	"server_max_window_bits":     {regexp.MustCompile(`^([89]|1[0-5])$`), regexp.MustCompile(`^([89]|1[0-5])$`)},
	"client_max_window_bits":     {regexp.MustCompile(`^([89]|1[0-5])?$`), regexp.MustCompile(`^([89]|1[0-5])$`)},
}

// legal reports what §7 has a peer refuse in an element by itself.
func legal(e handshake.Extension, response bool) error {
	if e.Name != "permessage-deflate" {
		return errors.New("another extension")
	}
	all, err := paramsOf(e)
	for name, value := range all {
		want, known := valid[name]
		ok := known && (response && want.response.MatchString(value) || !response && want.offer.MatchString(value))
		if !ok {
			err = fmt.Errorf("%s=%q", name, value)
		}
	}
	return err
}

// obeys reports what is wrong with a response to an offer.
func obeys(offer, response handshake.Extension) error {
	if err := errors.Join(legal(offer, false), legal(response, true)); err != nil {
		return err
	}
	asked, _ := paramsOf(offer)
	given, _ := paramsOf(response)
	if _, ok := asked["server_no_context_takeover"]; ok {
		if _, ok := given["server_no_context_takeover"]; !ok {
			return errors.New("§7.1.1.1: server_no_context_takeover is not echoed")
		}
	}
	if most, ok := asked["server_max_window_bits"]; ok {
		if bits, ok := given["server_max_window_bits"]; !ok || number(bits) > number(most) {
			return fmt.Errorf("§7.1.2.1: server_max_window_bits %s for %s", bits, most)
		}
	}
	if bits, ok := given["client_max_window_bits"]; ok {
		if most, ok := asked["client_max_window_bits"]; !ok || most != "" && number(bits) > number(most) {
			return fmt.Errorf("§7.1.2.2: client_max_window_bits %s for %s", bits, most)
		}
	}
	return nil
}

// agreed is what a response says (§7.1).
func agreed(response handshake.Extension) Params {
	given, _ := paramsOf(response)
	p := Params{ServerMaxWindowBits: 15, ClientMaxWindowBits: 15}
	_, p.ServerNoContextTakeover = given["server_no_context_takeover"]
	_, p.ClientNoContextTakeover = given["client_no_context_takeover"]
	if bits, ok := given["server_max_window_bits"]; ok {
		p.ServerMaxWindowBits = number(bits)
	}
	if bits, ok := given["client_max_window_bits"]; ok {
		p.ClientMaxWindowBits = number(bits)
	}
	return p
}

func number(s string) int { n, _ := strconv.Atoi(s); return n }

// element makes one of parameters, as "name" or "name=value"; "" is none.
func elementOf(params ...string) handshake.Extension {
	e := handshake.Extension{Name: Name}
	for _, p := range params {
		if p == "" {
			continue
		}
		name, value := p, ""
		if m := paramText.FindStringSubmatch(p); m != nil {
			name, value = m[1], m[2]
		}
		e.Params = append(e.Params, handshake.Param{Name: name, Value: value})
	}
	return e
}

var paramText = regexp.MustCompile(`(?s)^([^=]*)=(.*)$`)

// everyElement is every legal offer, or response: 9 x 10 x 2 x 2, the 324 of
// which are those where client_max_window_bits has a value or is absent.
func everyElement(response bool) (all []handshake.Extension) {
	server, client := []string{""}, []string{""}
	if !response {
		client = append(client, "client_max_window_bits")
	}
	for bits := 8; bits <= 15; bits++ {
		server = append(server, fmt.Sprintf("server_max_window_bits=%d", bits))
		client = append(client, fmt.Sprintf("client_max_window_bits=%d", bits))
	}
	for _, s := range server {
		for _, c := range client {
			for _, flag := range []string{"", "server_no_context_takeover"} {
				for _, other := range []string{"", "client_no_context_takeover"} {
					all = append(all, elementOf(other, c, flag, s))
				}
			}
		}
	}
	return all
}

// everyOptions is every wish that differs in negotiation.
func everyOptions() (all []Options) {
	for _, mode := range []Mode{NoTakeover, Takeover} {
		for _, bits := range []int{0, 8, 9, 10, 11, 12, 13, 14, 15} {
			all = append(all, Options{Mode: mode, WindowBits: bits})
		}
	}
	return all
}

func TestAccept_AnswersEveryLegalOffer_AsTheRFCHasIt(t *testing.T) {
	offers := everyElement(false)
	if len(offers) != 360 {
		t.Fatal(len(offers), "offers")
	}
	for _, o := range everyOptions() {
		for _, offer := range offers {
			p, reply, ok := o.Accept([]handshake.Extension{offer})
			if !ok {
				t.Fatalf("%+v declines %v", o, offer)
			}
			if err := obeys(offer, reply); err != nil {
				t.Errorf("%+v to %v: %v: %v", o, offer, reply, err)
			}
			if diff := cmp.Diff(agreed(reply), p); diff != "" {
				t.Errorf("%+v to %v: %v (-said +taken):\n%s", o, offer, reply, diff)
			}
			if o.Mode == NoTakeover && !(p.ServerNoContextTakeover && p.ClientNoContextTakeover) {
				t.Errorf("%+v to %v: %+v", o, offer, p)
			}
			asked, _ := paramsOf(offer)
			if _, can := asked["client_max_window_bits"]; can && p.ClientMaxWindowBits > o.windowBits() {
				t.Errorf("%+v to %v: %+v, though the client lets itself be bound", o, offer, p)
			}
			// A client that made this offer agrees.
			if got, err := parse(reply, true); err != nil {
				t.Errorf("%v: %v", reply, err)
			} else if made, err := parse(offer, false); err != nil || got.meets(made) != nil || got.params() != p {
				t.Errorf("%v to %v: %v, %v, %+v", reply, offer, err, got.meets(made), got.params())
			}
		}
	}
}

func TestAccept_Off_DeclinesEverything(t *testing.T) {
	if p, reply, ok := (Options{Mode: Off}).Accept(everyElement(false)); ok || p != (Params{}) || !cmp.Equal(reply, handshake.Extension{}) {
		t.Error(p, reply, ok)
	}
}

// Both sides, whatever they wish: they agree, and on the same.
func TestOffer_Accept_Confirm_Agree(t *testing.T) {
	for _, client := range everyOptions() {
		offers := client.Offer()
		for _, e := range offers {
			if err := legal(e, false); err != nil {
				t.Fatalf("%+v offers %v: %v", client, e, err)
			}
		}
		for _, server := range everyOptions() {
			atServer, reply, ok := server.Accept(offers)
			if !ok || obeys(offers[0], reply) != nil {
				t.Fatalf("%+v to %v: %v, %v", server, offers, reply, ok)
			}
			atClient, err := client.Confirm(reply)
			if err != nil || atClient != atServer {
				t.Errorf("%+v, %+v: %v: %v, client %+v, server %+v", client, server, reply, err, atClient, atServer)
			}
			least := min(client.windowBits(), server.windowBits())
			if atServer.ServerMaxWindowBits > client.windowBits() || atServer.ClientMaxWindowBits > least {
				t.Errorf("%+v, %+v: windows of %+v", client, server, atServer)
			}
		}
	}
}

// Every legal response, judged by what each client has offered.
func TestConfirm_TakesTheResponsesThatAreLegal_AndNoOthers(t *testing.T) {
	responses := everyElement(true)
	if len(responses) != 324 {
		t.Fatal(len(responses), "responses")
	}
	for _, o := range everyOptions() {
		for _, response := range responses {
			want := errors.New("nothing offered")
			for _, offer := range o.Offer() {
				if want = obeys(offer, response); want == nil {
					break
				}
			}
			p, err := o.Confirm(response)
			if (err == nil) != (want == nil) {
				t.Errorf("%+v: Confirm(%v) = %v, but %v", o, response, err, want)
			}
			if err == nil && p != agreed(response) || err != nil && p != (Params{}) {
				t.Errorf("%+v: Confirm(%v) = %+v, %v", o, response, p, err)
			}
		}
	}
}

// ofBrowsers is what most browsers offer.
const ofBrowsers = "permessage-deflate; client_max_window_bits"

func TestAccept_AllocatesTheParametersOfItsAnswer(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	for _, offer := range []string{ofBrowsers, Name, Name + "; server_no_context_takeover", Name + "; client_no_context_takeover"} {
		offers, err := handshake.ParseExtensions([]string{offer})
		if err != nil {
			t.Fatal(err)
		}
		for _, mode := range []Mode{NoTakeover, Takeover} {
			n := testing.AllocsPerRun(100, func() {
				if _, _, ok := (Options{Mode: mode}).Accept(offers); !ok {
					t.Fatal("declined")
				}
			})
			if n > 1 {
				t.Errorf("%v to %s: %v allocations, want 1", mode, offer, n)
			}
		}
	}
}

// From the lines of the offer to that of the answer.
func BenchmarkAccept(b *testing.B) {
	lines, buf := []string{ofBrowsers}, make([]byte, 0, 128)
	for _, mode := range []Mode{NoTakeover, Takeover} {
		b.Run(mode.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				offers, err := handshake.ParseExtensions(lines)
				if err != nil {
					b.Fatal(err)
				}
				_, reply, ok := Options{Mode: mode}.Accept(offers)
				if !ok {
					b.Fatal("declined")
				}
				handshake.AppendExtensions(buf, append(offers[:0], reply))
			}
		})
	}
}

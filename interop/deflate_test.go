//go:build interop

package interop

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/swan-ws/websocket"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// A deal is what both sides want of permessage-deflate, and what comes of it.
type deal struct {
	ours   deflate.Options
	theirs map[string]any // the settings of the peer's library; nil: its default
	want   string         // parameters of the response; "off" if there is no extension
}

func (d deal) name() string {
	name := d.ours.Mode.String()
	if d.ours.WindowBits != 0 {
		name += fmt.Sprintf(" of %d bits", d.ours.WindowBits)
	}
	if d.theirs != nil {
		name += strings.ReplaceAll(fmt.Sprintf(" with %v", d.theirs), "map", "")
	}
	return name
}

const (
	serverNo = "; server_no_context_takeover"
	clientNo = "; client_no_context_takeover"
)

func clientBits(n int) string { return fmt.Sprintf("; client_max_window_bits=%d", n) }
func serverBits(n int) string { return fmt.Sprintf("; server_max_window_bits=%d", n) }

var (
	off        = deflate.Options{Mode: deflate.Off}
	noTakeover = deflate.Options{Threshold: -1}
	takeover   = deflate.Options{Mode: deflate.Takeover, Threshold: -1}
)

func within(o deflate.Options, bits int) deflate.Options {
	o.WindowBits = bits
	return o
}

// deals are those to be made with a guest.
func deals(g *guest) []deal {
	switch g.name {
	case "ws client", "ws server":
		return dealsWithWS(g)
	case "Python client", "Python server":
		return dealsWithPython(g)
	}
	// Browsers offer all that there is, and let nobody choose.
	return []deal{
		{off, nil, "off"},
		{deflate.Options{}, nil, serverNo + clientNo},
		{noTakeover, nil, serverNo + clientNo},
		{takeover, nil, ""},
		{within(noTakeover, 9), nil, serverNo + clientNo + clientBits(9)},
		{within(takeover, 9), nil, clientBits(9)},
		{within(takeover, 12), nil, clientBits(12)},
		{within(takeover, 8), nil, clientBits(8)},
	}
}

func dealsWithWS(g *guest) []deal {
	settings := func(more ...any) map[string]any {
		m := map[string]any{"threshold": 0}
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	list := []deal{
		{off, settings(), "off"},
		{deflate.Options{}, settings(), serverNo + clientNo},
		{takeover, settings(), ""},
		{takeover, settings("serverNoContextTakeover", true), serverNo},
		{takeover, settings("clientNoContextTakeover", true), clientNo},
		{takeover, settings("serverNoContextTakeover", true, "clientNoContextTakeover", true), serverNo + clientNo},
		{noTakeover, settings("serverNoContextTakeover", true), serverNo + clientNo},
		{noTakeover, settings("clientNoContextTakeover", true), serverNo + clientNo},
	}
	for bits := 9; bits <= 15; bits++ {
		both := settings("serverMaxWindowBits", bits, "clientMaxWindowBits", bits)
		list = append(list, deal{takeover, both, serverBits(bits) + clientBits(bits)})
	}
	if g.port != 0 {
		// A server that takes no demands is offered less.
		refuses := settings("serverNoContextTakeover", false, "serverMaxWindowBits", false)
		return append(list,
			deal{noTakeover, refuses, clientNo},
			deal{within(noTakeover, 9), settings(), serverNo + clientNo + serverBits(9) + clientBits(9)},
			deal{within(takeover, 9), settings(), serverBits(9) + clientBits(9)},
			deal{within(takeover, 8), settings(), serverBits(8) + clientBits(8)})
	}
	return append(list,
		deal{within(takeover, 8), settings(), clientBits(8)},
		deal{within(noTakeover, 9), settings(), serverNo + clientNo + clientBits(9)},
		deal{within(takeover, 9), settings(), clientBits(9)},
		deal{within(takeover, 9), settings("clientMaxWindowBits", false), ""}) // which cannot be bound
}

func dealsWithPython(g *guest) []deal {
	settings := func(serverNo, clientNo bool, server, client, memory int) map[string]any {
		m := map[string]any{
			"server_no_context_takeover": serverNo, "client_no_context_takeover": clientNo,
			"compress_settings": map[string]any{"memLevel": memory},
		}
		if server != 0 {
			m["server_max_window_bits"] = server
		}
		if client != 0 {
			m["client_max_window_bits"] = client
		}
		return m
	}
	plain := settings(false, false, 0, 0, 8)
	list := []deal{
		{off, plain, "off"},
		{deflate.Options{}, plain, serverNo + clientNo},
		{noTakeover, settings(true, false, 0, 0, 1), serverNo + clientNo},
		{takeover, plain, ""},
		{takeover, settings(true, false, 0, 0, 9), serverNo},
		{takeover, settings(false, true, 0, 0, 5), clientNo},
		{takeover, settings(true, true, 0, 0, 5), serverNo + clientNo},
	}
	for bits := 9; bits <= 15; bits++ {
		back := 24 - bits // the other direction's
		list = append(list,
			deal{takeover, settings(false, false, bits, back, 1+bits-9), serverBits(bits) + clientBits(back)},
			deal{noTakeover, settings(false, false, bits, back, 9), serverNo + clientNo + serverBits(bits) + clientBits(back)})
	}
	if g.port != 0 {
		return append(list,
			deal{within(noTakeover, 9), plain, serverNo + clientNo + serverBits(9) + clientBits(9)},
			deal{within(takeover, 9), plain, serverBits(9) + clientBits(9)},
			deal{within(takeover, 12), settings(false, false, 10, 14, 8), serverBits(10) + clientBits(12)})
	}
	return append(list,
		deal{within(noTakeover, 9), plain, serverNo + clientNo + clientBits(9)},
		deal{within(takeover, 9), plain, clientBits(9)},
		deal{within(takeover, 12), settings(false, false, 10, 14, 8), serverBits(10) + clientBits(12)},
		deal{within(takeover, 10), settings(false, false, 14, 12, 8), serverBits(10) + clientBits(10)})
}

// compressed makes the deals with a guest, and compares each message that
// passes.
func compressed(t *testing.T, g *guest) {
	for _, d := range deals(g) {
		t.Run(d.name(), func(t *testing.T) {
			var wire meter
			m := g.meet(t, terms{conn: websocket.ConnOptions{Compression: d.ours}, deflate: d.theirs, meter: &wire})
			wantAgreement(t, g, m, d.want)
			m.alike(t, g, d, &wire)
			m.varied(t, g, d, &wire)
			if g.library {
				m.inFragments(t)
			}
			if err := m.ours.Close(websocket.CloseNormal, ""); err != nil {
				t.Error(err)
			}
			m.wantClose(t, websocket.CloseNormal, "")
		})
	}
}

// wantAgreement asks both sides what has been agreed on.
func wantAgreement(t *testing.T, g *guest, m *meeting, want string) {
	t.Helper()
	response := m.open.Extensions // of browsers
	switch {
	case g.port != 0:
		response = m.sent.Get("Sec-WebSocket-Extensions")
	case g.library:
		response = m.open.Headers["sec-websocket-extensions"]
	}
	if want == "off" {
		if response != "" || m.open.Extensions != "" {
			t.Errorf("response has %q, the peer knows of %q; want none", response, m.open.Extensions)
		}
		return
	}
	got, wanted := strings.Split(response, "; "), strings.Split(deflate.Name+want, "; ")
	slices.Sort(got)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) || !strings.HasPrefix(m.open.Extensions, deflate.Name) {
		t.Errorf("response has %q, want the parameters %q; the peer knows of %q", response, want, m.open.Extensions)
	}
}

// compresses reports whether a side has agreed to compress, and with takeover.
// Node's own WebSocket never does.
func (d deal) compresses(g *guest, server, ours bool) (any, takingOver bool) {
	any = d.want != "off" && (ours || g.name != "Node")
	no := clientNo
	if server {
		no = serverNo
	}
	return any, any && !strings.Contains(d.want, no)
}

// alike passes many messages that are alike, which takeover is for.
func (m *meeting) alike(t *testing.T, g *guest, d deal, wire *meter) {
	t.Helper()
	const note = "This one was seen again by the same observers, on the same water, at the same hour as last week: no ring, no mate."
	for _, about := range []string{note, note[:8]} { // takeover is for short ones too
		total := int64(0)
		wire.reset()
		for i := range 40 {
			text := fmt.Sprintf(`{"id":%d,"kind":"position","bird":"mute swan","x":%d,"y":%d,"note":%q}`, i, i*7919%1000, i*104729%1000, about)
			total += int64(len(text))
			m.there(t, websocket.Text, text)
			m.back(t, websocket.Text, text)
		}
		in, out := wire.reset()
		if _, takingOver := d.compresses(g, g.port == 0, true); takingOver != (out < total*2/3) {
			t.Errorf("we sent %d bytes for %d; takeover: %v", out, total, takingOver)
		}
		if _, takingOver := d.compresses(g, g.port != 0, false); takingOver != (in < total*2/3) {
			t.Errorf("they sent %d bytes for %d; takeover: %v", in, total, takingOver)
		}
	}
}

// varied passes messages of all sorts.
func (m *meeting) varied(t *testing.T, g *guest, d deal, wire *meter) {
	t.Helper()
	total := int64(0)
	for _, s := range samples {
		total += int64(len(s.Data))
		m.there(t, s.Type, string(s.Data))
		m.back(t, s.Type, string(s.Data))
	}
	in, out := wire.reset()
	if on, _ := d.compresses(g, g.port == 0, true); on != (out < total/2) {
		t.Errorf("we sent %d bytes for %d; compression: %v", out, total, on)
	}
	if on, _ := d.compresses(g, g.port != 0, false); on != (in < total/2) {
		t.Errorf("they sent %d bytes for %d; compression: %v", in, total, on)
	}
}

// samples are messages that compress well, badly and not at all, with repeats
// over every distance that a window may or may not reach.
var samples = func() (list []websocket.Message) {
	r := rand.New(rand.NewPCG(7692, 6455))
	random := func(n int) []byte {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte(r.Uint32())
		}
		return p
	}
	add := func(kind websocket.MessageType, p []byte) {
		list = append(list, websocket.Message{Type: kind, Data: p})
	}
	add(websocket.Text, nil)
	add(websocket.Binary, nil)
	add(websocket.Binary, []byte{0})
	add(websocket.Text, []byte(strings.Repeat("swan 🦢 ", 1<<20/10)))
	add(websocket.Binary, random(20_000))
	add(websocket.Binary, make([]byte, 100_000))
	for distance := 250; distance <= 32_000; distance *= 2 {
		block := random(distance)
		add(websocket.Binary, slices.Concat(block, block[:200]))
		add(websocket.Binary, block[:200]) // from the message before, if that is in the window
	}
	add(websocket.Text, []byte(allPlanes()))
	return list
}()

// inFragments passes messages in pieces.
func (m *meeting) inFragments(t *testing.T) {
	t.Helper()
	parts := []string{"swan ", "", strings.Repeat("mute swan ", 8000), "🦢", strings.Repeat("swan", 30_000), ""}
	whole := strings.Join(parts, "")
	for range 2 { // the second after the window of the first
		w, err := m.ours.Writer(m.ctx, websocket.Text)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			if _, err := io.WriteString(w, part); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		wantMessage(t, m.hear(t), websocket.Text, whole)

		m.do(t, command{Do: "fragments", Parts: parts})
		wantMessage(t, m.read(t), websocket.Text, whole)
		for range len(parts) - 1 {
			m.want(t, "pong")
		}
	}
	m.there(t, websocket.Text, "and on")
	m.back(t, websocket.Text, "and on")
}

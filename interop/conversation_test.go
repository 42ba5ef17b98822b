//go:build interop

package interop

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
)

// promises are what holds with every guest, whichever side dialled.
var promises = []struct {
	name    string
	library bool // takes a guest that can do more than browsers
	keep    func(t *testing.T, g *guest)
}{
	{"Text passes unchanged", false, textPasses},
	{"Binary passes unchanged", false, binaryPasses},
	{"Messages keep their order, both ways at once", false, orderIsKept},
	{"Fragments of ours arrive as one message", false, fragmentsOfOurs},
	{"Fragments of theirs arrive as one message", true, fragmentsOfTheirs},
	{"Ping of ours is answered", false, pingOfOurs},
	{"Ping of theirs is answered", true, pingOfTheirs},
	{"Ping of theirs is answered before the next read", true, pingBehindRead},
	{"Subprotocol is agreed on", false, subprotocolIsAgreed},
	{"No subprotocol is agreed on", false, noSubprotocol},
	{"Headers arrive", true, headersArrive},
	{"Close of ours", false, closeOfOurs},
	{"Close of theirs", false, closeOfTheirs},
	{"Close of theirs, codes of libraries", true, closeOfLibraries},
	{"CloseNow is seen as 1006", false, closeNow},
	{"Lost connection is seen as 1006", true, lostConnection},
	{"Message too big for us gives 1009", false, tooBigForUs},
	{"Message too big for them gives 1009", true, tooBigForThem},
	{"Faults are told", true, faultsAreTold},
	{"Refusal", false, refusal},
}

// converse keeps the promises with each way to compress.
func converse(t *testing.T, g *guest) {
	for _, o := range []deflate.Options{
		{Mode: deflate.Off},
		{Mode: deflate.NoTakeover, Threshold: -1},
		{Mode: deflate.Takeover, Threshold: -1, Level: 6},
	} {
		g.compression = o
		t.Run("Compression: "+o.Mode.String(), func(t *testing.T) { keepPromises(t, g) })
	}
	g.compression = deflate.Options{}
}

func keepPromises(t *testing.T, g *guest) {
	for _, p := range promises {
		if g.library || !p.library {
			t.Run(p.name, func(t *testing.T) { p.keep(t, g) })
		}
	}
}

func textPasses(t *testing.T, g *guest) {
	m := g.meet(t, terms{})
	tests := []struct{ name, text string }{
		{"ASCII", "hello"},
		{"empty", ""},
		{"controls", "\x00\x01\n\r\x7f"},
		{"byte order mark", "\ufeffhello"},
		{"all planes", allPlanes()},
		{"1 MiB", strings.Repeat("swan 🦢", 1<<20/9)[:1<<20-4] + "ends"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m.back(t, websocket.Text, tt.text)
			if g.name == "Node" { // 20 and 22 take a byte order mark away
				tt.text = strings.TrimPrefix(tt.text, "\ufeff")
			}
			m.there(t, websocket.Text, tt.text)
		})
	}
}

// allPlanes has the first and the last code points of each plane, and those
// around the surrogates.
func allPlanes() string {
	var s strings.Builder
	for plane := rune(0); plane <= 16; plane++ {
		for _, r := range []rune{0, 1, 0xd7ff, 0xe000, 0xfffd, 0xfffe, 0xffff} {
			s.WriteRune(plane<<16 | r)
		}
	}
	return s.String()
}

func binaryPasses(t *testing.T, g *guest) {
	m := g.meet(t, terms{})
	all := make([]byte, 1<<20)
	for i := range all {
		all[i] = byte(i ^ i>>8 ^ i>>16)
	}
	for _, size := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			m.there(t, websocket.Binary, string(all[:size]))
			m.back(t, websocket.Binary, string(all[:size]))
		})
	}
}

// there sends a message of ours, back one of the peer's.
func (m *meeting) there(t *testing.T, kind websocket.MessageType, data string) {
	t.Helper()
	if err := m.ours.Write(m.ctx, kind, []byte(data)); err != nil {
		t.Fatal(err)
	}
	wantMessage(t, m.hear(t), kind, data)
}

func (m *meeting) back(t *testing.T, kind websocket.MessageType, data string) {
	t.Helper()
	m.say(t, websocket.Message{Type: kind, Data: []byte(data)})
	wantMessage(t, m.read(t), kind, data)
}

func wantMessage(t *testing.T, got websocket.Message, kind websocket.MessageType, data string) {
	t.Helper()
	if got.Type != kind || string(got.Data) != data {
		t.Errorf("%v message of %d bytes arrived: %.99q; want %v of %d: %.99q",
			got.Type, len(got.Data), got.Data, kind, len(data), data)
	}
}

func orderIsKept(t *testing.T, g *guest) {
	const many = 1000
	m := g.meet(t, terms{})
	sent := make(chan error, 1)
	go func() {
		for i := range many {
			if err := m.ours.WriteText(m.ctx, fmt.Sprint(i)); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	var want, got, heard []string
	for i := range many {
		want = append(want, fmt.Sprint(i))
		m.say(t, websocket.Message{Type: websocket.Text, Data: fmt.Append(nil, i)})
	}
	for range many {
		got = append(got, string(m.read(t).Data))
		heard = append(heard, string(m.hear(t).Data))
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order in which messages came (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, heard); diff != "" {
		t.Errorf("order in which the peer got messages (-want +got):\n%s", diff)
	}
}

func fragmentsOfOurs(t *testing.T, g *guest) {
	m := g.meet(t, terms{})
	w, err := m.ours.Writer(m.ctx, websocket.Text)
	if err != nil {
		t.Fatal(err)
	}
	// Larger than what Writer gathers, and cut within code points.
	text := strings.Repeat("🦢", 10_000)
	for part := range strings.SplitSeq(text[:30_001]+"|"+text[30_001:], "|") {
		if _, err := io.WriteString(w, part); err != nil {
			t.Fatal(err)
		}
		stop, cancel := context.WithCancel(m.ctx)
		end := reading(stop, m.ours)
		if _, err := m.ours.Ping(m.ctx); err != nil {
			t.Errorf("Ping between fragments: %v", err)
		}
		cancel()
		<-end
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	e := m.next(t, "message")
	for e.On == "ping" {
		e = m.next(t, "message")
	}
	wantMessage(t, e.message(), websocket.Text, text)
}

func fragmentsOfTheirs(t *testing.T, g *guest) {
	m := g.meet(t, terms{})
	end := make(chan websocket.Message, 2) // and what ends the loop
	go func() {
		for message := range m.ours.Messages(m.ctx) {
			message.Data = bytes.Clone(message.Data)
			end <- message
		}
	}()
	parts := []string{"", "swan ", "", "🦢", strings.Repeat("x", 70_000), ""}
	m.do(t, command{Do: "fragments", Parts: parts})
	for i := range len(parts) - 1 {
		if e := m.want(t, "pong"); string(e.Bytes) != fmt.Sprint(i) {
			t.Errorf("Pong %q answers Ping %d", e.Bytes, i)
		}
	}
	wantMessage(t, <-end, websocket.Text, strings.Join(parts, ""))
}

func pingOfOurs(t *testing.T, g *guest) {
	m := g.meet(t, terms{})
	stop, cancel := context.WithCancel(m.ctx)
	end := reading(stop, m.ours)
	if rtt, err := m.ours.Ping(m.ctx); err != nil || rtt <= 0 {
		t.Errorf("Ping: %v, %v", rtt, err)
	}
	cancel()
	<-end
}

func pingOfTheirs(t *testing.T, g *guest) {
	for _, payload := range []string{"", "swan", strings.Repeat("\xff", 125)} {
		told := make(chan string, 1)
		m := g.meet(t, terms{conn: websocket.ConnOptions{
			OnPing: func(_ *websocket.Conn, p []byte) { told <- string(p) },
		}})
		end := reading(m.ctx, m.ours)
		data := []byte(payload)
		m.do(t, command{Do: "ping", Bytes: &data})
		if e := m.want(t, "pong"); !bytes.Equal(e.Bytes, data) || e.Latency != nil && *e.Latency <= 0 {
			t.Errorf("Pong %q answers Ping %q: %+v", e.Bytes, data, e)
		}
		if got := <-told; got != payload {
			t.Errorf("OnPing was told of %q, want %q", got, payload)
		}
		m.ours.CloseNow()
		<-end
	}
}

// pingBehindRead has a Ping and a message arrive together. Whoever has read the
// message may be busy with it for long.
func pingBehindRead(t *testing.T, g *guest) {
	if strings.HasPrefix(g.name, "Python") {
		t.Skip("websockets does not tell of Pongs to Pings that it does not know")
	}
	m := g.meet(t, terms{})
	b := append(g.frame(0x89, "swan"), g.frame(0x81, "mute")...)
	m.do(t, command{Do: "raw", Bytes: &b})
	wantMessage(t, m.read(t), websocket.Text, "mute")
	if e := m.want(t, "pong"); string(e.Bytes) != "swan" {
		t.Errorf("Pong %q answers Ping %q", e.Bytes, "swan")
	}
}

package hub_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/hub"
)

// Of each publisher everybody gets all, in its order; and all get the messages of a
// topic in the same order, whoever published them.
func TestPublish_ByMany_IsInTheSameOrderForAll(t *testing.T) {
	const publishers, messages, members = 8, 200, 50
	h := hub.Hub{Budget: -1}
	conns, peers := pairs(t, members)
	for _, c := range conns {
		mustSubscribe(t, &h, c, "news")
	}
	for p := range publishers {
		go func() {
			for i := range messages {
				h.Publish("news", [2]int{p, i})
			}
		}()
	}
	var got [members][][2]int
	var all sync.WaitGroup
	for i, peer := range peers {
		all.Go(func() {
			for range publishers * messages {
				m, err := conn.ReadValue[[2]int](bg, peer)
				if err != nil {
					t.Error(err)
					return
				}
				got[i] = append(got[i], m)
			}
		})
	}
	all.Wait()
	var next [publishers]int
	for _, m := range got[0] {
		if m[1] != next[m[0]] {
			t.Fatalf("message %d of publisher %d instead of its %d", m[1], m[0], next[m[0]])
		}
		next[m[0]]++
	}
	for i := range got {
		if !slices.Equal(got[i], got[0]) {
			t.Fatalf("member %d got another order than member 0", i)
		}
	}
}

// Thousands come and go while others publish. Those that stay miss nothing; of the
// others each gets a piece of what was published, without holes.
func TestHub_ThousandsComeAndGo_WhileOthersPublish(t *testing.T) {
	const stay, come, messages = 200, 2000, 300
	var h hub.Hub
	conns, peers := pairs(t, stay)
	for _, c := range conns {
		mustSubscribe(t, &h, c, "news")
	}
	var all sync.WaitGroup
	all.Go(func() {
		for i := range messages {
			mustPublish(t, &h, "news", i)
		}
	})
	turn := make(chan bool, 16)
	for i := range come {
		turn <- true
		all.Go(func() {
			defer func() { <-turn }()
			visit(t, &h, i)
		})
	}
	for i, peer := range peers {
		all.Go(func() {
			for want := range messages {
				if got, err := conn.ReadValue[int](bg, peer); err != nil || got != want {
					t.Errorf("member %d: got %d, %v, want %d", i, got, err, want)
					return
				}
			}
		})
	}
	all.Wait()
	for h.Len(hub.Everyone) > stay { // those that were cut leave on their own
		runtime.Gosched()
	}
	if n := h.Len("news"); n != stay {
		t.Errorf("%d members", n)
	}
}

// visit subscribes for a while and ends in one of several ways.
func visit(t *testing.T, h *hub.Hub, i int) {
	c, peer := conntest.Pair(patient, patient)
	defer c.CloseNow()
	defer peer.CloseNow()
	mustSubscribe(t, h, c, "news")
	if _, err := h.Send(c, -1); err != nil {
		t.Error(err)
	}
	last := -1
	for range 5 {
		got, err := conn.ReadValue[int](bg, peer)
		if err != nil || got != -1 && last != -1 && got != last+1 {
			t.Errorf("got %d after %d, %v", got, last, err)
			return
		}
		if got == -1 {
			break
		}
		last = got
	}
	switch i % 4 {
	case 0:
		h.Leave(c)
	case 1:
		h.Unsubscribe(c, "news")
	case 2:
		peer.CloseNow()
	}
}

// A model of a hub: who is in what, and what each has been sent.
type model struct {
	in  []map[string]bool // by member, its topics; nil: no member
	got [][]string
}

func (m *model) publish(except int, topic, text string) {
	for i, topics := range m.in {
		if topics[topic] && i != except {
			m.got[i] = append(m.got[i], text)
		}
	}
}

// Whatever is done in whatever order, the hub does what a simple model does.
func TestHub_DoesWhatItsModelDoes(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	for seed := range uint64(rounds) {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { compare(t, seed) }) }) {
			return
		}
	}
}

func compare(t *testing.T, seed uint64) {
	const members, steps = 6, 300
	random := rand.New(rand.NewPCG(seed, 0))
	h := hub.Hub{Budget: -1}
	told := make([]map[string]bool, members)
	m := model{make([]map[string]bool, members), make([][]string, members)}
	conns, peers := pairs(t, members)
	index := map[*conn.Conn]int{}
	for i, c := range conns {
		index[c] = i
		told[i] = map[string]bool{}
	}
	h.OnJoin = func(c *conn.Conn, topic string) { told[index[c]][topic] = true }
	h.OnLeave = func(c *conn.Conn, topic string) { delete(told[index[c]], topic) }
	for step := range steps {
		i := random.IntN(members)
		c, topic := conns[i], string(rune('a'+random.IntN(4)))
		text := fmt.Sprint(step)
		switch random.IntN(10) {
		case 0, 1, 2:
			if h.Subscribe(c, topic) == nil {
				if m.in[i] == nil {
					m.in[i] = map[string]bool{}
				}
				m.in[i][hub.Everyone], m.in[i][topic] = true, true
			}
		case 3:
			h.Unsubscribe(c, topic)
			delete(m.in[i], topic)
		case 4:
			h.Leave(c)
			m.in[i] = nil
		case 5, 6:
			h.Publish(topic, text)
			m.publish(-1, topic, text)
		case 7:
			h.PublishExcept(c, topic, text)
			m.publish(i, topic, text)
		case 8:
			h.Publish(hub.Everyone, text)
			m.publish(-1, hub.Everyone, text)
		default:
			if random.IntN(20) == 0 {
				synctest.Wait() // what was sent has arrived
				c.CloseNow()
				synctest.Wait()
				m.in[i] = nil
			}
		}
		if topic := string(rune('a' + random.IntN(4))); h.Has(c, topic) != m.in[i][topic] {
			t.Fatalf("step %d: member %d, topic %s: %v", step, i, topic, h.Has(c, topic))
		}
	}
	synctest.Wait()
	for i, peer := range peers {
		want := slices.Collect(maps.Keys(m.in[i]))
		slices.Sort(want)
		if diff := cmp.Diff(want, sorted(maps.Keys(told[i]))); diff != "" {
			t.Error("the callbacks were told otherwise", diff)
		}
		mustRead(t, peer, m.got[i]...)
	}
}

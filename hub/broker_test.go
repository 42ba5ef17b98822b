package hub_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/hub"
)

// post is a Broker for hubs in one process.
type post struct {
	mu       sync.Mutex
	next     int
	readers  map[string]map[int]func(hub.Message) hub.Result
	calls    []string
	fail     string // the topic that cannot be subscribed to
	slow     chan bool
	messages []hub.Message
}

var errPost = errors.New("the post is on strike")

func (p *post) Publish(m hub.Message) (sum hub.Result, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != "" && m.Topic == p.fail {
		return sum, errPost
	}
	p.messages = append(p.messages, m)
	for _, deliver := range p.readers[m.Topic] {
		r := deliver(m)
		sum.Delivered += r.Delivered
		sum.Queued += r.Queued
	}
	return sum, nil
}

func (p *post) Subscribe(topic string, deliver func(hub.Message) hub.Result) (func(), error) {
	if topic == "slow" {
		<-p.slow
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, "+"+topic)
	if p.fail != "" && topic == p.fail {
		return nil, errPost
	}
	p.next++
	id := p.next
	if p.readers == nil {
		p.readers = make(map[string]map[int]func(hub.Message) hub.Result)
	}
	if p.readers[topic] == nil {
		p.readers[topic] = make(map[int]func(hub.Message) hub.Result)
	}
	p.readers[topic][id] = deliver
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.calls = append(p.calls, "-"+topic)
		delete(p.readers[topic], id)
	}, nil
}

func (p *post) check(t *testing.T, want ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if diff := cmp.Diff(want, p.calls); diff != "" {
		t.Error(diff)
	}
	p.calls = nil
}

func TestBroker_CarriesMessagesBetweenHubs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p post
		here, there := hub.Hub{Broker: &p}, hub.Hub{Broker: &p}
		conns, peers := pairs(t, 4)
		mustSubscribe(t, &here, conns[0], "news")
		mustSubscribe(t, &here, conns[1], "news")
		mustSubscribe(t, &there, conns[2], "news")
		mustSubscribe(t, &there, conns[3], "other")

		if r := mustPublish(t, &here, "news", "to all"); r != (hub.Result{Delivered: 3}) {
			t.Errorf("%+v", r)
		}
		for _, peer := range peers[:3] {
			mustRead(t, peer, "to all")
		}
		synctest.Wait()
		if r, err := here.PublishExcept(conns[0], "news", []byte("to others")); r != (hub.Result{Delivered: 2}) || err != nil {
			t.Errorf("%+v, %v", r, err)
		}
		mustRead(t, peers[1], "to others")
		mustRead(t, peers[2], "to others")
		synctest.Wait()
		if r := mustPublish(t, &there, hub.Everyone, "hello"); r != (hub.Result{Delivered: 4}) {
			t.Errorf("%+v", r)
		}
		mustRead(t, peers[0], "hello")
		mustRead(t, peers[3], "hello")
		want := []hub.Message{
			{Topic: "news", Type: conn.Text, Data: []byte("to all")},
			{Topic: "news", Type: conn.Binary, Data: []byte("to others"), Except: conns[0].ID()},
			{Topic: hub.Everyone, Type: conn.Text, Data: []byte("hello")},
		}
		if diff := cmp.Diff(want, p.messages); diff != "" {
			t.Error(diff)
		}
	})
}

func TestBroker_IsAskedForTopics_WhileSomebodyIsInThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p post
		h := hub.Hub{Broker: &p}
		conns, _ := pairs(t, 2)
		mustSubscribe(t, &h, conns[0], "a")
		p.check(t, "+", "+a")
		mustSubscribe(t, &h, conns[1], "a", "b")
		p.check(t, "+b")
		h.Unsubscribe(conns[0], "a")
		p.check(t)
		h.Unsubscribe(conns[1], "a")
		p.check(t, "-a")
		mustSubscribe(t, &h, conns[1], "a")
		p.check(t, "+a")
		h.Leave(conns[0])
		p.check(t)
		h.Unsubscribe(conns[1], "b")
		h.Unsubscribe(conns[1], "a")
		p.check(t, "-b", "-a")
		conns[1].CloseNow()
		synctest.Wait()
		p.check(t, "-")
	})
}

func TestBroker_ThatFails_SaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := post{fail: "bad"}
		h := hub.Hub{Broker: &p}
		c, peer := pair(t)
		if err := h.Subscribe(c, "good", "bad"); err != errPost {
			t.Error(err)
		}
		p.mu.Lock()
		slices.Sort(p.calls)
		p.mu.Unlock()
		p.check(t, "+", "+bad", "+good", "-", "-good")
		if h.Len(hub.Everyone)+h.Len("good")+h.Len("bad") != 0 {
			t.Error("it is in some")
		}
		mustSubscribe(t, &h, c, "good")
		if err := h.Subscribe(c, "good", "bad"); err != errPost {
			t.Error(err)
		}
		if r, err := h.Publish("bad", "x"); err != errPost || r != (hub.Result{}) {
			t.Error(r, err)
		}
		mustPublish(t, &h, "good", "still here")
		mustRead(t, peer, "still here")
		p.fail = ""
		mustSubscribe(t, &h, c, "bad")
	})
}

// While the broker takes its time for one topic, others go on; who has subscribed
// gets what is published then.
func TestBroker_ThatIsSlow_HoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := post{slow: make(chan bool)}
		h := hub.Hub{Broker: &p}
		conns, peers := pairs(t, 3)
		done := make(chan error, 2)
		go func() { done <- h.Subscribe(conns[0], "slow") }()
		go func() { done <- h.Subscribe(conns[1], "slow") }()
		synctest.Wait()
		mustSubscribe(t, &h, conns[2], "quick")
		mustPublish(t, &h, "quick", "hello")
		mustRead(t, peers[2], "hello")
		if len(sorted(h.Topics())) != 1 {
			t.Error(sorted(h.Topics()))
		}
		close(p.slow)
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		mustPublish(t, &h, "slow", "at last")
		mustRead(t, peers[0], "at last")
		mustRead(t, peers[1], "at last")
	})
}

// The connection ends while the broker is asked, and a callback of an earlier
// membership is still told of that.
func TestSubscribe_OfAConnectionThatEndsMeanwhile_LeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := post{slow: make(chan bool)}
		leaving := make(chan bool)
		h := hub.Hub{Broker: &p, OnLeave: func(*conn.Conn, string) { <-leaving }}
		c, _ := pair(t)
		h.Join(c)
		done := make(chan error)
		go func() { done <- h.Subscribe(c, "slow") }()
		synctest.Wait()
		c.CloseNow()
		synctest.Wait()
		close(p.slow)
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		close(leaving)
		synctest.Wait()
		if h.Len(hub.Everyone)+h.Len("slow") != 0 {
			t.Error("it is in some")
		}
		p.mu.Lock()
		slices.Sort(p.calls)
		p.mu.Unlock()
		p.check(t, "+", "+slow", "-", "-slow")
	})
}

func TestBroker_DeliveringWhatIsNoMessage_HarmsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p post
		h := hub.Hub{Broker: &p, Logger: slog.New(slog.DiscardHandler)}
		c, peer := pair(t)
		mustSubscribe(t, &h, c, "news")
		for _, m := range []hub.Message{{Topic: "news", Type: conn.Text, Data: []byte{0xff}}, {Topic: "news"}} {
			if r, _ := p.Publish(m); r != (hub.Result{}) {
				t.Errorf("%+v", r)
			}
		}
		mustBeSilent(t, &h, c, peer)
	})
}

// What is delivered after the last has left, but before the broker has been told,
// goes nowhere.
func TestBroker_DeliveringLate_ReachesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p post
		h := hub.Hub{Broker: &p}
		c, _ := pair(t)
		mustSubscribe(t, &h, c, "news")
		var late []func(hub.Message) hub.Result
		for _, deliver := range p.readers["news"] {
			late = append(late, deliver)
		}
		h.Unsubscribe(c, "news")
		mustSubscribe(t, &h, c, "news")
		for _, deliver := range late {
			if r := deliver(hub.Message{Topic: "news", Type: conn.Text}); r != (hub.Result{}) {
				t.Errorf("%+v", r)
			}
		}
	})
}

func ExampleBroker() {
	var p post // a Broker that knows of two hubs
	one, two := hub.Hub{Broker: &p}, hub.Hub{Broker: &p}
	c, peer := pipe()
	defer peer.CloseNow()
	defer c.CloseNow()
	two.Subscribe(c, "news")

	one.Publish("news", "from one to two")
	m, _ := peer.Read(bg)
	fmt.Printf("%s\n", m.Data)
	// Output: from one to two
}

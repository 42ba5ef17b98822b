package deflate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/swan-ws/websocket/handshake"
)

// Name is the extension's token (§7).
const Name = "permessage-deflate"

const (
	serverNoTakeover = "server_no_context_takeover"
	clientNoTakeover = "client_no_context_takeover"
	serverBits       = "server_max_window_bits"
	clientBits       = "client_max_window_bits"
)

// element is an offer or a response, understood.
type element struct {
	serverNoTakeover, clientNoTakeover bool
	serverBits                         int // 0: absent
	clientBits                         int // 0: absent
	clientBitsBare                     bool
}

// parse understands an element. A response is stricter in one point: there
// client_max_window_bits has a value (§7.1.2.2).
func parse(e handshake.Extension, response bool) (p element, err error) {
	for i, param := range e.Params {
		named := func(other handshake.Param) bool { return other.Name == param.Name }
		if slices.ContainsFunc(e.Params[:i], named) { // those before it are known: four at most
			return p, fmt.Errorf("%s twice", param.Name)
		}
		switch param.Name {
		case serverNoTakeover:
			p.serverNoTakeover, err = true, noValue(param)
		case clientNoTakeover:
			p.clientNoTakeover, err = true, noValue(param)
		case serverBits:
			p.serverBits, err = bitsOf(param)
		case clientBits:
			if param.Value == "" && !response {
				p.clientBitsBare = true
				continue
			}
			p.clientBits, err = bitsOf(param)
		default:
			err = fmt.Errorf("unknown parameter %.64q", param.Name)
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

func noValue(p handshake.Param) error {
	if p.Value != "" {
		return fmt.Errorf("%s has the value %.64q, want none", p.Name, p.Value)
	}
	return nil
}

// bits: §7.1.2.1, "a decimal integer value between 8 and 15, inclusive", "without
// leading zeroes".
func bitsOf(p handshake.Param) (int, error) {
	n, err := strconv.Atoi(p.Value)
	if err != nil || n < MinWindowBits || n > MaxWindowBits || strconv.Itoa(n) != p.Value {
		return 0, fmt.Errorf("%s is %.64q, want 8 to 15", p.Name, p.Value)
	}
	return n, nil
}

func (p element) extension() handshake.Extension {
	var room [4]handshake.Param
	params := room[:0]
	add := func(name, value string) { params = append(params, handshake.Param{Name: name, Value: value}) }
	if p.serverNoTakeover {
		add(serverNoTakeover, "")
	}
	if p.clientNoTakeover {
		add(clientNoTakeover, "")
	}
	if p.serverBits != 0 {
		add(serverBits, strconv.Itoa(p.serverBits))
	}
	switch {
	case p.clientBits != 0:
		add(clientBits, strconv.Itoa(p.clientBits))
	case p.clientBitsBare:
		add(clientBits, "")
	}
	return handshake.Extension{Name: Name, Params: append([]handshake.Param(nil), params...)}
}

func (p element) params() Params {
	return Params{
		p.serverNoTakeover, p.clientNoTakeover,
		cmp.Or(p.serverBits, MaxWindowBits), cmp.Or(p.clientBits, MaxWindowBits),
	}
}

// Accept is the server's part: the first of the client's offers that can be met,
// the answer to it and what is agreed on thereby. Other extensions and offers
// that RFC 7692 §7 has a server decline are passed over. ok is false if none is
// left: then the response names no extension.
func (o Options) Accept(offers []handshake.Extension) (p Params, reply handshake.Extension, ok bool) {
	if o.Mode == Off {
		return p, reply, false
	}
	for _, e := range offers {
		if e.Name != Name {
			continue
		}
		offer, err := parse(e, false)
		if err != nil {
			continue // "A server MUST decline an extension negotiation offer" (§7)
		}
		answer := o.answer(offer)
		return answer.params(), answer.extension(), true
	}
	return p, reply, false
}

func (o Options) answer(offer element) element {
	answer := element{
		serverNoTakeover: offer.serverNoTakeover || o.Mode == NoTakeover,
		clientNoTakeover: offer.clientNoTakeover || o.Mode == NoTakeover,
	}
	if offer.serverBits != 0 { // §7.1.2.1: accepted by "the same or smaller value"
		answer.serverBits = min(offer.serverBits, o.windowBits())
	}
	// §7.1.2.2: only if the offer has it, and no more than that.
	switch most := o.windowBits(); {
	case offer.clientBits != 0:
		answer.clientBits = min(offer.clientBits, most)
	case offer.clientBitsBare && most < MaxWindowBits:
		answer.clientBits = most
	}
	return answer
}

// Offer is the client's part: what to ask for, the most wanted first; nothing if
// Mode is Off.
func (o Options) Offer() []handshake.Extension {
	if o.Mode == Off {
		return nil
	}
	var list []handshake.Extension
	for _, offer := range o.offers() {
		list = append(list, offer.extension())
	}
	return list
}

// offers are the wish, and if it demands anything of the server, one that does
// not: a server that cannot meet the first may meet that.
func (o Options) offers() []element {
	wish := element{clientNoTakeover: o.Mode == NoTakeover, clientBitsBare: true}
	if o.windowBits() < MaxWindowBits {
		wish.clientBits = o.windowBits()
	}
	plain := wish
	wish.serverNoTakeover = o.Mode == NoTakeover
	if o.windowBits() < MaxWindowBits {
		wish.serverBits = o.windowBits()
	}
	if wish == plain {
		return []element{wish}
	}
	return []element{wish, plain}
}

// Confirm judges the server's answer to Offer. An error means that the answer is
// none to any of the offers: "the client MUST _Fail the WebSocket Connection_" (§7).
func (o Options) Confirm(reply handshake.Extension) (Params, error) {
	if o.Mode == Off || reply.Name != Name {
		return Params{}, fmt.Errorf("%s: answered with %.64q, which was not offered", Name, reply.Name)
	}
	answer, err := parse(reply, true)
	if err != nil {
		return Params{}, fmt.Errorf("%s: %w", Name, err)
	}
	for _, offer := range o.offers() {
		if err = answer.meets(offer); err == nil {
			return answer.params(), nil
		}
	}
	return Params{}, fmt.Errorf("%s: %w", Name, err)
}

// meets reports why a response is none to an offer.
func (p element) meets(offer element) error {
	switch {
	case offer.serverNoTakeover && !p.serverNoTakeover: // §7.1.1.1
		return fmt.Errorf("%s missing, though demanded", serverNoTakeover)
	case offer.serverBits != 0 && (p.serverBits == 0 || p.serverBits > offer.serverBits): // §7.1.2.1
		return fmt.Errorf("%s missing or above %d, which was demanded", serverBits, offer.serverBits)
	case p.clientBits != 0 && offer.clientBits == 0 && !offer.clientBitsBare: // §7.1.2.2
		return fmt.Errorf("%s, which was not offered", clientBits)
	case offer.clientBits != 0 && p.clientBits > offer.clientBits: // §7.1.2.2
		return fmt.Errorf("%s above %d, which was offered", clientBits, offer.clientBits)
	}
	return nil
}

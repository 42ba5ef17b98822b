package oddpeer

import (
	"slices"
	"strconv"
)

const extension = "permessage-deflate"

// terms are the parameters of permessage-deflate (7692 §7.1); bits are 0 if absent.
type terms struct {
	serverFresh, clientFresh bool
	serverBits, clientBits   int
	clientMay                bool // client_max_window_bits, with a value or without
}

// understand reads the parameters of an offer or an answer (7692 §7).
func (p Peer) understand(e element, answer bool) (t terms, ok bool) {
	var seen []string
	for _, a := range e.params {
		if slices.Contains(seen, a.name) && !p.odd("deflate-parameter-twice-accepted") {
			return t, false
		}
		seen = append(seen, a.name)
		ok := true
		switch a.name {
		case "server_no_context_takeover":
			t.serverFresh, ok = true, !a.valued || p.odd("deflate-flag-with-value-accepted")
		case "client_no_context_takeover":
			t.clientFresh, ok = true, !a.valued || p.odd("deflate-flag-with-value-accepted")
		case "server_max_window_bits":
			t.serverBits, ok = p.bits(a)
		case "client_max_window_bits":
			t.clientMay = true
			if a.valued || answer {
				t.clientBits, ok = p.bits(a)
			}
		default:
			ok = p.odd("deflate-unknown-parameter-accepted")
		}
		if !ok {
			return t, false
		}
	}
	return t, true
}

// bits: "a decimal integer value between 8 and 15", "without leading zeroes".
func (p Peer) bits(a param) (int, bool) {
	n, err := strconv.Atoi(a.value)
	switch {
	case !a.valued && p.odd("deflate-bits-without-value-accepted"):
		return 15, true
	case err == nil && n >= 8 && n <= 15:
		return n, strconv.Itoa(n) == a.value || p.odd("deflate-bits-with-zeros-accepted")
	}
	return 15, p.odd("deflate-bits-out-of-range-accepted") && err == nil
}

// answer is the server's part (7692 §5): the answer to the first offer that it
// can meet, "" for none.
func (l *link) answer(offers []element) string {
	if l.odd("extension-unoffered-answered") {
		return "x-unoffered"
	}
	if l.odd("deflate-unoffered-answered") && len(offers) == 0 {
		return extension
	}
	for i, e := range offers {
		if e.name != extension {
			if l.odd("extension-unknown-answered") {
				return e.name
			}
			continue
		}
		if t, ok := l.understand(e, false); ok && !l.odd("deflate-declined") {
			return l.agree(t)
		}
		if l.odd("deflate-first-offer-only") && i == 0 {
			break
		}
	}
	return ""
}

// agree is the server's answer to an offer.
func (l *link) agree(offer terms) string {
	l.agreed, l.sendFresh, l.sendBits = true, offer.serverFresh, 15
	s := extension
	if offer.serverFresh && !l.odd("deflate-server-no-takeover-not-answered") {
		s += "; server_no_context_takeover"
	}
	bits := offer.serverBits
	if bits != 0 {
		l.sendBits = bits
		if l.odd("deflate-server-bits-larger-answered") {
			bits = 15
		}
		if !l.odd("deflate-server-bits-not-answered") {
			s += "; server_max_window_bits=" + strconv.Itoa(bits)
		}
	}
	switch {
	case l.odd("deflate-client-bits-unoffered-answered") && !offer.clientMay:
		s += "; client_max_window_bits=10"
	case l.odd("deflate-client-bits-larger-answered") && offer.clientBits != 0:
		s += "; client_max_window_bits=15"
	case l.odd("deflate-client-bits-without-value-answered") && offer.clientMay:
		s += "; client_max_window_bits"
	case l.odd("deflate-unknown-parameter-answered"):
		s += "; x_unknown"
	case l.odd("deflate-parameter-twice-answered"):
		s += "; client_no_context_takeover; client_no_context_takeover"
	case l.odd("deflate-bits-out-of-range-answered"):
		s += "; server_max_window_bits=16"
	case l.odd("deflate-answered-twice"):
		s += ", " + extension
	}
	return s
}

// offer is what the client asks for.
const offer = extension + "; client_max_window_bits"

// confirm is the client's part: whether the answer is one to its offer.
func (l *link) confirm(answer []element) bool {
	for i, e := range answer {
		if e.name != extension {
			if !l.odd("extension-unknown-accepted") {
				return false
			}
			continue
		}
		t, ok := l.understand(e, true)
		if !ok || i > 0 && !l.odd("deflate-twice-accepted") {
			return false
		}
		l.agreed, l.sendFresh, l.sendBits = true, t.clientFresh, 15
		if t.clientBits != 0 {
			l.sendBits = t.clientBits
		}
	}
	return true
}

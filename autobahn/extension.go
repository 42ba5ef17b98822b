package autobahn

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const deflateName = "permessage-deflate"

// An extension is an element of Sec-WebSocket-Extensions.
type extension struct {
	name   string
	params []param
}

type param struct {
	name, value string
	hasValue    bool
}

// parseExtensions reads a header's value (§9.1). Elements of the list may be empty.
func parseExtensions(s string) (list []extension, err error) {
	for _, element := range splitOutsideQuotes(s, ',') {
		if element == "" {
			continue
		}
		var e extension
		for i, part := range splitOutsideQuotes(element, ';') {
			name, value, hasValue := strings.Cut(part, "=")
			name, value = strings.TrimRight(name, " \t"), unquote(strings.TrimLeft(value, " \t"))
			switch {
			case !headerForm.MatchString(name) || hasValue && !headerForm.MatchString(value):
				return nil, fmt.Errorf("in Sec-WebSocket-Extensions, %q is not written as §9.1 says", short(s))
			case i == 0 && hasValue:
				return nil, fmt.Errorf("in Sec-WebSocket-Extensions, %q gives an extension a value", short(s))
			case i == 0:
				e.name = name
			default:
				e.params = append(e.params, param{name, value, hasValue})
			}
		}
		list = append(list, e)
	}
	return list, nil
}

// splitOutsideQuotes cuts s at each separator that is not in a quoted string, and
// takes the blanks around the parts away.
func splitOutsideQuotes(s string, separator byte) (parts []string) {
	quoted, start := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			parts = append(parts, strings.Trim(s[start:i], " \t"))
			start = i + 1
		}
	}
	return append(parts, strings.Trim(s[start:], " \t"))
}

// unquote returns what a quoted string stands for (RFC 9110 §5.6.4); what is none
// stands for itself.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '\\' && i < len(s)-2 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func offersDeflate(offers []extension) bool {
	return slices.ContainsFunc(offers, func(e extension) bool { return e.name == deflateName })
}

// deflateParams are the parameters of permessage-deflate, in an offer or in an answer
// (7692 §7.1). Bits are 0 if the parameter is not there, and openBits if it is there
// without a value.
type deflateParams struct {
	serverNoTakeover, clientNoTakeover bool
	serverBits, clientBits             int
}

const openBits = -1

// parseDeflate reads the parameters of an extension that is permessage-deflate.
func parseDeflate(e extension, offer bool) (d deflateParams, err error) {
	seen := make(map[string]bool)
	for _, p := range e.params {
		if seen[p.name] {
			return d, fmt.Errorf("%s has %s twice (7692 §7.1)", e.name, p.name)
		}
		seen[p.name] = true
		var ok bool
		switch p.name {
		case "server_no_context_takeover":
			d.serverNoTakeover, ok = true, !p.hasValue
		case "client_no_context_takeover":
			d.clientNoTakeover, ok = true, !p.hasValue
		case "server_max_window_bits":
			d.serverBits, ok = windowBits(p.value)
		case "client_max_window_bits":
			if d.clientBits, ok = windowBits(p.value); offer && !p.hasValue {
				d.clientBits, ok = openBits, true
			}
		default:
			return d, fmt.Errorf("%s has the unknown parameter %q (7692 §7)", e.name, short(p.name))
		}
		if !ok {
			return d, fmt.Errorf("%s has %s with the value %q (7692 §7.1)", e.name, p.name, short(p.value))
		}
	}
	return d, nil
}

// windowBits reads 8 to 15.
func windowBits(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && 8 <= n && n <= 15 && s[0] != '0'
}

// String writes an answer.
func (d deflateParams) String() string {
	s := deflateName
	if d.serverNoTakeover {
		s += "; server_no_context_takeover"
	}
	if d.serverBits != 0 {
		s += fmt.Sprintf("; server_max_window_bits=%d", d.serverBits)
	}
	if d.clientNoTakeover {
		s += "; client_no_context_takeover"
	}
	if d.clientBits != 0 {
		s += fmt.Sprintf("; client_max_window_bits=%d", d.clientBits)
	}
	return s
}

// accept answers the first offer that one of the terms can take.
func (t *deflateTerms) accept(offers []extension) (answer deflateParams, ok bool, err error) {
	var parsed []deflateParams
	for _, e := range offers {
		if e.name == deflateName {
			o, err := parseDeflate(e, true)
			if err != nil {
				return answer, false, err
			}
			parsed = append(parsed, o)
		}
	}
	if t == nil {
		return answer, false, nil
	}
	for _, a := range t.accepts {
		for _, o := range parsed {
			if a.clientBits == 0 || o.clientBits != 0 {
				return a.answer(o), true, nil
			}
		}
	}
	return answer, false, nil
}

// answer grants what an offer says of the server, and asks for what the terms say.
func (a acceptTerms) answer(offer deflateParams) deflateParams {
	d := deflateParams{serverNoTakeover: offer.serverNoTakeover || a.serverNoTakeover, serverBits: offer.serverBits,
		clientNoTakeover: a.clientNoTakeover, clientBits: a.clientBits}
	if a.serverBits != 0 {
		d.serverBits = a.serverBits
	}
	return d
}

// check says what is wrong with an answer to these offers, in every respect
// (7692 §7.1): one of them must allow it.
func (d deflateParams) check(offers []extension) (err error) {
	for _, e := range offers {
		if e.name != deflateName {
			continue
		}
		var o deflateParams
		if o, err = parseDeflate(e, true); err != nil {
			continue
		}
		switch {
		case o.serverNoTakeover && !d.serverNoTakeover:
			err = fmt.Errorf("server_no_context_takeover was asked for and is not granted (7692 §7.1.1.1)")
		case o.serverBits != 0 && (d.serverBits == 0 || d.serverBits > o.serverBits):
			err = fmt.Errorf("server_max_window_bits=%d was asked for and is not granted (7692 §7.1.2.1)", o.serverBits)
		case d.clientBits != 0 && o.clientBits == 0:
			err = fmt.Errorf("client_max_window_bits was not offered and must not be answered (7692 §7.1.2.2)")
		case o.clientBits > 0 && d.clientBits > o.clientBits:
			err = fmt.Errorf("client_max_window_bits=%d is more than was offered (7692 §7.1.2.2)", d.clientBits)
		default:
			return nil
		}
	}
	return err
}

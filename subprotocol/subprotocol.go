// Package subprotocol reads, checks and selects the names that a client offers
// in Sec-WebSocket-Protocol (§1.9, §4.1 item 10, §11.3.4).
//
// A name is an HTTP token. Names are compared byte by byte: "Chat" is not "chat".
package subprotocol

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Valid reports whether name may stand in Sec-WebSocket-Protocol: "non-empty
// strings with characters in the range U+0021 to U+007E not including
// separator characters" (§4.1 item 10), which is a token of HTTP.
func Valid(name string) bool { return httpguts.ValidHeaderFieldName(name) }

// Check reports the first fault of a list that is to be offered or supported:
// a name that is not [Valid], or one that stands in it twice.
// An empty list is fine.
func Check(names []string) error {
	for _, name := range names {
		if !Valid(name) {
			return fmt.Errorf("subprotocol %.128q is not a token: want visible ASCII without spaces, quotes or any of ()<>@,;:\\/[]?={}", name)
		}
	}
	if name, found := repeated(names); found {
		return fmt.Errorf("subprotocol %.128q is listed twice: want each name once", name)
	}
	return nil
}

// Parse returns the names in the field lines of one header, in the order of the
// client's preference. Lines join as if they were one (§11.3.4); no line at all
// is no offer: nil, nil. The names share memory with lines.
//
// Empty elements (",a,,b") are skipped, as the #rule of RFC 2616 §2.1 has it.
// A header without a single name, a name that is not [Valid] and a name that
// stands twice are errors.
func Parse(lines []string) ([]string, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	var names []string
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.Trim(name, " \t"); name != "" {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return nil, errors.New("no subprotocol in the list: want at least one name, or no such header") // 1#token
	}
	if err := Check(names); err != nil {
		return nil, err
	}
	return names, nil
}

// Select returns the first of offered that is also in supported, which is the
// client's favourite, or "" if they have none in common.
func Select(offered, supported []string) string {
	for _, name := range offered {
		if slices.Contains(supported, name) {
			return name
		}
	}
	return ""
}

// SelectPreferred returns the first of supported that is also in offered, which
// is the server's favourite, or "" if they have none in common.
func SelectPreferred(offered, supported []string) string { return Select(supported, offered) }

// repeated finds a name that stands twice. Long lists are sorted first, because
// a peer may fill its whole header with names.
func repeated(names []string) (string, bool) {
	const few = 16
	if len(names) > few {
		sorted := slices.Clone(names)
		slices.Sort(sorted)
		for i, name := range sorted[1:] {
			if name == sorted[i] {
				return name, true
			}
		}
		return "", false
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return name, true
		}
	}
	return "", false
}

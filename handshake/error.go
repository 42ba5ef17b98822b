package handshake

import (
	"fmt"
	"net/http"
	"strings"
)

// Error says why a handshake is refused, in words for the one who can mend it.
// What the peer sent is quoted in it, and cut after 128 characters.
type Error struct {
	Status  int         // what a server answers; 0 on the client's side
	Header  http.Header // what that answer must carry beside its body; nil if nothing
	Section string      // of RFC 6455, or "RFC 9110 §7.6.1" of another one
	Reason  string      // the field, what was found, what is expected
}

// Error returns for example
// "Upgrade: missing, want websocket (RFC 6455 §4.2.1)".
func (e *Error) Error() string {
	if strings.HasPrefix(e.Section, "RFC ") {
		return e.Reason + " (" + e.Section + ")"
	}
	return e.Reason + " (RFC 6455 §" + e.Section + ")"
}

func refuse(status int, section, format string, args ...any) *Error {
	return &Error{Status: status, Section: section, Reason: fmt.Sprintf(format, args...)}
}

// found describes the lines of one header for a Reason.
func found(lines []string) string {
	switch len(lines) {
	case 0:
		return "missing"
	case 1:
		return fmt.Sprintf("found %.128q", lines[0])
	default:
		return fmt.Sprintf("found %d lines, the first %.128q", len(lines), lines[0])
	}
}

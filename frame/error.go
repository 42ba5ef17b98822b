package frame

import (
	"strconv"
	"strings"
)

// A ProtocolError is a fault found in the peer's bytes. It knows the close code
// that the peer deserves and the section that the bytes violate.
type ProtocolError struct {
	Code    CloseCode // what the Close frame says: 1002, 1007, 1008 or 1009
	Section string    // of RFC 6455, or "7692 §x.y" for its extension
	Reason  string    // a short ASCII text without bytes of the peer's, fit for a Close frame
}

// Error returns for example
// "protocol error 1002: fragmented control frame (RFC 6455 §5.5)".
func (e *ProtocolError) Error() string {
	section := e.Section
	if !strings.Contains(section, "§") {
		section = "6455 §" + section
	}
	return "protocol error " + strconv.Itoa(int(e.Code)) + ": " + e.Reason + " (RFC " + section + ")"
}

// Faults are values made once: a peer that misbehaves costs no allocation.
var (
	errReservedOpcode    = &ProtocolError{CloseProtocolError, "5.2", "reserved opcode"}
	errFragmentedControl = &ProtocolError{CloseProtocolError, "5.5", "fragmented control frame"}
	errLongControl       = &ProtocolError{CloseProtocolError, "5.5", "control frame payload above 125 bytes"}
	errNotMinimal        = &ProtocolError{CloseProtocolError, "5.2", "payload length not in its shortest form"}
	errTopBit            = &ProtocolError{CloseProtocolError, "5.2", "payload length has its top bit set"}
	errCloseOneByte      = &ProtocolError{CloseProtocolError, "5.5.1", "close payload of one byte"}
	errCloseCode         = &ProtocolError{CloseProtocolError, "7.4", "close code that may not be sent"}
	errCloseReason       = &ProtocolError{CloseInvalidPayload, "5.5.1", "close reason is not valid UTF-8"}
)

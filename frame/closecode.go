package frame

import (
	"encoding/binary"
	"strconv"
	"unicode/utf8"
)

// A CloseCode is the number in a Close frame that says why (§7.4).
type CloseCode uint16

// The codes of §7.4.1 and of IANA's registry (§11.7). CloseNoStatus,
// CloseAbnormal and CloseTLSHandshake are only ever reported locally: they may
// not appear on the wire.
const (
	CloseNormal             CloseCode = 1000
	CloseGoingAway          CloseCode = 1001
	CloseProtocolError      CloseCode = 1002
	CloseUnsupportedData    CloseCode = 1003
	CloseNoStatus           CloseCode = 1005 // the Close frame had no code
	CloseAbnormal           CloseCode = 1006 // there was no Close frame
	CloseInvalidPayload     CloseCode = 1007
	ClosePolicyViolation    CloseCode = 1008
	CloseTooBig             CloseCode = 1009
	CloseMandatoryExtension CloseCode = 1010 // clients only
	CloseInternalError      CloseCode = 1011
	CloseServiceRestart     CloseCode = 1012
	CloseTryAgainLater      CloseCode = 1013
	CloseBadGateway         CloseCode = 1014
	CloseTLSHandshake       CloseCode = 1015 // the TLS handshake failed
)

// MaxCloseReason is the longest reason in bytes: a control frame's payload less
// the two of the code.
const MaxCloseReason = MaxControlPayload - 2

// Registered reports whether c has a meaning of its own in IANA's registry,
// those that may not be sent included.
func (c CloseCode) Registered() bool { return c.name() != "" }

// Receivable reports whether c is legal in a Close frame (§7.4): a registered
// code that is not reserved for local use, or one of 3000-4999, which belong to
// libraries and applications.
func (c CloseCode) Receivable() bool {
	switch {
	case c >= 3000 && c <= 4999:
		return true
	case c == CloseNoStatus, c == CloseAbnormal, c == CloseTLSHandshake:
		return false // "MUST NOT be set as a status code in a Close control frame"
	}
	return c.Registered()
}

// Sendable reports whether an application may close with c. It is Receivable
// under the name that reads well where one sends; that CloseMandatoryExtension
// is for clients only is checked where the role is known.
func (c CloseCode) Sendable() bool { return c.Receivable() }

// String returns the number and the meaning, "1001 going away".
func (c CloseCode) String() string {
	s := strconv.Itoa(int(c))
	if name := c.name(); name != "" {
		return s + " " + name
	}
	return s
}

func (c CloseCode) name() string {
	if i := int(c) - 1000; i >= 0 && i < len(closeNames) {
		return closeNames[i]
	}
	return ""
}

var closeNames = [...]string{
	CloseNormal - 1000:             "normal closure",
	CloseGoingAway - 1000:          "going away",
	CloseProtocolError - 1000:      "protocol error",
	CloseUnsupportedData - 1000:    "unsupported data",
	CloseNoStatus - 1000:           "no status received",
	CloseAbnormal - 1000:           "abnormal closure",
	CloseInvalidPayload - 1000:     "invalid payload",
	ClosePolicyViolation - 1000:    "policy violation",
	CloseTooBig - 1000:             "message too big",
	CloseMandatoryExtension - 1000: "mandatory extension",
	CloseInternalError - 1000:      "internal error",
	CloseServiceRestart - 1000:     "service restart",
	CloseTryAgainLater - 1000:      "try again later",
	CloseBadGateway - 1000:         "bad gateway",
	CloseTLSHandshake - 1000:       "TLS handshake",
}

// AppendClose appends the payload of a Close frame to dst: nothing for
// CloseNoStatus, otherwise the code and the reason. It checks neither: see
// Sendable and MaxCloseReason.
func AppendClose(dst []byte, code CloseCode, reason string) []byte {
	if code == CloseNoStatus {
		return dst
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}

// ParseClose reads the payload of a Close frame. The code is CloseNoStatus if
// the payload is empty; reason aliases p. Errors are *ProtocolErrors: a payload
// of one byte, a code that may not be sent, a reason that is not UTF-8.
func ParseClose(p []byte) (code CloseCode, reason []byte, err error) {
	// §5.5.1: "If there is a body, the first two bytes of the body MUST be a
	// 2-byte unsigned integer"
	switch len(p) {
	case 0:
		return CloseNoStatus, nil, nil
	case 1:
		return 0, nil, errCloseOneByte
	}
	code, reason = CloseCode(binary.BigEndian.Uint16(p)), p[2:]
	if !code.Receivable() {
		return code, nil, errCloseCode
	}
	if !utf8.Valid(reason) {
		return code, nil, errCloseReason
	}
	return code, reason, nil
}

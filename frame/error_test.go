package frame

import "testing"

func TestProtocolError_SaysCodeReasonAndSection(t *testing.T) {
	_, err := new(Header).Parse([]byte{0x09, 0x80})
	if err == nil {
		t.Fatal("a fragmented Ping is no error")
	}
	const want = "protocol error 1002: fragmented control frame (RFC 6455 §5.5)"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestProtocolError_OfAnExtension_NamesItsRFC(t *testing.T) {
	err := &ProtocolError{CloseInvalidPayload, "7692 §7.2.2", "compressed data is damaged"}
	const want = "protocol error 1007: compressed data is damaged (RFC 7692 §7.2.2)"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestFaults_FitACloseFrame(t *testing.T) {
	faults := []*ProtocolError{errReservedOpcode, errFragmentedControl, errLongControl, errNotMinimal, errTopBit,
		errCloseOneByte, errCloseCode, errCloseReason}
	for _, fault := range faults {
		if !fault.Code.Sendable() || len(fault.Reason) > MaxCloseReason {
			t.Errorf("%v: cannot be sent in a Close frame", fault)
		}
		for _, c := range []byte(fault.Reason) {
			if c < ' ' || c > '~' {
				t.Errorf("%v: reason is not plain ASCII", fault)
			}
		}
	}
}

package frame

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// closeCodes is §7.4.1, §7.4.2 and IANA's registry as of 2026, from 0 to 65535.
var closeCodes = []struct {
	first, last CloseCode
	name        string
	registered  bool
	wire        bool // may stand in a Close frame
}{
	{0, 999, "", false, false}, // "not used"
	{1000, 1000, "normal closure", true, true},
	{1001, 1001, "going away", true, true},
	{1002, 1002, "protocol error", true, true},
	{1003, 1003, "unsupported data", true, true},
	{1004, 1004, "", false, false}, // "Reserved. The specific meaning might be defined in the future."
	{1005, 1005, "no status received", true, false},
	{1006, 1006, "abnormal closure", true, false},
	{1007, 1007, "invalid payload", true, true},
	{1008, 1008, "policy violation", true, true},
	{1009, 1009, "message too big", true, true},
	{1010, 1010, "mandatory extension", true, true},
	{1011, 1011, "internal error", true, true},
	{1012, 1012, "service restart", true, true},
	{1013, 1013, "try again later", true, true},
	{1014, 1014, "bad gateway", true, true},
	{1015, 1015, "TLS handshake", true, false},
	{1016, 2999, "", false, false},  // for the protocol's future
	{3000, 4999, "", false, true},   // for libraries, frameworks, applications
	{5000, 65535, "", false, false}, // no such range
}

func TestCloseCode_All65536_FollowTheTable(t *testing.T) {
	next := 0
	for _, row := range closeCodes {
		if int(row.first) != next {
			t.Fatalf("the table has a gap before %d", row.first)
		}
		next = int(row.last) + 1
		for i := int(row.first); i <= int(row.last); i++ {
			code := CloseCode(i)
			if got := code.Registered(); got != row.registered {
				t.Errorf("%v: Registered is %v", code, got)
			}
			if got := code.Receivable(); got != row.wire {
				t.Errorf("%v: Receivable is %v", code, got)
			}
			if got := code.Sendable(); got != row.wire {
				t.Errorf("%v: Sendable is %v", code, got)
			}
			if got, want := code.String(), strings.TrimSpace(strconv.Itoa(i)+" "+row.name); got != want {
				t.Errorf("%d: String is %q, want %q", i, got, want)
			}
			checkClose(t, code, row.wire)
		}
	}
	if next != 65536 {
		t.Fatalf("the table ends at %d", next)
	}
}

// checkClose sends code through AppendClose and ParseClose.
func checkClose(t *testing.T, code CloseCode, legal bool) {
	t.Helper()
	if code == CloseNoStatus {
		return // has no payload: see TestClose_WithoutStatus_IsAnEmptyPayload
	}
	p := AppendClose([]byte("before"), code, "bye")
	if want := "before" + string([]byte{byte(code >> 8), byte(code)}) + "bye"; string(p) != want {
		t.Fatalf("%v: appended %q, want %q", code, p, want)
	}
	got, reason, err := ParseClose(p[len("before"):])
	switch {
	case got != code:
		t.Fatalf("%v: parsed as %v", code, got)
	case legal && (err != nil || string(reason) != "bye"):
		t.Fatalf("%v: parsed with reason %q and error %v", code, reason, err)
	case !legal && (faultText(err) != "1002 §7.4" || reason != nil):
		t.Fatalf("%v: parsed with reason %q and error %v, want 1002 §7.4", code, reason, err)
	}
}

func TestMaxCloseReason_IsAControlPayloadLessTheCode(t *testing.T) {
	if MaxControlPayload != 125 || MaxCloseReason != 123 {
		t.Errorf("%d and %d, want 125 and 123 (§5.5)", MaxControlPayload, MaxCloseReason)
	}
}

func TestClose_WithoutStatus_IsAnEmptyPayload(t *testing.T) {
	if p := AppendClose(nil, CloseNoStatus, "not sent"); len(p) != 0 {
		t.Errorf("appended % x", p)
	}
	if code, reason, err := ParseClose(nil); code != CloseNoStatus || reason != nil || err != nil {
		t.Errorf("parsed as %v, %q, %v", code, reason, err)
	}
}

func TestParseClose_NoStatusOnTheWire_IsAFault(t *testing.T) {
	if _, _, err := ParseClose([]byte{0x03, 0xed}); faultText(err) != "1002 §7.4" {
		t.Errorf("1005 spelled out: %v, want 1002 §7.4", err)
	}
}

func TestParseClose_OneByte_IsAFault(t *testing.T) {
	for i := range 256 {
		if _, _, err := ParseClose([]byte{byte(i)}); faultText(err) != "1002 §5.5.1" {
			t.Fatalf("%#x alone: %v, want 1002 §5.5.1", i, err)
		}
	}
}

func TestParseClose_ReasonThatIsNotUTF8_IsAFault(t *testing.T) {
	cases := []struct{ name, reason, fault string }{
		{"no reason", "", ""},
		{"ASCII", "bye", ""},
		{"two to four bytes a code point", "é€😀", ""},
		{"a zero byte", "\x00", ""},
		{"as long as it gets", strings.Repeat("x", MaxCloseReason), ""},
		{"cut off inside a code point at the end", strings.Repeat("x", MaxCloseReason-2) + "\xe2\x82", "1007 §5.5.1"},
		{"a surrogate", "\xed\xa0\x80", "1007 §5.5.1"},
		{"an overlong form", "\xc0\xaf", "1007 §5.5.1"},
		{"a byte that never occurs", "good\xff", "1007 §5.5.1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			code, reason, err := ParseClose(AppendClose(nil, 4000, c.reason))
			if code != 4000 || faultText(err) != c.fault {
				t.Errorf("%v, %v, want 4000 and fault %q", code, err, c.fault)
			}
			if c.fault == "" && string(reason) != c.reason {
				t.Errorf("reason %q, want %q", reason, c.reason)
			}
		})
	}
}

func TestParseClose_ReasonIsPartOfThePayload(t *testing.T) {
	p := AppendClose(nil, CloseNormal, "bye")
	_, reason, _ := ParseClose(p)
	if &reason[0] != &p[2] {
		t.Error("the reason has been copied")
	}
}

func FuzzClose(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x03})
	f.Add([]byte("\x03\xe8"))
	f.Add([]byte("\x03\xedno status"))
	f.Add([]byte("\x0f\xa0a reason \xf0\x9f\x98"))
	f.Fuzz(func(t *testing.T, p []byte) {
		code, reason, err := ParseClose(p)
		legal := len(p) == 0
		if len(p) >= 2 {
			legal = code.Receivable() && utf8.Valid(p[2:])
		}
		if legal != (err == nil) {
			t.Fatalf("% x: %v", p, err)
		}
		if err != nil {
			if faultText(err)[:4] != "1002" && faultText(err)[:4] != "1007" {
				t.Fatalf("% x: %v", p, err)
			}
			return
		}
		if again := AppendClose(nil, code, string(reason)); !bytes.Equal(again, p) {
			t.Fatalf("% x: appended again it is % x", p, again)
		}
	})
}

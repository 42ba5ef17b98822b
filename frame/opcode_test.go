package frame

import (
	"fmt"
	"testing"
)

func TestOpcode_All256_AreClassedAsTheRFCDoes(t *testing.T) {
	// §5.2 and §11.8; what is not named here is reserved.
	names := map[Opcode]string{0x0: "continuation", 0x1: "text", 0x2: "binary", 0x8: "close", 0x9: "ping", 0xA: "pong"}
	for i := range 256 {
		o := Opcode(i)
		name, known := names[o]
		if !known {
			name = fmt.Sprintf("reserved(0x%x)", i)
		}
		if got := o.String(); got != name {
			t.Errorf("%#x: String is %q, want %q", i, got, name)
		}
		if got := o.IsReserved(); got == known {
			t.Errorf("%v: IsReserved is %v", o, got)
		}
		if got, want := o.IsData(), known && i < 8; got != want {
			t.Errorf("%v: IsData is %v", o, got)
		}
		// §5.5: "Control frames are identified by opcodes where the most
		// significant bit of the opcode is 1", of four.
		if got, want := o.IsControl(), i%16 >= 8; got != want {
			t.Errorf("%v: IsControl is %v", o, got)
		}
	}
}

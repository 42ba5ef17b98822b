//go:build !purego

#include "textflag.h"

// func maskNEON(p *byte, n int, k uint32)
//
// Blocks of 64 bytes from the left, then the last 64, which overlap them: these
// are loaded before anything is stored, and stored last, so that no byte is
// masked twice.
TEXT ·maskNEON(SB), NOSPLIT, $0-20
	MOVD  p+0(FP), R0
	MOVD  n+8(FP), R1
	MOVWU k+16(FP), R2
	ADD   R0, R1, R3
	SUB   $64, R3      // where the last 64 bytes begin

	// They begin at number n-64, where the key is n mod 4 bytes on. RORW uses no
	// more than 5 bits of its count: 8n is as good as 8(n mod 4).
	LSL  $3, R1
	RORW R1, R2, R4
	VDUP R2, V0.S4
	VDUP R4, V1.S4

	VLD1 (R3), [V16.B16, V17.B16, V18.B16, V19.B16]
	VEOR V1.B16, V16.B16, V16.B16
	VEOR V1.B16, V17.B16, V17.B16
	VEOR V1.B16, V18.B16, V18.B16
	VEOR V1.B16, V19.B16, V19.B16
	B    more

loop:
	VLD1   (R0), [V2.B16, V3.B16, V4.B16, V5.B16]
	VEOR   V0.B16, V2.B16, V2.B16
	VEOR   V0.B16, V3.B16, V3.B16
	VEOR   V0.B16, V4.B16, V4.B16
	VEOR   V0.B16, V5.B16, V5.B16
	VST1.P [V2.B16, V3.B16, V4.B16, V5.B16], 64(R0)

more:
	CMP R3, R0
	BLO loop

	VST1 [V16.B16, V17.B16, V18.B16, V19.B16], (R3)
	RET

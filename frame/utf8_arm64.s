//go:build !purego

#include "textflag.h"

// CHECK sets bits in V31 if the 16 bytes in in are wrong behind those in prev.
//
// The first half looks up the three nibbles of each pair of bytes (utf8Lookup):
// V24 is the reasons why they are wrong.
//
// The second half finds where a second or third continuation must be: two bytes
// behind e0 to ff, three behind f0 to ff; what is not below a bound is its own
// maximum with it. The bit is that of twoInARow, so one EOR finds both a pair of
// continuations that must not be and one that is missing.
#define CHECK(prev, in) \
	VEXT  $15, in.B16, prev.B16, V24.B16   \
	VUSHR $4, V24.B16, V25.B16             \
	VTBL  V25.B16, [V16.B16], V25.B16      \
	VAND  V19.B16, V24.B16, V24.B16        \
	VTBL  V24.B16, [V17.B16], V24.B16      \
	VUSHR $4, in.B16, V26.B16              \
	VTBL  V26.B16, [V18.B16], V26.B16      \
	VAND  V24.B16, V25.B16, V24.B16        \
	VAND  V24.B16, V26.B16, V24.B16        \
	                                       \
	VEXT  $14, in.B16, prev.B16, V25.B16   \
	VEXT  $13, in.B16, prev.B16, V26.B16   \
	VUMAX V20.B16, V25.B16, V27.B16        \
	VUMAX V21.B16, V26.B16, V28.B16        \
	VCMEQ V27.B16, V25.B16, V25.B16        \
	VCMEQ V28.B16, V26.B16, V26.B16        \
	VORR  V25.B16, V26.B16, V25.B16        \
	VAND  V22.B16, V25.B16, V25.B16        \
	VEOR  V25.B16, V24.B16, V24.B16        \
	VORR  V24.B16, V31.B16, V31.B16

// func validBlocks(p *byte, n int, lookup *[3][16]byte) bool
//
// Blocks of 16 bytes, four at a time while there are as many, then the last 16
// bytes of the text, which overlap what has been checked: so there is no rest that
// a block is too long for. V0 is the block in front of the next one.
TEXT ·validBlocks(SB), NOSPLIT, $0-25
	MOVD  p+0(FP), R0
	MOVD  n+8(FP), R1
	ADD   R0, R1, R1         // the end
	SUB   $16, R1, R2        // the last block
	SUB   $64, R1, R3        // the last four
	MOVD  lookup+16(FP), R4
	VLD1  (R4), [V16.B16, V17.B16, V18.B16]
	VMOVI $0x0f, V19.B16
	VMOVI $0xe0, V20.B16
	VMOVI $0xf0, V21.B16
	VMOVI $0x80, V22.B16
	VEOR  V0.B16, V0.B16, V0.B16
	VEOR  V31.B16, V31.B16, V31.B16
	B     fourNext

	// Four blocks that are ASCII are right if the one in front of them is ASCII too.
four:
	VLD1.P 64(R0), [V1.B16, V2.B16, V3.B16, V4.B16]
	VORR   V0.B16, V1.B16, V5.B16
	VORR   V2.B16, V3.B16, V6.B16
	VORR   V4.B16, V5.B16, V5.B16
	VORR   V5.B16, V6.B16, V5.B16
	VMOV   V5.D[0], R5
	VMOV   V5.D[1], R6
	ORR    R5, R6, R5
	TST    $0x8080808080808080, R5
	BEQ    skip
	CHECK(V0, V1)
	CHECK(V1, V2)
	CHECK(V2, V3)
	CHECK(V3, V4)

skip:
	VMOV V4.B16, V0.B16

fourNext:
	CMP R3, R0
	BLS four
	B   oneNext

one:
	VLD1.P 16(R0), [V1.B16]
	CHECK(V0, V1)
	VMOV   V1.B16, V0.B16

oneNext:
	CMP R2, R0
	BLS one
	CMP R1, R0
	BEQ done
	SUB  $16, R2, R0
	VLD1 (R0), [V0.B16, V1.B16]
	CHECK(V0, V1)

done:
	VMOV V31.D[0], R5
	VMOV V31.D[1], R6
	ORR  R5, R6, R5
	CMP  $0, R5
	CSET EQ, R5
	MOVB R5, ret+24(FP)
	RET

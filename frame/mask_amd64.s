//go:build !purego

#include "textflag.h"

// func maskAVX2(p *byte, n int, k uint32)
//
// A store that crosses a cache line costs as much as two, and a payload, which
// comes behind a header, lies across the lines. So it is masked in three parts:
//
//	DI            BX                                SI
//	|first 32 bytes|
//	              |32 bytes|32 bytes|  ...  |32 bytes|
//	                                        |last 32 bytes|
//
// The blocks in the middle begin at multiples of 32. The first and the last 32
// bytes overlap them: those are loaded before anything is stored, and stored
// last, so that no byte is masked twice.
TEXT ·maskAVX2(SB), NOSPLIT, $0-20
	MOVQ p+0(FP), DI
	MOVQ n+8(FP), CX
	MOVL k+16(FP), AX
	LEAQ -32(DI)(CX*1), SI
	LEAQ 32(DI), BX
	ANDQ $~31, BX

	VMOVD        AX, X0
	VPBROADCASTD X0, Y0
	VPXOR        (DI), Y0, Y5

	// The last 32 bytes begin at number n-32, where the key is n mod 4 bytes on.
	// RORL uses no more than 5 bits of its count: 8n is as good as 8(n mod 4).
	SHLL         $3, CX
	MOVL         AX, DX
	RORL         CX, DX
	VMOVD        DX, X6
	VPBROADCASTD X6, Y6
	VPXOR        (SI), Y6, Y6

	// The middle begins at number BX-DI.
	MOVL         BX, CX
	SUBL         DI, CX
	SHLL         $3, CX
	RORL         CX, AX
	VMOVD        AX, X0
	VPBROADCASTD X0, Y0

	// CX bytes from BX on must be masked before the last 32. A block may reach
	// into those.
	MOVQ SI, CX
	SUBQ BX, CX
	SUBQ $96, CX
	JLE  few

	// 128 bytes a turn keep four loads and four stores in flight.
loop:
	VPXOR   (BX), Y0, Y1
	VPXOR   32(BX), Y0, Y2
	VPXOR   64(BX), Y0, Y3
	VPXOR   96(BX), Y0, Y4
	VMOVDQA Y1, (BX)
	VMOVDQA Y2, 32(BX)
	VMOVDQA Y3, 64(BX)
	VMOVDQA Y4, 96(BX)
	ADDQ    $128, BX
	SUBQ    $128, CX
	JGT     loop

few:
	ADDQ $96, CX
	JLE  ends

block:
	VPXOR   (BX), Y0, Y1
	VMOVDQA Y1, (BX)
	ADDQ    $32, BX
	SUBQ    $32, CX
	JGT     block

ends:
	VMOVDQU Y5, (DI)
	VMOVDQU Y6, (SI)
	VZEROUPPER
	RET

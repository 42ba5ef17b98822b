//go:build !purego

#include "textflag.h"

// func maskAVX2(p *byte, n int, k uint32)
TEXT ·maskAVX2(SB), NOSPLIT, $0-20
	MOVQ p+0(FP), DI
	MOVQ n+8(FP), CX
	MOVL k+16(FP), AX
	VMOVD AX, X0
	VPBROADCASTD X0, Y0

	// 128 bytes a turn keep four loads and four stores in flight.
	SUBQ $128, CX
	JLT  tail

loop:
	VPXOR   (DI), Y0, Y1
	VPXOR   32(DI), Y0, Y2
	VPXOR   64(DI), Y0, Y3
	VPXOR   96(DI), Y0, Y4
	VMOVDQU Y1, (DI)
	VMOVDQU Y2, 32(DI)
	VMOVDQU Y3, 64(DI)
	VMOVDQU Y4, 96(DI)
	ADDQ    $128, DI
	SUBQ    $128, CX
	JGE     loop

tail:
	ADDQ $128, CX
	JZ   done

tailLoop:
	VPXOR   (DI), Y0, Y1
	VMOVDQU Y1, (DI)
	ADDQ    $32, DI
	SUBQ    $32, CX
	JNZ     tailLoop

done:
	VZEROUPPER
	RET

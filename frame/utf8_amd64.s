//go:build !purego

#include "textflag.h"

DATA utf8Bytes<>+0(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA utf8Bytes<>+8(SB)/8, $0x6060606060606060
DATA utf8Bytes<>+16(SB)/8, $0x7070707070707070
DATA utf8Bytes<>+24(SB)/8, $0x8080808080808080
GLOBL utf8Bytes<>(SB), RODATA|NOPTR, $32

// CHECK sets bits in Y8 if the 32 bytes in Y0 are wrong behind those in front of
// them: Y1, Y2 and Y3 are the same text one, two and three bytes earlier.
//
// The first half looks up the three nibbles of each pair of bytes (utf8Lookup):
// Y4 is the reasons why they are wrong. Nibbles are shifted by words, so what
// comes over from the next byte is masked off.
//
// The second half finds where a second or third continuation must be: two bytes
// behind e0 to ff, three behind f0 to ff. The subtraction stops at 0, and the high
// bit stays set from e0 and f0 on. The bit is that of twoInARow, so one XOR finds
// both a pair of continuations that must not be and one that is missing.
#define CHECK \
	VPSRLW   $4, Y1, Y4   \
	VPAND    Y12, Y4, Y4  \
	VPSHUFB  Y4, Y9, Y4   \
	VPAND    Y12, Y1, Y5  \
	VPSHUFB  Y5, Y10, Y5  \
	VPSRLW   $4, Y0, Y6   \
	VPAND    Y12, Y6, Y6  \
	VPSHUFB  Y6, Y11, Y6  \
	VPAND    Y4, Y5, Y4   \
	VPAND    Y4, Y6, Y4   \
	                      \
	VPSUBUSB Y13, Y2, Y2  \
	VPSUBUSB Y14, Y3, Y3  \
	VPOR     Y2, Y3, Y2   \
	VPAND    Y15, Y2, Y2  \
	VPXOR    Y2, Y4, Y4   \
	VPOR     Y4, Y8, Y8

// LOOKBACK loads what CHECK wants for the block at(DI).
#define LOOKBACK(at) \
	VMOVDQU at-1(DI), Y1 \
	VMOVDQU at-2(DI), Y2 \
	VMOVDQU at-3(DI), Y3

// func validBlocks(p *byte, n int, lookup *[3][16]byte) bool
//
// Blocks of 32 bytes, two at a time, then the last 32 bytes of the text, which
// overlap what has been checked: so there is no rest that a block is too long for.
// A block needs nothing of the one before it but the three bytes in front of it,
// which it loads again.
TEXT ·validBlocks(SB), NOSPLIT, $0-25
	MOVQ p+0(FP), DI
	MOVQ n+8(FP), CX
	MOVQ DI, SI
	LEAQ -32(DI)(CX*1), R8 // the last block
	LEAQ -64(DI)(CX*1), R9 // the last two
	JMP  asciiNext

	// ASCII needs no more than a look at the high bits.
ascii:
	VMOVDQU   (DI), Y0
	VPOR      32(DI), Y0, Y1
	VPMOVMSKB Y1, AX
	TESTL     AX, AX
	JNZ       other
	ADDQ      $64, DI

asciiNext:
	CMPQ      DI, R9
	JLE       ascii
	VMOVDQU   (R8), Y1
	CMPQ      DI, R8
	JGT       asciiLast
	VMOVDQU   (DI), Y0
	VPOR      Y0, Y1, Y1

asciiLast:
	VPMOVMSKB  Y1, AX
	TESTL      AX, AX
	JNZ        other
	MOVB       $1, ret+24(FP)
	VZEROUPPER
	RET

	// Not all of it is ASCII, but all before DI is.
other:
	MOVQ           lookup+16(FP), AX
	VBROADCASTI128 (AX), Y9
	VBROADCASTI128 16(AX), Y10
	VBROADCASTI128 32(AX), Y11
	VPBROADCASTQ   utf8Bytes<>+0(SB), Y12
	VPBROADCASTQ   utf8Bytes<>+8(SB), Y13
	VPBROADCASTQ   utf8Bytes<>+16(SB), Y14
	VPBROADCASTQ   utf8Bytes<>+24(SB), Y15
	VPXOR          Y8, Y8, Y8
	CMPQ           DI, SI
	JNE            next

	// The first block, in Y0, has nothing in front of it: zeros are shifted in.
	// VPALIGNR shifts halves of 16 bytes; Y7 is what comes into each of them.
	VPERM2I128 $0x08, Y0, Y0, Y7
	VPALIGNR   $15, Y7, Y0, Y1
	VPALIGNR   $14, Y7, Y0, Y2
	VPALIGNR   $13, Y7, Y0, Y3
	CHECK
	ADDQ       $32, DI
	JMP        next

	// Two blocks that are ASCII are right if the byte in front of them is ASCII too:
	// then it does not belong to a code point that is not finished.
pair:
	VMOVDQU   (DI), Y0
	VMOVDQU   32(DI), Y7
	VPOR      Y0, Y7, Y1
	VPOR      -1(DI), Y1, Y1
	VPMOVMSKB Y1, AX
	TESTL     AX, AX
	JZ        skip
	LOOKBACK(0)
	CHECK
	VMOVDQA   Y7, Y0
	LOOKBACK(32)
	CHECK

skip:
	ADDQ $64, DI

next:
	CMPQ DI, R9
	JLE  pair
	CMPQ DI, R8
	JGT  last
	VMOVDQU (DI), Y0
	LOOKBACK(0)
	CHECK
	ADDQ $32, DI

last:
	LEAQ 32(R8), AX
	CMPQ DI, AX
	JEQ  done
	MOVQ R8, DI
	VMOVDQU (DI), Y0
	LOOKBACK(0)
	CHECK

done:
	VPTEST     Y8, Y8
	SETEQ      ret+24(FP)
	VZEROUPPER
	RET

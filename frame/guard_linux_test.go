package frame

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// guarded returns memory with a page before and one after it that nobody may touch.
func guarded(t *testing.T, pages int) []byte {
	t.Helper()
	page := os.Getpagesize()
	all, err := syscall.Mmap(-1, 0, (pages+2)*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(all) })
	inside := all[page : (pages+1)*page]
	for _, guard := range [][]byte{all[:page], all[(pages+1)*page:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return inside
}

// atBothEdges calls f with the first n bytes of mem and with the last.
func atBothEdges(mem []byte, f func(p []byte)) {
	for n := range len(mem) + 1 {
		if n > 300 && n < len(mem)-300 {
			continue
		}
		f(mem[:n])
		f(mem[len(mem)-n:])
	}
}

// Nothing is compared here: what reads or writes outside ends the test.
func TestMask_TouchesNothingOutside(t *testing.T) {
	atBothEdges(guarded(t, 2), func(p []byte) {
		for pos := range 4 {
			Mask(p, testKey, pos)
		}
	})
}

func TestUTF8_ReadsNothingOutside(t *testing.T) {
	for _, script := range utf8Scripts {
		mem := guarded(t, 2)
		copy(mem, strings.Repeat(script.unit, len(mem)/len(script.unit)+1))
		atBothEdges(mem, func(p []byte) {
			var v UTF8
			v.Write(p)
		})
	}
}

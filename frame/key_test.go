package frame

import (
	"sync"
	"testing"
)

func TestNewKey_BytesAreUniform(t *testing.T) {
	const draws = 1 << 18
	var seen [4][256]int
	for range draws {
		for i, c := range NewKey() {
			seen[i][c]++
		}
	}
	// 255 degrees of freedom have a mean of 255 and a deviation of 22.6: beyond
	// ten of these, once in more runs than there will be.
	for i := range seen {
		chi2 := 0.0
		for _, n := range seen[i] {
			d := float64(n) - draws/256
			chi2 += d * d / (draws / 256)
		}
		if chi2 < 100 || chi2 > 480 {
			t.Errorf("byte %d of the keys: chi-squared %.0f, want about 255", i, chi2)
		}
	}
}

func TestNewKey_FromManyGoroutines_GivesNoKeyTwice(t *testing.T) {
	const goroutines, each = 8, 20_000
	keys := make([][]Key, goroutines)
	var wg sync.WaitGroup
	for g := range keys {
		wg.Go(func() {
			for range each {
				keys[g] = append(keys[g], NewKey())
			}
		})
	}
	wg.Wait()
	seen, repeats := map[Key]bool{}, 0
	for _, drawn := range keys {
		for _, key := range drawn {
			if seen[key] {
				repeats++
			}
			seen[key] = true
		}
	}
	// Chance alone gives 160 000² / 2 / 2³², about 3. A stock shared by two
	// goroutines would give thousands.
	if repeats > 40 {
		t.Errorf("%d of %d keys came twice", repeats, goroutines*each)
	}
}

func TestNewKey_AllocatesNothing(t *testing.T) {
	// One a run: the race detector makes sync.Pool forget a stock now and then.
	if got := testing.AllocsPerRun(1000, func() { NewKey() }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func TestNewKey_LeavesNoUsedKeyInMemory(t *testing.T) {
	NewKey()
	s := keyStocks.Get().(*keyStock)
	defer keyStocks.Put(s)
	for i, c := range s.bytes[:s.used] {
		if c != 0 {
			t.Fatalf("byte %d of the %d used is still %#x", i, s.used, c)
		}
	}
}

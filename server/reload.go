package server

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// reloadEvery is how long a change in a file may go unnoticed.
const reloadEvery = time.Second

// reloading is a value made of files, and made anew when they have changed. No
// goroutine watches them: whoever asks for the value reads them again, if that was
// not done within reloadEvery. What cannot be read leaves the value as it was.
type reloading[T any] struct {
	names []string // none: the value stays what it is
	parse func(contents [][]byte) (T, error)
	log   *slog.Logger // nil: slog.Default

	value  atomic.Pointer[T]
	mu     sync.Mutex // held by the one who reads
	read   time.Time
	sum    [sha256.Size]byte // of what was last parsed, or could not be
	broken string            // why the last reading failed
}

// get returns the value. Who finds somebody else reading gets the one before.
func (f *reloading[T]) get() T {
	if len(f.names) > 0 && f.mu.TryLock() {
		defer f.mu.Unlock()
		if time.Since(f.read) >= reloadEvery {
			f.again()
		}
	}
	return *f.value.Load()
}

func (f *reloading[T]) again() {
	changed, err := f.load()
	log := f.log
	if log == nil {
		log = slog.Default()
	}
	files := strings.Join(f.names, " ")
	switch {
	case err != nil && err.Error() != f.broken:
		f.broken = err.Error()
		log.Error("websocket: a file has changed and cannot be used, what was read before stays", "files", files, "error", err)
	case err == nil && (changed || f.broken != ""):
		f.broken = ""
		log.Info("websocket: files read again", "files", files)
	}
}

// load reads the files, and reports whether they hold something new. An error is
// returned as long as they hold what caused it.
func (f *reloading[T]) load() (changed bool, err error) {
	f.read = time.Now()
	contents := make([][]byte, len(f.names))
	sum := sha256.New()
	for i, name := range f.names {
		if contents[i], err = os.ReadFile(name); err != nil {
			return false, err
		}
		fmt.Fprintf(sum, "%d:%s", len(contents[i]), contents[i])
	}
	now := [sha256.Size]byte(sum.Sum(nil))
	if now == f.sum && f.value.Load() != nil {
		return false, nil
	}
	v, err := f.parse(contents)
	if err != nil {
		return false, err
	}
	f.sum = now
	f.value.Store(&v)
	return true, nil
}

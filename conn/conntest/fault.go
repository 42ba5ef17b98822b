package conntest

import (
	"errors"
	"net"
	"sync"
)

// ErrInjected is what a [Faulty] fails with when it was given no error.
var ErrInjected = errors.New("injected fault")

// Faulty is a connection that works until a chosen operation, then never again.
type Faulty struct {
	net.Conn
	reads, writes bool // which operations are counted
	short         bool
	n             int
	err           error

	mu     sync.Mutex
	ops    int
	failed bool
}

// FailAt wraps nc so that its n-th operation fails with err: Reads and Writes
// are counted together, from 1. The failing operation does not reach nc, which
// is closed instead, and every later one fails with err as well, as do those
// that were waiting. A nil err means [ErrInjected]; with n < 1 nothing fails.
//
// A loop visits every point at which a piece of work can lose its connection:
//
//	for n := 1; ; n++ {
//		a, b := conntest.Pipe()
//		f := conntest.FailAt(a, n, nil)
//		work(f, b)
//		if f.Ops() < n {
//			break // it ended without meeting the fault
//		}
//	}
func FailAt(nc net.Conn, n int, err error) *Faulty {
	f := FailReadAt(nc, n, err)
	f.writes = true
	return f
}

// FailReadAt is [FailAt] that counts, and fails, at a Read.
func FailReadAt(nc net.Conn, n int, err error) *Faulty {
	if err == nil {
		err = ErrInjected
	}
	return &Faulty{Conn: nc, n: n, err: err, reads: true}
}

// FailWriteAt is [FailAt] that counts, and fails, at a Write.
func FailWriteAt(nc net.Conn, n int, err error) *Faulty {
	f := FailReadAt(nc, n, err)
	f.reads, f.writes = false, true
	return f
}

// ShortWriteAt is [FailWriteAt] whose failing Write passes on the first half
// of its bytes before it fails.
func ShortWriteAt(nc net.Conn, n int, err error) *Faulty {
	f := FailWriteAt(nc, n, err)
	f.short = true
	return f
}

// Ops returns how many of the counted operations were begun.
func (f *Faulty) Ops() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ops
}

// Read reads from the wrapped connection unless it is the one to fail.
func (f *Faulty) Read(p []byte) (int, error) {
	ok, now := f.begin(f.reads)
	if now {
		f.Conn.Close()
	}
	if !ok {
		return 0, f.err
	}
	n, err := f.Conn.Read(p)
	return n, f.outcome(err)
}

// Write writes to the wrapped connection unless it is the one to fail.
func (f *Faulty) Write(p []byte) (n int, err error) {
	ok, now := f.begin(f.writes)
	if now {
		if f.short {
			n, _ = f.Conn.Write(p[:len(p)/2])
		}
		f.Conn.Close()
	}
	if !ok {
		return n, f.err
	}
	n, err = f.Conn.Write(p)
	return n, f.outcome(err)
}

// Close closes the wrapped connection if the fault has not done so already.
func (f *Faulty) Close() error {
	err := f.Conn.Close()
	if f.broken() {
		return nil
	}
	return err
}

// CloseWrite does what the wrapped connection's CloseWrite does. It fails with
// [errors.ErrUnsupported] if there is none.
func (f *Faulty) CloseWrite() error {
	if half, ok := f.Conn.(closeWriter); ok {
		return f.outcome(half.CloseWrite())
	}
	return errors.ErrUnsupported
}

// begin counts an operation. It may go ahead if ok; now tells that the fault
// occurs here.
func (f *Faulty) begin(counted bool) (ok, now bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if counted {
		f.ops++
		now = f.ops == f.n
	}
	f.failed = f.failed || now
	return !f.failed, now
}

func (f *Faulty) broken() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// outcome replaces the error of an operation that the fault cut off.
func (f *Faulty) outcome(err error) error {
	if err != nil && f.broken() {
		return f.err
	}
	return err
}

type closeWriter interface{ CloseWrite() error }

package conntest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/internal/leak"
	"golang.org/x/net/nettest"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestPipe_IsANetConn(t *testing.T) {
	for _, size := range []int{16, 1000, DefaultPipeSize} { // the suite needs room for 13 bytes
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
				a, b := PipeSize(size)
				return a, b, func() { a.Close(); b.Close() }, nil
			})
		})
	}
}

// What each end gets after an end of the connection, in whatever way.
func TestPipe_End(t *testing.T) {
	tests := []struct {
		name  string
		end   func(a, b *Conn)
		read  string // what b still reads
		bRead error
		bSend error
		aRead error
		aSend error
	}{
		{
			name: "Close", end: func(a, b *Conn) { a.Close() },
			read: "last", bRead: io.EOF, bSend: syscall.EPIPE, aRead: net.ErrClosed, aSend: net.ErrClosed,
		},
		{
			name: "CloseWrite", end: func(a, b *Conn) { a.CloseWrite() },
			read: "last", bRead: io.EOF, bSend: nil, aRead: os.ErrDeadlineExceeded, aSend: syscall.EPIPE,
		},
		{
			name: "CloseWrite, then Close", end: func(a, b *Conn) { a.CloseWrite(); a.Close() },
			read: "last", bRead: io.EOF, bSend: syscall.EPIPE, aRead: net.ErrClosed, aSend: net.ErrClosed,
		},
		{
			name: "CloseWrite by both", end: func(a, b *Conn) { a.CloseWrite(); b.CloseWrite() },
			read: "last", bRead: io.EOF, bSend: syscall.EPIPE, aRead: io.EOF, aSend: syscall.EPIPE,
		},
		{
			name: "Reset", end: func(a, b *Conn) { a.Reset() },
			bRead: syscall.ECONNRESET, bSend: syscall.ECONNRESET, aRead: net.ErrClosed, aSend: net.ErrClosed,
		},
		{
			name: "Close, overtaken by Reset", end: func(a, b *Conn) { a.Close(); a.Reset() },
			bRead: syscall.ECONNRESET, bSend: syscall.ECONNRESET, aRead: net.ErrClosed, aSend: net.ErrClosed,
		},
		{
			name: "Close by both", end: func(a, b *Conn) { a.Close(); b.Close() },
			bRead: net.ErrClosed, bSend: net.ErrClosed, aRead: net.ErrClosed, aSend: net.ErrClosed,
		},
		{
			name: "Reset of a closed peer", end: func(a, b *Conn) { b.Close(); a.Reset() },
			bRead: net.ErrClosed, bSend: net.ErrClosed, aRead: net.ErrClosed, aSend: net.ErrClosed,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := Pipe()
				a.SetDeadline(time.Now().Add(time.Second))
				a.Write([]byte("last"))
				tt.end(a, b)

				got, err := readUntilError(b)
				if string(got) != tt.read || !errors.Is(err, tt.bRead) {
					t.Errorf("the peer read %q, %v, want %q, %v", got, err, tt.read, tt.bRead)
				}
				if _, err := a.Read(make([]byte, 1)); !errors.Is(err, tt.aRead) {
					t.Errorf("own Read failed with %v, want %v", err, tt.aRead)
				}
				a.SetDeadline(time.Time{})
				if _, err := a.Write([]byte("x")); !errors.Is(err, tt.aSend) {
					t.Errorf("own Write failed with %v, want %v", err, tt.aSend)
				}
				if _, err := b.Write([]byte("x")); !errors.Is(err, tt.bSend) {
					t.Errorf("the peer's Write failed with %v, want %v", err, tt.bSend)
				}
			})
		})
	}
}

func readUntilError(r io.Reader) ([]byte, error) {
	var got []byte
	for {
		p := make([]byte, 3)
		n, err := r.Read(p)
		got = append(got, p[:n]...)
		if err != nil {
			return got, err
		}
	}
}

func TestPipe_ClosedEndRefusesEveryCall(t *testing.T) {
	a, _ := Pipe()
	if err := a.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	calls := map[string]func() error{
		"Close":            a.Close,
		"CloseWrite":       a.CloseWrite,
		"SetDeadline":      func() error { return a.SetDeadline(time.Time{}) },
		"SetReadDeadline":  func() error { return a.SetReadDeadline(time.Time{}) },
		"SetWriteDeadline": func() error { return a.SetWriteDeadline(time.Time{}) },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v, want net.ErrClosed", name, err)
		}
	}
}

// A call that is waiting learns of the end as one that comes later does.
func TestPipe_EndWakesWaitingCalls(t *testing.T) {
	tests := []struct {
		name       string
		end        func(a, b *Conn)
		read, send error // what a's waiting calls get
	}{
		{name: "own Close", end: func(a, b *Conn) { a.Close() }, read: net.ErrClosed, send: net.ErrClosed},
		{name: "own Reset", end: func(a, b *Conn) { a.Reset() }, read: net.ErrClosed, send: net.ErrClosed},
		{name: "peer's Close", end: func(a, b *Conn) { b.Close() }, read: io.EOF, send: syscall.EPIPE},
		{name: "peer's Reset", end: func(a, b *Conn) { b.Reset() }, read: syscall.ECONNRESET, send: syscall.ECONNRESET},
		{
			name: "deadline moved to the past", end: func(a, b *Conn) { a.SetDeadline(time.Unix(1, 0)) },
			read: os.ErrDeadlineExceeded, send: os.ErrDeadlineExceeded,
		},
		{
			name: "deadline passing", end: func(a, b *Conn) { a.SetDeadline(time.Now().Add(time.Hour)); <-time.After(2 * time.Hour) },
			read: os.ErrDeadlineExceeded, send: os.ErrDeadlineExceeded,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := PipeSize(4)
				var wg sync.WaitGroup
				wg.Go(func() {
					if n, err := a.Read(make([]byte, 1)); n != 0 || !errors.Is(err, tt.read) {
						t.Errorf("Read: %d, %v, want 0, %v", n, err, tt.read)
					}
				})
				wg.Go(func() {
					if n, err := a.Write([]byte("too long")); n != 4 || !errors.Is(err, tt.send) {
						t.Errorf("Write: %d, %v, want 4, %v", n, err, tt.send)
					}
				})
				synctest.Wait()
				wg.Go(func() { // this one waits for the other Write
					if n, err := a.Write([]byte("more")); n != 0 || !errors.Is(err, tt.send) {
						t.Errorf("second Write: %d, %v, want 0, %v", n, err, tt.send)
					}
				})
				synctest.Wait()
				tt.end(a, b)
				wg.Wait()
			})
		})
	}
}

func TestPipe_MovedDeadlineLetsCallsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		start := time.Now()
		for range 3 {
			a.SetReadDeadline(time.Now().Add(time.Minute))
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("Read: %v, want a timeout", err)
			}
		}
		if got := time.Since(start); got != 3*time.Minute {
			t.Errorf("three timeouts took %v, want 3m", got)
		}
		b.Write([]byte("x"))
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read: %v, want a timeout even though there is input, as in net", err)
		}
		a.SetReadDeadline(time.Now().Add(time.Minute))
		a.SetReadDeadline(time.Time{})
		<-time.After(time.Hour)
		if _, err := a.Read(make([]byte, 1)); err != nil {
			t.Errorf("Read without a deadline: %v", err)
		}
	})
}

func TestDeadline_IgnoresTheTimerOfAnEarlierOne(t *testing.T) {
	for name, next := range map[string]time.Time{"moved": time.Now().Add(time.Hour), "removed": {}} {
		s := newStream(1)
		s.setReadDeadline(next)
		s.readLimit.fire(s.filled) // late: it was set before
		if s.readLimit.passed {
			t.Errorf("a deadline that was %s has passed", name)
		}
		s.end(net.ErrClosed, net.ErrClosed)
	}
}

func TestPipe_WriteWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := PipeSize(3)
		done := false
		go func() {
			a.Write([]byte("seven b"))
			done = true
		}()
		synctest.Wait()
		var got []byte
		for range 2 {
			if done {
				t.Fatalf("Write returned with %d of 7 bytes read, 3 buffered", len(got))
			}
			p := make([]byte, 2)
			n, _ := b.Read(p)
			got = append(got, p[:n]...)
			synctest.Wait()
		}
		if !done {
			t.Error("Write still waits with 4 of 7 bytes read, 3 buffered")
		}
		a.Close()
		rest, _ := io.ReadAll(b)
		if got = append(got, rest...); string(got) != "seven b" {
			t.Errorf("got %q", got)
		}
	})
}

func TestPipe_EmptyReadAndWriteDoNotWait(t *testing.T) {
	a, _ := PipeSize(1)
	a.Write([]byte("x")) // full
	if n, err := a.Write(nil); n != 0 || err != nil {
		t.Errorf("Write: %d, %v", n, err)
	}
	if n, err := a.Read(nil); n != 0 || err != nil {
		t.Errorf("Read: %d, %v", n, err)
	}
}

func TestPipe_CountsCallsAndBytes(t *testing.T) {
	a, b := Pipe()
	a.Write(make([]byte, 300))
	a.Write(make([]byte, 7))
	b.Read(make([]byte, 100))
	if got, want := a.Stats(), (Stats{Writes: 2, BytesWritten: 307}); got != want {
		t.Errorf("writing end: %+v, want %+v", got, want)
	}
	if got, want := b.Stats(), (Stats{Reads: 1, BytesRead: 100}); got != want {
		t.Errorf("reading end: %+v, want %+v", got, want)
	}
}

func TestPipe_Addresses(t *testing.T) {
	a, b := Pipe()
	if a.LocalAddr() != b.RemoteAddr() || a.RemoteAddr() != b.LocalAddr() || a.LocalAddr() == b.LocalAddr() {
		t.Errorf("a: %v to %v, b: %v to %v", a.LocalAddr(), a.RemoteAddr(), b.LocalAddr(), b.RemoteAddr())
	}
	a.Close()
	_, err := a.Write(nil)
	if got, want := err.Error(), "write pipe a->b: use of closed network connection"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestPipeSize_PanicsWithoutRoom(t *testing.T) {
	wantPanic(t, "conntest: PipeSize needs room for at least 1 byte", func() { PipeSize(0) })
}

func wantPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got != want {
			t.Errorf("panic: %v\nwant: %v", got, want)
		}
	}()
	f()
}

// Several writers and readers in both directions, sizes at random: every byte
// arrives, in order, and Writes do not interleave.
func TestPipe_Stress(t *testing.T) {
	const writers, records, recordSize = 4, 500, 20
	for _, size := range []int{1, 7, 64, 1000, DefaultPipeSize} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			a, b := PipeSize(size)
			var wg sync.WaitGroup
			for i, ends := range [][2]*Conn{{a, b}, {b, a}} {
				var sending sync.WaitGroup
				for w := range writers {
					sending.Go(func() {
						for range records {
							ends[0].Write(bytes.Repeat([]byte{byte(w)}, recordSize))
						}
					})
				}
				wg.Go(func() { sending.Wait(); ends[0].CloseWrite() })
				wg.Go(func() {
					got := readInPieces(ends[1], rand.New(rand.NewPCG(uint64(size), uint64(i))))
					if want := writers * records * recordSize; len(got) != want {
						t.Errorf("%d bytes arrived, want %d", len(got), want)
					}
					for at := 0; at+recordSize <= len(got); at += recordSize {
						if record := got[at : at+recordSize]; bytes.Count(record, record[:1]) != recordSize {
							t.Fatalf("bytes of different Writes are mixed at %d: %x", at, record)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

func readInPieces(r io.Reader, random *rand.Rand) []byte {
	var got []byte
	p := make([]byte, 100)
	for {
		n, err := r.Read(p[:1+random.IntN(len(p))])
		got = append(got, p[:n]...)
		if err != nil {
			return got
		}
	}
}

func TestPipe_DoesNotAllocate(t *testing.T) {
	a, b := Pipe()
	msg, in := make([]byte, 1000), make([]byte, 4096)
	deadline := time.Now().Add(time.Hour)
	roundTrip := func() {
		a.SetDeadline(deadline)
		a.Write(msg)
		b.Read(in)
	}
	roundTrip() // makes buffer and timers
	if n := testing.AllocsPerRun(100, roundTrip); n != 0 {
		t.Errorf("%v allocations per message", n)
	}
}

func BenchmarkPipe(b *testing.B) {
	for _, size := range []int{16, 1 << 10, 32 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			x, y := Pipe()
			msg, in := make([]byte, size), make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				x.Write(msg)
				y.Read(in)
			}
		})
	}
}

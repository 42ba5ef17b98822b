package conntest

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
)

// echo is the work under test: it returns what it read, having sent it back.
func echo(nc net.Conn) (string, error) {
	defer nc.Close()
	var all []byte
	for p := make([]byte, 2); ; {
		n, err := nc.Read(p)
		if err == io.EOF {
			return string(all), nil
		}
		if err != nil {
			return string(all), err
		}
		all = append(all, p[:n]...)
		if _, err := nc.Write(p[:n]); err != nil {
			return string(all), err
		}
	}
}

func TestFailAt_VisitsEveryOperation(t *testing.T) {
	const operations = 7 // 3 times a Read and a Write, then the Read of EOF
	for n := 1; ; n++ {
		a, b := Pipe()
		b.Write([]byte("abcdef"))
		b.CloseWrite()
		f := FailAt(a, n, nil)
		read, err := echo(f)
		if f.Ops() < n {
			if n != operations+1 || err != nil || read != "abcdef" {
				t.Errorf("ended with n = %d, %q, %v", n, read, err)
			}
			return
		}
		if err != ErrInjected {
			t.Errorf("n = %d: failed with %v", n, err)
		}
		sent, _ := io.ReadAll(b)
		if want := "abcdef"[:(n-1)/2*2]; string(sent) != want {
			t.Errorf("n = %d: %q was sent, want %q", n, sent, want)
		}
	}
}

func TestFailAt_Variants(t *testing.T) {
	errMine := errors.New("mine")
	tests := []struct {
		name string
		wrap func(net.Conn, int, error) *Faulty
		n    int
		read string // what echo reads before the fault
		sent string // what its peer gets
		ops  int
		err  error
	}{
		{name: "first read", wrap: FailReadAt, n: 1, ops: 1, err: errMine},
		{name: "third read", wrap: FailReadAt, n: 3, read: "abcd", sent: "abcd", ops: 3, err: errMine},
		{name: "second write", wrap: FailWriteAt, n: 2, read: "abcd", sent: "ab", ops: 2, err: errMine},
		{name: "short second write", wrap: ShortWriteAt, n: 2, read: "abcd", sent: "abc", ops: 2, err: errMine},
		{name: "never", wrap: FailAt, n: 0, read: "abcdef", sent: "abcdef", ops: 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := Pipe()
			b.Write([]byte("abcdef"))
			b.CloseWrite()
			f := tt.wrap(a, tt.n, errMine)
			read, err := echo(f)
			sent, _ := io.ReadAll(b)
			if read != tt.read || string(sent) != tt.sent || f.Ops() != tt.ops || err != tt.err {
				t.Errorf("got read %q, sent %q, %d operations, %v", read, sent, f.Ops(), err)
				t.Errorf("want     %q,      %q, %d operations, %v", tt.read, tt.sent, tt.ops, tt.err)
			}
		})
	}
}

func TestFaulty_StaysBroken(t *testing.T) {
	a, _ := Pipe()
	f := FailWriteAt(a, 1, nil)
	p := make([]byte, 4)
	for range 2 {
		if n, err := f.Write(p); n != 0 || err != ErrInjected {
			t.Errorf("Write: %d, %v", n, err)
		}
		if n, err := f.Read(p); n != 0 || err != ErrInjected {
			t.Errorf("Read: %d, %v", n, err)
		}
	}
	if err := f.CloseWrite(); err != ErrInjected {
		t.Errorf("CloseWrite: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("Close: %v, want nil: the caller has not closed yet", err)
	}
}

func TestFaulty_CutsOffAWaitingRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := Pipe()
		f := FailWriteAt(a, 1, nil)
		done := make(chan error)
		go func() {
			_, err := f.Read(make([]byte, 1))
			done <- err
		}()
		synctest.Wait()
		f.Write(nil)
		if err := <-done; err != ErrInjected {
			t.Errorf("Read: %v", err)
		}
	})
}

func TestFaulty_CloseWrite(t *testing.T) {
	a, b := Pipe()
	f := FailAt(a, 0, nil)
	if err := f.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the peer read %v, want EOF", err)
	}
	if err := FailAt(onlyNetConn{a}, 0, nil).CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without a CloseWrite inside: %v", err)
	}
}

type onlyNetConn struct{ net.Conn }

func TestChop_LimitsEveryReadAndWrite(t *testing.T) {
	for _, size := range []int{1, 3, 100} {
		a, b := Pipe()
		x, y := Chop(a, size), Chop(b, size)
		text := strings.Repeat("0123456789", 10)
		if n, err := x.Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("size %d: Write: %d, %v", size, n, err)
		}
		if got, want := a.Stats().Writes, (len(text)+size-1)/size; got != want {
			t.Errorf("size %d: %d writes, want %d", size, got, want)
		}
		if n, _ := y.Read(make([]byte, 1000)); n != size {
			t.Errorf("size %d: Read: %d bytes", size, n)
		}
		x.(closeWriter).CloseWrite()
		if rest, err := io.ReadAll(y); string(rest) != text[size:] || err != nil {
			t.Errorf("size %d: read %q, %v", size, rest, err)
		}
	}
}

func TestChop_TellsHowMuchWasWritten(t *testing.T) {
	a, _ := Pipe()
	n, err := Chop(FailAt(a, 3, nil), 2).Write([]byte("abcdefgh"))
	if n != 4 || err != ErrInjected {
		t.Errorf("Write: %d, %v, want 4, %v", n, err, ErrInjected)
	}
}

func TestChop_PassesAnEmptyWriteOn(t *testing.T) {
	a, b := Pipe()
	b.Close()
	if _, err := Chop(a, 1).Write(nil); err == nil {
		t.Error("an empty Write to a closed peer succeeded")
	}
}

func TestChop_PanicsOnEmptyPieces(t *testing.T) {
	wantPanic(t, "conntest: Chop needs pieces of at least 1 byte", func() { Chop(nil, 0) })
}

func TestWrappers_HaveCloseWriteOnlyIfTheInnerHas(t *testing.T) {
	a, _ := Pipe()
	for _, inner := range []net.Conn{a, onlyNetConn{a}} {
		_, want := inner.(closeWriter)
		for name, outer := range map[string]net.Conn{"Chop": Chop(inner, 1), "Stall": Stall(inner, 1)} {
			if _, got := outer.(closeWriter); got != want {
				t.Errorf("%s of a %T has CloseWrite: %v", name, inner, got)
			}
		}
	}
}

func TestStall_FallsSilentAfterNBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := PipeSize(4)
		s := Stall(a, 3)
		go func() {
			b.Write([]byte("abc, then much that is never read"))
			b.Close()
		}()
		got := make([]byte, 10)
		if n, err := s.Read(got); string(got[:n]) != "abc" || err != nil {
			t.Errorf("Read: %q, %v", got[:n], err)
		}
		if n, err := s.Read(nil); n != 0 || err != nil {
			t.Errorf("empty Read: %d, %v", n, err)
		}
		if n, err := s.Read(got); n != 0 || err != io.EOF {
			t.Errorf("Read: %d, %v, want EOF once the peer closes", n, err)
		}
	})
}

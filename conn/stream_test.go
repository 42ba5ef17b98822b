package conn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

func TestStreamWithoutDeadlines_CarriesMessagesBothWays(t *testing.T) {
	a, b := net.Pipe()
	s := conn.New(bare{a}, conn.Config{Role: machine.Server})
	c := conn.New(bare{b}, conn.Config{Role: machine.Client})
	go echo(s)
	for _, size := range sizes {
		want := strings.Repeat("x", size)
		go c.WriteText(bg, want)
		m, err := c.Read(bg)
		wantMessage(t, m, err, conn.Text, want)
	}
	if err := c.Close(frame.CloseNormal, ""); err != nil {
		t.Error(err)
	}
	wantClosed(t, c)
	<-s.Done()
}

func TestStreamWithoutDeadlines_AWriteThatIsTooLate_ClosesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		c := conn.New(bare{a}, conn.Config{Role: machine.Server, Options: conn.Options{PingEvery: -1}})
		go newWire(b).next()
		for range 3 { // of which only the last finds no reader
			if err := c.WriteText(bg, "in time"); err != nil {
				break
			}
			<-time.After(time.Hour)
		}
		start := time.Now()
		err := c.WriteText(bg, "too late")
		if err == nil {
			t.Fatal("no error")
		}
		if took := time.Since(start); took > conn.DefaultWriteTimeout*5/4 {
			t.Errorf("took %v", took)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		wantClosed(t, c)
		b.Close()
	})
}

func TestStreamWithoutDeadlines_ThatDoesNotEndItsReads_IsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stubborn{release: make(chan struct{})}
		c := conn.New(s, conn.Config{Role: machine.Server})
		read := make(chan error)
		go func() {
			_, err := c.Read(bg)
			read <- err
		}()
		synctest.Wait()
		c.CloseNow()
		select {
		case err := <-read:
			if err != c.Err() {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Error("Read goes on after CloseNow")
		}
		close(s.release)
		synctest.Wait()
	})
}

// stubborn is a stream whose Close does not end a Read.
type stubborn struct{ release chan struct{} }

func (s *stubborn) Read([]byte) (int, error) {
	<-s.release
	return 0, io.EOF
}
func (s *stubborn) Write(p []byte) (int, error) { return len(p), nil }
func (s *stubborn) Close() error                { return nil }

func TestStream_ThatReadsNothing_IsGivenUp(t *testing.T) {
	for name, rwc := range map[string]io.ReadWriteCloser{"with deadlines": idler{}, "without deadlines": bare{idler{}}} {
		t.Run(name, func(t *testing.T) {
			c := conn.New(rwc, conn.Config{Role: machine.Server})
			if _, err := c.Read(bg); !errors.Is(err, io.ErrNoProgress) {
				t.Error(err)
			}
			wantClosed(t, c)
		})
	}
}

// idler brings neither bytes nor an error.
type idler struct{}

func (idler) Read([]byte) (int, error)         { return 0, nil }
func (idler) Write(p []byte) (int, error)      { return len(p), nil }
func (idler) Close() error                     { return nil }
func (idler) SetReadDeadline(time.Time) error  { return nil }
func (idler) SetWriteDeadline(time.Time) error { return nil }

func TestStream_ThatBringsItsLastBytesWithTheError_LosesNone(t *testing.T) {
	for name, wrap := range map[string]func(io.ReadWriteCloser) io.ReadWriteCloser{
		"with deadlines":    func(s io.ReadWriteCloser) io.ReadWriteCloser { return s },
		"without deadlines": func(s io.ReadWriteCloser) io.ReadWriteCloser { return bare{s} },
	} {
		t.Run(name, func(t *testing.T) {
			role := machine.Client
			c := conn.New(wrap(&lastWords{wire: append(to(role, fin|text, "one"), to(role, fin|text, "two")...)}), conn.Config{Role: role})
			m, err := c.Read(bg)
			wantMessage(t, m, err, conn.Text, "one")
			m, err = c.Read(bg)
			wantMessage(t, m, err, conn.Text, "two")
			if _, err := c.Read(bg); !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			wantClosed(t, c)
		})
	}
}

// lastWords brings all it has together with io.EOF.
type lastWords struct {
	idler
	wire []byte
}

func (s *lastWords) Read(p []byte) (int, error) {
	n := copy(p, s.wire)
	s.wire = s.wire[n:]
	return n, io.EOF
}

func TestStream_OfTCP_CarriesEverything(t *testing.T) {
	sc, cc := loopback(t)
	s := conn.New(sc, conn.Config{Role: machine.Server})
	c := conn.New(cc, conn.Config{Role: machine.Client})
	go echo(s)
	ctx := t.Context()
	for _, size := range sizes {
		want := strings.Repeat("x", size)
		sent := make(chan error)
		go func() { sent <- c.WriteText(ctx, want) }()
		m, err := c.Read(ctx)
		wantMessage(t, m, err, conn.Text, want)
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	}
	if c.LocalAddr().String() != s.RemoteAddr().String() {
		t.Errorf("%v is not %v", c.LocalAddr(), s.RemoteAddr())
	}
	if err := c.Close(frame.CloseNormal, ""); err != nil {
		t.Error(err)
	}
	wantClosed(t, c)
	<-s.Done()
}

func TestStream_OfTCP_GivenUpReads_LoseNothing(t *testing.T) {
	sc, cc := loopback(t)
	s := conn.New(sc, conn.Config{Role: machine.Server})
	c := conn.New(cc, conn.Config{Role: machine.Client})
	defer s.CloseNow()
	defer c.CloseNow()
	const messages = 300
	go func() {
		for i := range messages {
			s.WriteText(bg, fmt.Sprint(i))
		}
	}()
	for i := 0; i < messages; {
		ctx, cancel := context.WithCancel(bg)
		go cancel()
		m, err := c.Read(ctx)
		if errors.Is(err, context.Canceled) {
			continue
		}
		wantMessage(t, m, err, conn.Text, fmt.Sprint(i))
		i++
	}
}

func TestStream_OfTCP_ThatIsReset_SaysSo(t *testing.T) {
	sc, cc := loopback(t)
	c := conn.New(cc, conn.Config{Role: machine.Client})
	sc.SetLinger(0)
	sc.Close()
	_, err := c.Read(bg)
	if !errors.Is(err, errReset) || conn.CloseStatus(err) != frame.CloseAbnormal {
		t.Error(err)
	}
	wantClosed(t, c)
}

func TestStream_OfTCP_ThatEnds_SaysSo(t *testing.T) {
	sc, cc := loopback(t)
	c := conn.New(cc, conn.Config{Role: machine.Client})
	sc.Close()
	if _, err := c.Read(bg); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	wantClosed(t, c)
}

func TestStream_OfUnix_CarriesMessages(t *testing.T) {
	dir, err := os.MkdirTemp("", "ws") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", dir+"/s")
	if err != nil {
		t.Skip("no Unix sockets here: ", err)
	}
	defer l.Close()
	cc, err := net.Dial("unix", dir+"/s")
	if err != nil {
		t.Fatal(err)
	}
	sc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s := conn.New(sc, conn.Config{Role: machine.Server})
	c := conn.New(cc, conn.Config{Role: machine.Client})
	go echo(s)
	want := strings.Repeat("x", 100_000)
	go c.WriteText(bg, want)
	m, err := c.Read(bg)
	wantMessage(t, m, err, conn.Text, want)
	c.Close(frame.CloseNormal, "")
	<-s.Done()
}

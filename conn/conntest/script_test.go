package conntest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestScript_PlaysBothSides(t *testing.T) {
	a, b := PipeSize(2)
	left := ParseScript(`
		# A Ping, its Pong, and the end.
		> 89 02 "hi"   ; Ping
		< 8a 02 "hi"   ; Pong
		< EOF          ; after which
		> 88 00        ; this still works
	`)
	right := new(Script).Expect(Hex(`89 02 "hi"`)).Send(Hex(`8a 02 "hi"`))
	done := make(chan error)
	go func() {
		err := right.Run(b)
		b.CloseWrite()
		done <- err
	}()
	if err := left.Run(a); err != nil {
		t.Errorf("left: %v", err)
	}
	if err := <-done; err != nil {
		t.Errorf("right: %v", err)
	}
}

func TestScript_LeavesWhatItDoesNotExpect(t *testing.T) {
	a, b := Pipe()
	a.Write([]byte("expected, and more"))
	a.Close()
	if err := new(Script).Expect([]byte("expected")).Run(b); err != nil {
		t.Fatal(err)
	}
	if rest, _ := io.ReadAll(b); string(rest) != ", and more" {
		t.Errorf("left: %q", rest)
	}
}

func TestScript_TellsWhatWentWrong(t *testing.T) {
	tests := []struct {
		name   string
		script *Script
		peer   func(c *Conn)
		is     error // what the error wraps, if anything
		want   string
	}{
		{
			name:   "another byte, far in",
			script: new(Script).Send(nil).Expect([]byte("0123456789abcdef The quick brown fox")),
			peer:   func(c *Conn) { c.Write([]byte("0123456789abcdef The quack brown\xff\x00fox")) },
			want: `script step 2: byte 0x17 differs
  want 0010  20 54 68 65 20 71 75 69 63 6b 20 62 72 6f 77 6e  | The quick brown|
  got  0010  20 54 68 65 20 71 75 61 63 6b 20 62 72 6f 77 6e  | The quack brown|
                                  ^^`,
		},
		{
			name:   "too few bytes, then the end",
			script: ParseScript(`< 88 02 03e8`),
			peer:   func(c *Conn) { c.Write(Hex("88 02")); c.Close() },
			is:     io.EOF,
			want: `script line 1: got 2 of 4 bytes, then EOF
  want 0000  88 02 03 e8                                      |....|
  got  0000  88 02                                            |..|
                   ^^`,
		},
		{
			name:   "nothing",
			script: ParseScript("\n< 8900"),
			peer:   func(c *Conn) {},
			is:     os.ErrDeadlineExceeded,
			want: `script line 2: got 0 of 2 bytes, then read pipe b->a: i/o timeout
  want 0000  89 00                                            |..|
  got  0000                                                   ||
             ^^`,
		},
		{
			name:   "bytes instead of the end",
			script: new(Script).ExpectEOF(),
			peer:   func(c *Conn) { c.Write(Hex(`81 02 "hi"`)) },
			want: `script step 1: wants EOF, got 4 bytes
  got  0000  81 02 68 69                                      |..hi|`,
		},
		{
			name:   "a reset instead of the end",
			script: new(Script).ExpectEOF(),
			peer:   func(c *Conn) { c.Reset() },
			want:   "script step 1: wants EOF: read pipe b->a: read: connection reset by peer",
		},
		{
			name:   "nobody to send to",
			script: new(Script).Send([]byte("hello")),
			peer:   func(c *Conn) { c.Close() },
			want:   "script step 1: sent 0 of 5 bytes: write pipe b->a: write: broken pipe",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := Pipe()
				tt.peer(a)
				err := tt.script.Run(b)
				if d := cmp.Diff(tt.want, fmt.Sprint(err)); d != "" {
					t.Errorf("error (-want +got):\n%s", d)
				}
				if tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("the error is not a %v", tt.is)
				}
			})
		})
	}
}

func TestScript_BoundsEachStep(t *testing.T) {
	tests := []struct {
		name          string
		timeout, want time.Duration
	}{
		{name: "by default", want: 5 * time.Second},
		{name: "as chosen", timeout: time.Hour, want: time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, b := Pipe()
				start := time.Now()
				s := &Script{Timeout: tt.timeout}
				s.Expect([]byte("x")).Run(b)
				if got := time.Since(start); got != tt.want {
					t.Errorf("gave up after %v, want %v", got, tt.want)
				}
				if _, err := b.Write([]byte("x")); err != nil {
					t.Errorf("after the script: %v", err)
				}
			})
		})
	}
}

func TestParseScript_PanicsOnAnythingElse(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{
			name: "no direction", in: "# fine\n81 00",
			want: `conntest: ParseScript: line 2: "81 00" begins with none of > < #`,
		},
		{
			name: "no hex", in: "> 81 0",
			want: `conntest: ParseScript: line 1: "0" is not pairs of hex digits`,
		},
		{
			name: "end that is sent", in: "> EOF",
			want: `conntest: ParseScript: line 1: "EOF" is not pairs of hex digits`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantPanic(t, tt.want, func() { ParseScript(tt.in) })
		})
	}
}

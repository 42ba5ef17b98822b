package conn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"
	"github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"
)

// bare is a stream with nothing but what an io.ReadWriteCloser has.
type bare struct{ io.ReadWriteCloser }

// streams are the kinds of streams that a connection can run on: with deadlines
// and without.
var streams = []struct {
	name string
	make func() (ours io.ReadWriteCloser, peers net.Conn)
}{
	{"with deadlines", func() (io.ReadWriteCloser, net.Conn) { return conntest.Pipe() }},
	{"without deadlines", func() (io.ReadWriteCloser, net.Conn) {
		a, b := net.Pipe()
		return bare{a}, b
	}},
}

// fragmented is a text message in pieces with control frames between, and all of
// the message that follows.
func fragmented(role machine.Role) (wire []byte, message string) {
	for _, f := range [][]byte{
		to(role, text, "sw\xc3"), to(role, pingFrame, "?"), to(role, continuation, "\xa4n"),
		to(role, continuation, ""), to(role, pongFrame, ""), to(role, fin|continuation, strings.Repeat("x", 130)),
	} {
		wire = append(wire, f...)
	}
	return wire, "swän" + strings.Repeat("x", 130)
}

func TestRead_GivenUpAtAnyByte_LosesNothing(t *testing.T) {
	for _, stream := range streams {
		for _, role := range roles {
			wire, want := fragmented(role)
			t.Run(fmt.Sprint(stream.name, " ", role), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					for at := range wire {
						for name, again := range reads {
							a, b := stream.make()
							go io.Copy(io.Discard, b)
							c := conn.New(a, conn.Config{Role: role})

							ctx, cancel := context.WithCancel(bg)
							gaveUp := make(chan error)
							go func() {
								_, err := c.Read(ctx)
								gaveUp <- err
							}()
							b.Write(wire[:at])
							synctest.Wait()
							cancel()
							if err := <-gaveUp; !errors.Is(err, context.Canceled) || errors.Is(err, net.ErrClosed) {
								t.Fatalf("at byte %d: %v", at, err)
							}
							go func() {
								b.Write(wire[at:])
								b.Write(to(role, fin|binaryData, "next"))
							}()
							m, err := again(bg, c)
							wantMessage(t, m, err, conn.Text, want)
							m, err = again(bg, c)
							wantMessage(t, m, err, conn.Binary, "next")
							if err := c.Err(); err != nil {
								t.Fatalf("%s at byte %d: %v", name, at, err)
							}
							c.CloseNow()
							b.Close()
						}
					}
				})
			})
		}
	}
}

func TestRead_TimedOutAtEveryByte_LosesNothing(t *testing.T) {
	for _, stream := range streams {
		for _, role := range roles {
			for name, read := range reads {
				if name == "Reader" {
					continue // its message is over when it is left
				}
				t.Run(fmt.Sprint(stream.name, " ", role, " ", name), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						a, b := stream.make()
						go io.Copy(io.Discard, b)
						c := conn.New(a, conn.Config{Role: role})
						defer b.Close()
						defer c.CloseNow()
						wire, want := fragmented(role)
						for i, p := range wire {
							ctx, cancel := context.WithTimeout(bg, time.Millisecond)
							if _, err := read(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
								t.Fatalf("before byte %d: %v", i, err)
							}
							cancel()
							mustWrite(t, b, []byte{p})
						}
						m, err := read(bg, c)
						wantMessage(t, m, err, conn.Text, want)
					})
				})
			}
		}
	}
}

func TestRead_OfALongMessage_GivenUpInTheMiddle_LosesNothing(t *testing.T) {
	long := strings.Repeat("0123456789", 2000)
	for name, again := range reads {
		for first, read := range reads {
			if first == "Reader" {
				continue
			}
			t.Run(first+" then "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, peer := against(t, machine.Server, conn.Options{})
					wire := to(machine.Server, fin|text, long)
					for _, cut := range [][2]int{{0, 5000}, {5000, 12000}} {
						mustWrite(t, peer, wire[cut[0]:cut[1]])
						ctx, cancel := context.WithTimeout(bg, time.Millisecond)
						if _, err := read(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
							t.Fatal(err)
						}
						cancel()
					}
					mustWrite(t, peer, wire[12000:])
					m, err := again(bg, c)
					wantMessage(t, m, err, conn.Text, long)
				})
			})
		}
	}
}

func TestReader_WhoseContextEnds_SaysSo_AndIsSkippedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Server
		c, peer := against(t, role, conn.Options{})
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		mustWrite(t, peer, to(role, text, "first "))
		_, r, err := c.Reader(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if string(got) != "first " || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%q, %v", got, err)
		}
		// In the skipping too a read can be given up.
		ctx, cancel = context.WithTimeout(bg, time.Second)
		defer cancel()
		if _, err := c.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		mustWrite(t, peer, to(role, fin|continuation, "last"))
		mustWrite(t, peer, to(role, fin|text, "next"))
		m, err := c.Read(bg)
		wantMessage(t, m, err, conn.Text, "next")
	})
}

func TestReader_AfterAReadThatGaveUp_HasTheWholeMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := machine.Client
		c, peer := against(t, role, conn.Options{})
		for range 3 {
			mustWrite(t, peer, to(role, text, "the head, "))
			ctx, cancel := context.WithTimeout(bg, time.Second)
			if _, err := c.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			cancel()
			mustWrite(t, peer, to(role, continuation, "a piece, "))
			_, r, err := c.Reader(bg)
			if err != nil {
				t.Fatal(err)
			}
			mustWrite(t, peer, to(role, fin|continuation, "the tail"))
			if got, err := io.ReadAll(r); string(got) != "the head, a piece, the tail" || err != nil {
				t.Fatalf("%q, %v", got, err)
			}
		}
	})
}

func TestRead_WithAnEndedContext_GivesUpAtOnce_ButTakesWhatIsThere(t *testing.T) {
	for _, stream := range streams {
		t.Run(stream.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := stream.make()
				c := conn.New(a, conn.Config{Role: machine.Client})
				defer b.Close()
				defer c.CloseNow()
				ended, cancel := context.WithCancel(bg)
				cancel()
				if _, err := c.Read(ended); !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				go b.Write(append(to(machine.Client, fin|text, "one"), to(machine.Client, fin|text, "two")...))
				m, err := c.Read(bg)
				wantMessage(t, m, err, conn.Text, "one")
				m, err = c.Read(ended)
				wantMessage(t, m, err, conn.Text, "two")
				if _, err := c.Read(ended); !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestRead_ContextsMayChange_AndEndWhileNobodyReads(t *testing.T) {
	type named struct{}
	for _, stream := range streams {
		t.Run(stream.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := stream.make()
				c := conn.New(a, conn.Config{Role: machine.Client})
				defer b.Close()
				defer c.CloseNow()
				ctxs := map[string]context.Context{"background": bg}
				end := map[string]context.CancelFunc{}
				for _, name := range []string{"a", "b", "same", "c", "d"} {
					ctxs[name], end[name] = context.WithCancel(context.WithValue(bg, named{}, name))
				}
				for i, name := range []string{"a", "background", "b", "same", "same", "c", "same", "background", "background", "d", "same"} {
					go b.Write(to(machine.Client, fin|text, fmt.Sprint(i)))
					m, err := c.Read(ctxs[name])
					wantMessage(t, m, err, conn.Text, fmt.Sprint(i))
					if name != "same" && name != "background" {
						end[name]() // nobody reads
						synctest.Wait()
					}
				}
				end["same"]()
				synctest.Wait()
				same := ctxs["same"]
				if _, err := c.Read(same); !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				go b.Write(to(machine.Client, fin|text, "end"))
				m, err := c.Read(bg)
				wantMessage(t, m, err, conn.Text, "end")
			})
		})
	}
}

func TestRead_ContextThatEndsWithTheMessage_LosesNothing(t *testing.T) {
	const messages = 2000
	s, c := pair(t, conn.Options{})
	go func() {
		for i := range messages {
			s.WriteText(bg, fmt.Sprint(i))
		}
	}()
	for i := 0; i < messages; {
		ctx, cancel := context.WithCancel(bg)
		go cancel() // a race, on purpose
		m, err := c.Read(ctx)
		switch {
		case err == nil:
			wantMessage(t, m, err, conn.Text, fmt.Sprint(i))
			i++
		case !errors.Is(err, context.Canceled):
			t.Fatal(err)
		}
	}
}

func TestClose_AfterAGivenUpRead_IsInOrder(t *testing.T) {
	for _, stream := range streams {
		t.Run(stream.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := stream.make()
				s := conn.New(a, conn.Config{Role: machine.Server})
				c := conn.New(b, conn.Config{Role: machine.Client})
				defer c.CloseNow()
				go drain(c)
				ctx, cancel := context.WithTimeout(bg, time.Second)
				defer cancel()
				if _, err := s.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				}
				if err := s.Close(frame.CloseNormal, ""); err != nil {
					t.Error(err)
				}
				<-c.Done()
			})
		})
	}
}

package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/client"
)

// clock writes down when streams are dialed, counted from its start.
type clock struct {
	mu    sync.Mutex
	start time.Time
	at    []time.Duration
}

// time makes o tell the clock of every dial. It goes on with down's error as long
// as that returns one.
func (k *clock) time(o *client.Options, down func(dials int) error) {
	k.start = time.Now()
	inner := o.DialContext
	o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		k.mu.Lock()
		k.at = append(k.at, time.Since(k.start))
		n := len(k.at)
		k.mu.Unlock()
		if err := down(n); err != nil {
			return nil, err
		}
		return inner(ctx, network, addr)
	}
}

func (k *clock) waits() (waits []time.Duration) {
	for i := range k.at[1:] {
		waits = append(waits, k.at[i+1]-k.at[i])
	}
	return waits
}

func always(err error) func(int) error { return func(int) error { return err } }

func never(int) error { return nil }

func TestClient_WithRetry_ReachesAServerThatComesUpLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := reach(t, answer(accepted))
		o.Retry = &client.Retry{MaxCount: 10, Jitter: -1}
		var k clock
		k.time(o, func(int) error {
			if time.Since(k.start) < 2*time.Second {
				return syscall.ECONNREFUSED
			}
			return nil
		})
		dial(t, "ws://example.test/", o)
		if took := time.Since(k.start); took != 3*time.Second {
			t.Errorf("it took %v, dials at %v", took, k.at)
		}
	})
}

func TestClient_WithoutRetry_TriesOnce(t *testing.T) {
	o, n := reachEach(t, func(string) server { return refusing("HTTP/1.1 503 Later\r\n\r\n") })
	dialFails(t, "ws://example.test/", o)
	if n.addresses() != "example.test:80" {
		t.Errorf("dialed %q", n.addresses())
	}
}

func TestClient_WithRetry_GivesUpAfterMaxCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := reach(t, nil)
		var told []string
		o.Retry = &client.Retry{MaxCount: 3, Jitter: -1, OnRetry: func(err error, attempt int, wait time.Duration) {
			if !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("told of %v", err)
			}
			told = append(told, fmt.Sprint(attempt, " in ", wait))
		}}
		var k clock
		k.time(o, always(syscall.ECONNREFUSED))
		_, err := dialFails(t, "ws://example.test/", o)
		if want := `websocket: dial "ws://example.test/": connection refused: given up after 3 retries`; err.Error() != want || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v, want %s", err, want)
		}
		if want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second}; !slices.Equal(k.at, want) {
			t.Errorf("dials at %v, want %v", k.at, want)
		}
		if want := []string{"1 in 1s", "2 in 2s", "3 in 4s"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

// waitsOf returns the waits between n+1 attempts by r.
func waitsOf(t *testing.T, r client.Retry, n int) (waits []time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := reach(t, nil)
		o.Retry = &r
		r.MaxCount = n
		var k clock
		k.time(o, always(syscall.ECONNREFUSED))
		dialFails(t, "ws://example.test/", o)
		waits = k.waits()
	})
	return waits
}

func TestRetry_WaitsAsItSays(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	for _, tt := range []struct {
		name  string
		retry client.Retry
		want  []time.Duration
	}{
		{"zero", client.Retry{}, []time.Duration{1 * s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s}},
		{"factor of 1", client.Retry{Factor: 1}, []time.Duration{s, s, s, s}},
		{"factor of 1.5", client.Retry{Factor: 1.5}, []time.Duration{s, 1500 * ms, 2250 * ms, 3375 * ms}},
		{"factor of 10", client.Retry{Factor: 10}, []time.Duration{1 * s, 10 * s, 30 * s, 30 * s}},
		{"factor below 1", client.Retry{Factor: 0.5}, []time.Duration{s, s, s}},
		{"negative factor", client.Retry{Factor: -2}, []time.Duration{s, s, s}},
		{"fractions of a second", client.Retry{Interval: 250 * ms}, []time.Duration{250 * ms, 500 * ms, s}},
		{"cap", client.Retry{MaxInterval: 2500 * ms}, []time.Duration{1 * s, 2 * s, 2500 * ms, 2500 * ms}},
		{"cap below the interval", client.Retry{Interval: 10 * s, MaxInterval: s}, []time.Duration{s, s, s}},
		{"negative times", client.Retry{Interval: -s, MaxInterval: -s}, []time.Duration{1 * s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s}},
		{"more than can be counted", client.Retry{Factor: 1e300}, []time.Duration{1 * s, 30 * s, 30 * s, 30 * s}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.retry.Jitter = -1
			if got := waitsOf(t, tt.retry, len(tt.want)); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRetry_JitterStaysWithinItsBounds(t *testing.T) {
	for _, tt := range []struct {
		jitter, least float64
	}{
		{0, 0.5}, {0.1, 0.9}, {1, 0}, {7, 0},
	} {
		t.Run(fmt.Sprint(tt.jitter), func(t *testing.T) {
			const longest = 10 * time.Second
			r := client.Retry{Interval: longest, Factor: 1, Jitter: tt.jitter}
			least := time.Duration(tt.least * float64(longest))
			var low, high int
			for _, wait := range waitsOf(t, r, 200) {
				if wait < least || wait > longest {
					t.Errorf("waited %v, want %v to %v", wait, least, longest)
				}
				if wait < (least+longest)/2 {
					low++
				} else {
					high++
				}
			}
			if low < 50 || high < 50 { // by chance once in 10 to the 12th
				t.Errorf("%d waits are short, %d long", low, high)
			}
		})
	}
}

func TestClient_WithRetry_AndABadURL_DoesNotDial(t *testing.T) {
	o, n := reachEach(t, nil)
	o.Retry = &client.Retry{}
	o.Auth = func(context.Context) (string, error) { t.Error("asked for credentials"); return "", nil }
	dialFails(t, "http://example.test/", o)
	if n.addresses() != "" {
		t.Errorf("dialed %q", n.addresses())
	}
}

// A token that has expired is worth another attempt, if the application says so.
func TestClient_WithRetry_AsksWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var got []string
		o := reach(t, func(nc net.Conn) {
			r, err := readRequest(nc)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			got = append(got, r.Header.Get("Authorization"))
			mu.Unlock()
			if r.Header.Get("Authorization") != "Bearer 3" {
				io.WriteString(nc, "HTTP/1.1 401 Unauthorized\r\n\r\n")
				return
			}
			respond(nc, r, accepted)
			untilClosed(nc)
		})
		token := 0
		o.Auth = client.BearerFrom(func(context.Context) (string, error) { token++; return fmt.Sprint(token), nil })
		o.Retry = &client.Retry{When: func(err error) bool {
			refusal, ok := errors.AsType[*client.HandshakeError](err)
			return ok && refusal.Status == 401 || client.Retryable(err)
		}}
		dial(t, "ws://example.test/", o)
		if want := []string{"Bearer 1", "Bearer 2", "Bearer 3"}; !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
	})
}

func TestClient_WithRetry_HonoursRetryAfter(t *testing.T) {
	const s = time.Second
	date := func(after time.Duration) string { return time.Now().Add(after).UTC().Format(http.TimeFormat) }
	for _, tt := range []struct {
		name        string
		value       func() string
		jitter      float64
		least, most time.Duration
	}{
		{"seconds", func() string { return "7" }, -1, 7 * s, 7 * s},
		{"seconds and jitter", func() string { return "7" }, 1, 7 * s, 9 * s},
		{"less than the wait", func() string { return "1" }, -1, 2 * s, 2 * s},
		{"nothing to wait for", func() string { return "0" }, -1, 2 * s, 2 * s},
		{"date", func() string { return date(20 * s) }, -1, 20 * s, 20 * s},
		{"date in the past", func() string { return date(-20 * s) }, -1, 2 * s, 2 * s},
		{"far off", func() string { return "999999999" }, -1, time.Hour, time.Hour},
		{"date far off", func() string { return date(1e6 * s) }, -1, time.Hour, time.Hour},
		{"garbage", func() string { return "soon" }, -1, 2 * s, 2 * s},
		{"negative", func() string { return "-7" }, -1, 2 * s, 2 * s},
		{"too many digits", func() string { return strings.Repeat("9", 30) }, -1, 2 * s, 2 * s},
		{"nothing", func() string { return "" }, -1, 2 * s, 2 * s},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := reach(t, refusing("HTTP/1.1 503 Later\r\nRetry-After: "+tt.value()+"\r\n\r\n"))
				o.Retry = &client.Retry{Interval: 2 * s, MaxCount: 1, Jitter: tt.jitter}
				var k clock
				k.time(o, never)
				dialFails(t, "ws://example.test/", o)
				if wait := k.waits()[0]; wait < tt.least || wait > tt.most {
					t.Errorf("waited %v, want %v to %v", wait, tt.least, tt.most)
				}
				if tt.jitter > 0 && k.waits()[0] == tt.least { // by chance once in 10 to the 9th
					t.Error("nothing is left to chance")
				}
			})
		})
	}
}

func TestClient_WithRetry_EndsWithItsContext(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(context.Context) (context.Context, context.CancelFunc)
		want error
	}{
		{"deadline", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 100*time.Second)
		}, context.DeadlineExceeded},
		{"canceled", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(100*time.Second, cancel)
			return ctx, cancel
		}, context.Canceled},
	} {
		t.Run(tt.name+" while it waits", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := reach(t, nil)
				o.Retry = &client.Retry{}
				var k clock
				k.time(o, always(syscall.ECONNREFUSED))
				ctx, cancel := tt.end(t.Context())
				defer cancel()
				_, _, err := client.Dial(ctx, "ws://example.test/", o)
				if !errors.Is(err, tt.want) || !errors.Is(err, syscall.ECONNREFUSED) || time.Since(k.start) != 100*time.Second {
					t.Errorf("after %v: %v", time.Since(k.start), err)
				}
			})
		})
		t.Run(tt.name+" while it dials", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				o := reach(t, silent)
				o.Retry, o.HandshakeTimeout = &client.Retry{}, -1
				ctx, cancel := tt.end(t.Context())
				defer cancel()
				_, _, err := client.Dial(ctx, "ws://example.test/", o)
				if !errors.Is(err, tt.want) || time.Since(start) != 100*time.Second {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
			})
		})
	}
}

// silent is a server that reads and says nothing.
func silent(nc net.Conn) { io.Copy(io.Discard, nc) }

// HandshakeTimeout is for each attempt: one that stalls does not take the time of
// those that follow.
func TestClient_WithRetry_TimesEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k clock
		o := reach(t, func(nc net.Conn) {
			if len(k.at) < 3 {
				silent(nc)
				return
			}
			answer(accepted)(nc)
		})
		o.Retry = &client.Retry{Jitter: -1}
		k.time(o, never)
		dial(t, "ws://example.test/", o)
		const d = client.DefaultHandshakeTimeout
		if want := []time.Duration{0, d + time.Second, 2*d + 3*time.Second}; !slices.Equal(k.at, want) {
			t.Errorf("dials at %v, want %v", k.at, want)
		}
	})
}

// refusedAddress returns an address at which nobody listens.
func refusedAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestClient_WithRetry_OverTCP_GivesUpAfterMaxCount(t *testing.T) {
	attempts := 0
	o := &client.Options{Retry: &client.Retry{MaxCount: 3, Interval: time.Millisecond, OnRetry: func(error, int, time.Duration) { attempts++ }}}
	_, err := dialFails(t, "ws://"+refusedAddress(t)+"/", o)
	if !errors.Is(err, syscall.ECONNREFUSED) || attempts != 3 {
		t.Errorf("%d retries: %v", attempts, err)
	}
	if _, ok := errors.AsType[*net.OpError](err); !ok {
		t.Errorf("no *net.OpError in %v", err)
	}
}

func TestClient_WithRetry_KeepsTheLastResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := reach(t, refusing("HTTP/1.1 503 Later\r\nX-Name: swan\r\n\r\n"))
		o.Retry = &client.Retry{MaxCount: 1}
		resp, err := dialFails(t, "ws://example.test/", o)
		if resp == nil || resp.Header.Get("X-Name") != "swan" || asHandshakeError(t, err).Status != 503 {
			t.Errorf("got %v, %v", resp, err)
		}
	})
}

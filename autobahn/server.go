package autobahn

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A FuzzingServer tests clients. A client asks for a case by a path and echoes what
// comes until the connection ends:
//
//	/getCaseCount                            a text message: how many cases there are
//	/runCase?case=N&agent=NAME               runs the N-th, from 1
//	/runCase?casetuple=1.2.3&agent=NAME      runs that one
//	/getCaseInfo?case=N                      a text message: {"id", "description"}
//	/getCaseStatus?case=N&agent=NAME         a text message: {"behavior"}, once there is a result
//	/updateReports?agent=NAME                calls Reports; &shutdownOnComplete=true stops, too
//	/stopServer                              stops
type FuzzingServer struct {
	Options
	Reports func([]Result) error                    // called by /updateReports with the results of all agents; nil: none
	Exclude func(agent string) func(id string) bool // which cases an agent is not tested with; nil: none

	mu       sync.Mutex
	begun    bool
	ctx      context.Context // ends with the server
	stop     context.CancelFunc
	cases    []Case
	port     string
	report   reporter
	results  map[string]map[string]Result // of agents, by id
	running  map[string]int               // cases of agents that have no result yet
	news     chan struct{}                // closed and made anew when a result comes
	handlers sync.WaitGroup
}

// init fills in what the zero value leaves open.
func (f *FuzzingServer) init() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.begun {
		return
	}
	f.begun = true
	f.ctx, f.stop = context.WithCancel(context.Background())
	f.cases = f.casesFor(ForClient)
	f.report.o = &f.Options
	f.results = make(map[string]map[string]Result)
	f.running = make(map[string]int)
	f.news = make(chan struct{})
}

// Serve accepts clients on l until Close or /stopServer, and then returns nil. It
// closes l. For wss, let l be one of crypto/tls. There is one Serve in a server's
// life.
func (f *FuzzingServer) Serve(l net.Listener) error {
	f.init()
	if len(f.cases) == 0 {
		l.Close()
		return errors.New("there is no case to run: none of those chosen is for clients")
	}
	_, f.port, _ = net.SplitHostPort(l.Addr().String())
	defer context.AfterFunc(f.ctx, func() { l.Close() })()
	defer f.handlers.Wait()
	for {
		conn, err := l.Accept()
		if f.ctx.Err() != nil {
			if err == nil {
				conn.Close()
			}
			return nil
		}
		if err != nil {
			f.stop()
			return fmt.Errorf("no more clients can be accepted: %w", err)
		}
		f.handlers.Go(func() { f.handle(conn) })
	}
}

// Close ends Serve and all connections.
func (f *FuzzingServer) Close() error {
	f.init()
	f.stop()
	f.handlers.Wait()
	return nil
}

// Results returns the results of one agent in numeric order.
func (f *FuzzingServer) Results(agent string) []Result {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.SortedFunc(maps.Values(f.results[agent]), func(a, b Result) int { return compareIDs(a.ID, b.ID) })
}

// allResults returns the results of all agents.
func (f *FuzzingServer) allResults() (all []Result) {
	f.mu.Lock()
	agents := slices.Sorted(maps.Keys(f.results))
	f.mu.Unlock()
	for _, a := range agents {
		all = append(all, f.Results(a)...)
	}
	return all
}

// begin says that a case of an agent's runs. What it returns is called at its end, with
// the result if there is one.
func (f *FuzzingServer) begin(agent string) (end func(*Result)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running[agent]++
	return func(r *Result) {
		f.mu.Lock()
		f.running[agent]--
		if r != nil && f.results[agent] == nil {
			f.results[agent] = make(map[string]Result)
		}
		if r != nil {
			f.results[agent][r.ID] = *r
		}
		close(f.news)
		f.news = make(chan struct{})
		f.mu.Unlock()
		if r != nil {
			f.report.finish(*r)
		}
	}
}

// await waits for a result until ctx or the server ends.
func (f *FuzzingServer) await(ctx context.Context, agent, id string) (r Result, ok bool) {
	f.until(ctx, func() bool {
		r, ok = f.results[agent][id]
		return ok
	})
	return r, ok
}

// settle waits until none of an agent's cases runs: a client sees the end of a
// connection before its case has a result.
func (f *FuzzingServer) settle(agent string) {
	f.until(f.ctx, func() bool { return f.running[agent] == 0 })
}

// until waits for what a result may change, until ctx or the server ends.
func (f *FuzzingServer) until(ctx context.Context, done func() bool) {
	for {
		f.mu.Lock()
		over, news := done(), f.news
		f.mu.Unlock()
		if over {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			return
		case <-f.ctx.Done():
			return
		}
	}
}

// handle is the life of a connection.
func (f *FuzzingServer) handle(conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(f.ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })()
	if f.Wrap != nil {
		conn = f.Wrap(conn)
	}
	conn.SetReadDeadline(time.Now().Add(openTimeout))
	request, rest, err := readHead(conn)
	if f.ctx.Err() != nil {
		return
	}
	if err != nil {
		refuse(conn, 400, err.Error())
		return
	}
	conn.SetReadDeadline(time.Time{})
	f.serve(conn, request, rest)
}

// readHead reads a request, and returns what came with it.
func readHead(conn net.Conn) (request head, rest []byte, err error) {
	var b []byte
	for {
		b = slices.Grow(b, 4096)
		n, err := conn.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if end := headEnd(b); end > 0 {
			request, err = parseHead(b[:end])
			return request, b[end:], err
		}
		switch {
		case err != nil:
			return request, nil, fmt.Errorf("the request is not complete: %w", err)
		case len(b) > maxHead:
			return request, nil, fmt.Errorf("the request has more than %d octets", maxHead)
		}
	}
}

// refuse answers with a status and a sentence.
func refuse(conn net.Conn, status int, why string) {
	why = strings.ToUpper(why[:1]) + why[1:] + ".\n"
	conn.SetWriteDeadline(time.Now().Add(flushTime))
	fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, map[int]string{400: "Bad Request", 404: "Not Found", 500: "Internal Server Error"}[status], len(why), why)
}

// converse runs a case that only says something, or nothing, and closes.
func (f *FuzzingServer) converse(conn net.Conn, request head, rest []byte, message string) {
	c := Case{ID: "0", timer: timer{kill: true, time: openTimeout}, end: ending{byUs: true, anyCode: true}}
	if message != "" {
		c.steps = append(c.steps, sendFrame{opcode: opcodes["text"], times: 1, payload: text(message)})
	}
	c.steps = append(c.steps, sendFrame{opcode: opcodes["close"], times: 1, closing: true})
	f.run(conn, &c, request, rest)
}

// run runs a case on a connection.
func (f *FuzzingServer) run(conn net.Conn, c *Case, request head, rest []byte) *run {
	r := newRun(c, &f.Options, conn, true)
	r.request = request
	err := checkRequest(request, f.Host, f.port)
	if err == nil {
		var ours []byte
		if ours, r.agreed, err = f.response(c, request); err == nil {
			r.begin(f.ctx, ours, rest)
			return r
		}
	}
	refuse(conn, 400, err.Error())
	r.trace.opening = openingOutcome{kind: openingBroken, fault: err.Error()}
	r.trace.notClean = err.Error()
	return r
}

// number returns the case's number in the list, from 1.
func (f *FuzzingServer) number(id string) int {
	return 1 + slices.IndexFunc(f.cases, func(c Case) bool { return c.ID == id })
}

// pick returns the case that a request names by its number or its id.
func (f *FuzzingServer) pick(number, id string) (*Case, error) {
	n, err := strconv.Atoi(number)
	switch {
	case id != "" && f.number(id) == 0:
		return nil, fmt.Errorf("there is no case %q here: write an id like 6.4.1", short(id))
	case id != "":
		n = f.number(id)
	case err != nil || n < 1 || n > len(f.cases):
		return nil, fmt.Errorf("there is no case number %q: write case=N, from 1 to %d, or casetuple=6.4.1", short(number), len(f.cases))
	}
	return &f.cases[n-1], nil
}

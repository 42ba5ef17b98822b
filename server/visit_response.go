package server

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A responseWriter is the http.ResponseWriter of a visit's request. Most handlers take
// the connection. The response of one that does not is the last on it.
type responseWriter struct {
	v      *visit
	taken  bool
	header http.Header // as the handler sets it
	status int         // 0: not yet known

	final http.Header // as it is sent
	body  []byte      // waits for its end, or for more of it than is worth waiting
	sent  bool        // the header has been
	room  int64       // for the rest of the body that the Content-Length announces; -1: it announces none
	err   error       // of the stream

	written bool // something has been, were it hints
	timed   bool // somebody has set a deadline
}

// largestWait is how much of a body waits for its end, which tells its length.
const largestWait = 4 << 10

// Header returns the fields of the response; it is too late for them after WriteHeader.
func (w *responseWriter) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header)
	}
	return w.header
}

// WriteHeader says what the response is. Those of 1xx come before it, at once.
func (w *responseWriter) WriteHeader(status int) {
	switch {
	case status < 100 || status > 999:
		panic(fmt.Sprintf("websocket: WriteHeader(%d): want a status from 100 to 999", status))
	case w.taken || w.status != 0:
		w.v.f.s.http.ErrorLog.Printf("http: superfluous WriteHeader(%d), the response has begun", status)
		return
	case status < 200 && status != http.StatusSwitchingProtocols:
		w.write(headOf(status, w.header))
		return
	}
	w.status, w.room = status, -1
	h := w.Header().Clone()
	h.Del("Transfer-Encoding") // the end of the stream is that of the body
	h.Del("Trailer")
	if h.Get("Date") == "" {
		h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	if !slices.Contains(h["Connection"], "close") {
		h["Connection"] = append([]string{"close"}, h["Connection"]...)
	}
	if n, err := strconv.ParseUint(h.Get("Content-Length"), 10, 63); err == nil && w.hasBody() {
		w.room = int64(n)
	} else {
		h.Del("Content-Length")
	}
	w.final = h
}

// hasBody: RFC 9110 §6.4.1.
func (w *responseWriter) hasBody() bool {
	return w.status >= 200 && w.status != http.StatusNoContent && w.status != http.StatusNotModified
}

// Write adds to the body.
func (w *responseWriter) Write(p []byte) (int, error) {
	if w.taken {
		return 0, http.ErrHijacked
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case len(p) == 0:
		return 0, w.err
	case !w.hasBody():
		return 0, http.ErrBodyNotAllowed
	case w.room >= 0 && int64(len(p)) > w.room:
		return 0, http.ErrContentLength
	case w.room >= 0:
		w.room -= int64(len(p))
	}
	w.body = append(w.body, p...)
	if len(w.body) > largestWait {
		w.send()
	}
	return len(p), w.err
}

// Flush sends what there is of the response.
func (w *responseWriter) Flush() { w.FlushError() }

// FlushError is Flush for http.ResponseController.
func (w *responseWriter) FlushError() error {
	if w.taken {
		return http.ErrHijacked
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.send()
	return w.err
}

// send sends what waits.
func (w *responseWriter) send() {
	if !w.sent {
		w.sent = true
		if _, typed := w.final["Content-Type"]; !typed && len(w.body) > 0 && w.final.Get("Content-Encoding") == "" {
			w.final.Set("Content-Type", http.DetectContentType(w.body))
		}
		w.body = append(headOf(w.status, w.final), w.body...)
	}
	w.write(w.body)
	w.body = w.body[:0]
}

func (w *responseWriter) write(p []byte) {
	if w.err == nil && len(p) > 0 {
		w.written = true
		_, w.err = w.v.nc.Write(p)
	}
}

// finish ends the response, unless the connection is somebody else's.
func (w *responseWriter) finish() {
	if w.taken {
		return
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.sent && w.room < 0 && w.hasBody() {
		w.final.Set("Content-Length", strconv.Itoa(len(w.body)))
	}
	w.send()
}

// headOf is the status line, the header and the empty line.
func headOf(status int, h http.Header) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %03d %s\r\n", status, cmp.Or(http.StatusText(status), fmt.Sprint("status code ", status)))
	h.Write(&b)
	b.WriteString("\r\n")
	return b.Bytes()
}

// take gives the connection away, once, with what has been read of it.
func (w *responseWriter) take() (nc net.Conn, ahead []byte) {
	if w.status != 0 {
		w.send()
	}
	w.taken = true
	ahead = w.v.ctx.stop()
	if w.timed {
		w.v.nc.SetDeadline(time.Time{}) // those were for the request
	}
	w.v.f.s.http.ConnState(w.v.nc, http.StateHijacked)
	if c, ok := w.v.nc.(*caller); ok {
		return c.eventSocket, ahead
	}
	return w.v.nc, ahead
}

// Hijack is take for those who know net/http alone.
func (w *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.taken {
		return nil, nil, http.ErrHijacked
	}
	nc, ahead := w.take()
	r := bufio.NewReader(nc)
	if len(ahead) > 0 {
		r = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(ahead), nc), max(headSize, len(ahead)))
		r.Peek(len(ahead)) // so that it counts as buffered
	}
	return nc, bufio.NewReadWriter(r, bufio.NewWriter(nc)), nil
}

// SetReadDeadline is for http.ResponseController.
func (w *responseWriter) SetReadDeadline(t time.Time) error {
	w.timed = true
	return w.v.nc.SetReadDeadline(t)
}

// SetWriteDeadline is for http.ResponseController.
func (w *responseWriter) SetWriteDeadline(t time.Time) error {
	w.timed = true
	return w.v.nc.SetWriteDeadline(t)
}

// EnableFullDuplex is for http.ResponseController: there is no body to read.
func (w *responseWriter) EnableFullDuplex() error { return nil }

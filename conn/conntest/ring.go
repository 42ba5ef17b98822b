package conntest

// ring is a queue of bytes that grows as it fills, up to max.
type ring struct {
	buf     []byte
	head, n int // the n bytes queued start at buf[head] and wrap around
	max     int
}

// put queues as much of p as there is room for and returns how much that was.
func (r *ring) put(p []byte) int {
	p = p[:min(len(p), r.max-r.n)]
	if len(p) == 0 {
		return 0
	}
	r.reserve(r.n + len(p))
	tail := r.head + r.n
	if tail >= len(r.buf) {
		tail -= len(r.buf)
	}
	first := copy(r.buf[tail:], p)
	copy(r.buf, p[first:])
	r.n += len(p)
	return len(p)
}

// take moves queued bytes into p and returns how many.
func (r *ring) take(p []byte) int {
	n := r.peek(p)
	r.n -= n
	r.head += n
	if r.head >= len(r.buf) {
		r.head -= len(r.buf)
	}
	if r.n == 0 {
		r.head = 0 // the next put and take need one copy instead of two
	}
	return n
}

func (r *ring) peek(p []byte) int {
	end := min(r.head+r.n, len(r.buf))
	first := copy(p, r.buf[r.head:end])
	second := copy(p[first:], r.buf[:r.n-(end-r.head)])
	return first + second
}

func (r *ring) reserve(size int) {
	if size <= len(r.buf) {
		return
	}
	grown := make([]byte, min(max(size, 2*len(r.buf), 512), r.max))
	r.peek(grown)
	r.buf, r.head = grown, 0
}

func (r *ring) drop() { r.buf, r.head, r.n = nil, 0, 0 }

package conn

import "sync"

// readBufferSize is what one read asks the stream for: enough for many small
// messages, little enough to lend to every reading connection.
const readBufferSize = 4096

// burstBufferSize is what is asked for after a read that has filled a buffer: there
// is more where that came from.
const burstBufferSize = 32 << 10

// keepBuffer is the capacity above which a write buffer is left to the garbage
// collector: one large message must not be paid for ever. A message of 64 KiB fits,
// with its header and what append rounds up to.
const keepBuffer = 96 << 10

// keepMessage is the same for the buffers in which messages are gathered that do
// not fit in a read buffer.
const keepMessage = 4 << 20

// A buffer is pooled by pointer, as slices in an interface would be allocated.
type buffer struct{ b []byte }

var (
	readBuffers  = sync.Pool{New: func() any { return &buffer{make([]byte, readBufferSize)} }}
	burstBuffers = sync.Pool{New: func() any { return &buffer{make([]byte, burstBufferSize)} }}
	writeBuffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, 1024)} }}

	// Deflated payload is read by this much.
	payloadBuffers = sync.Pool{New: func() any { return &buffer{make([]byte, 16<<10)} }}

	messageBuffers = sync.Pool{New: func() any { return new(buffer) }}
)

// getReadBuffer returns a buffer for one read.
func getReadBuffer(burst bool) *buffer {
	if burst {
		return burstBuffers.Get().(*buffer)
	}
	return readBuffers.Get().(*buffer)
}

func freeReadBuffer(b *buffer) {
	switch len(b.b) { // others are not from here
	case readBufferSize:
		readBuffers.Put(b)
	case burstBufferSize:
		burstBuffers.Put(b)
	}
}

func freeMessageBuffer(b *buffer) {
	if cap(b.b) <= keepMessage {
		messageBuffers.Put(b)
	}
}

func freeWriteBuffer(b *buffer) {
	if cap(b.b) <= keepBuffer {
		b.b = b.b[:0]
		writeBuffers.Put(b)
	}
}

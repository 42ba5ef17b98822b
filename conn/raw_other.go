//go:build !unix

package conn

// rawReader has no use where sockets cannot be polled without a buffer.
type rawReader struct{}

func newRawReader(any) *rawReader { return nil }

func (*rawReader) read(bool) (*buffer, int, error) { panic("unreachable: newRawReader returns nil") }

func (*rawReader) tryWrite([]byte) int { panic("unreachable: newRawReader returns nil") }

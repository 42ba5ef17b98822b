package servers

import (
	"bytes"
	"compress/flate"
	"io"
	"sync"

	"github.com/gobwas/ws/wsflate"
)

// A gobwasZip inflates and deflates messages, one at a time.
type gobwasZip struct {
	r        *wsflate.Reader
	w        *wsflate.Writer
	in       bytes.Reader
	message  bytes.Buffer
	deflated bytes.Buffer
}

var gobwasZips = sync.Pool{New: func() any {
	return &gobwasZip{
		r: wsflate.NewReader(nil, func(r io.Reader) wsflate.Decompressor { return flate.NewReader(r) }),
		w: wsflate.NewWriter(nil, func(w io.Writer) wsflate.Compressor {
			f, _ := flate.NewWriter(w, Level) // fails for levels only that there are not
			return f
		}),
	}
}}

// again inflates p and deflates it. What it returns is valid until the next call.
func (z *gobwasZip) again(p []byte) ([]byte, error) {
	z.in.Reset(p)
	z.r.Reset(&z.in)
	z.message.Reset()
	if _, err := z.message.ReadFrom(z.r); err != nil {
		return nil, err
	}
	z.deflated.Reset()
	z.w.Reset(&z.deflated)
	if _, err := z.w.Write(z.message.Bytes()); err != nil {
		return nil, err
	}
	err := z.w.Flush()
	return z.deflated.Bytes(), err
}

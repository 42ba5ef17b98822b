package deflate

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// zlib as Python has it: a line is a request, a
// line the answer. A number names the context that is taken over.
const zlibScript = `
import sys, zlib
tail = b"\x00\x00\xff\xff"
contexts = {}
for line in sys.stdin:
    what, context, level, bits, data = line.split(" ")
    data = bytes.fromhex(data)
    z = contexts.get(context)
    if z is None:
        if what == "inflate":
            z = zlib.decompressobj(-int(bits))
        else:
            z = zlib.compressobj(int(level), zlib.DEFLATED, -int(bits))
    if context != "0":
        contexts[context] = z
    if what == "inflate":
        out = z.decompress(data + tail)
        assert not z.eof and not z.unused_data and not z.unconsumed_tail
    else:
        out = z.compress(data) + z.flush(zlib.Z_SYNC_FLUSH)
        assert out.endswith(tail)
        out = out[:-len(tail)]
    print(out.hex(), flush=True)
`

// zlib asks for one message to be inflated or deflated; context 0 is none.
type zlib func(t *testing.T, what string, context, level, bits int, p []byte) []byte

func startZlib(t *testing.T) zlib {
	const python = "/usr/bin/python3"
	if _, err := os.Stat(python); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	cmd := exec.Command(python, "-c", zlibScript)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		io.Copy(io.Discard, stdout)
		if err := cmd.Wait(); err != nil {
			t.Errorf("python3: %v\n%s", err, complaints.String())
		}
	})
	out := bufio.NewReader(stdout)
	return func(t *testing.T, what string, context, level, bits int, p []byte) []byte {
		t.Helper()
		fmt.Fprintf(in, "%s %d %d %d %x\n", what, context, level, bits, p)
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatal("python3 has ended: ", err)
		}
		answer, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

func TestCompressor_ZlibInflatesIt(t *testing.T) {
	ask := startZlib(t)
	for i, s := range settings() {
		t.Run(s.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(9, uint64(i)))
			c, context := s.compressor(), 0
			if s.takeover {
				context = i + 1
			}
			for n := range fewer(100) {
				p := someSample(r, 20_000)
				if n == 9 {
					p = sample(r, "echoes", 200_000)
				}
				z, ok := c.Append(nil, p)
				if !ok {
					continue
				}
				if got := ask(t, "inflate", context, 0, s.bits, z); !bytes.Equal(got, p) {
					t.Fatalf("message %d: %d bytes, not %d", n, len(got), len(p))
				}
			}
		})
	}
}

// zlib has no raw compressor with a window of 8 bits.
func TestDecompressor_InflatesWhatZlibMakes(t *testing.T) {
	ask := startZlib(t)
	context := 0
	for bits := 9; bits <= 15; bits++ {
		for _, takeover := range []bool{false, true} {
			for _, level := range []int{0, 1, 6, 9} {
				t.Run(setting{level, bits, takeover}.String(), func(t *testing.T) {
					context++
					r := rand.New(rand.NewPCG(10, uint64(context)))
					d, with := NewDecompressor(bits, takeover), 0
					if takeover {
						with = context
					}
					for n := range fewer(50) {
						p := append(someSample(r, 20_000), byte(n)) // twice nothing is no answer at all
						if n == 4 {
							p = sample(r, "echoes", 200_000)
						}
						z := ask(t, "deflate", with, level, bits, p)
						got, err := d.Append(nil, z, int64(len(p)))
						if err != nil || !bytes.Equal(got, p) {
							t.Fatalf("message %d: %v, %d bytes, not %d", n, err, len(got), len(p))
						}
						if !takeover && d.window != nil {
							t.Fatal("a window without takeover")
						}
					}
				})
			}
		}
	}
}

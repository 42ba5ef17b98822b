package frame

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// goldenCase is a line of testdata/golden.txt, whose head tells the format.
type goldenCase struct {
	name    string
	wire    []byte
	header  Header
	payload []byte
	fault   string // "1002 §5.2", or empty
}

func TestGolden_Parse_GivesTheWords(t *testing.T) {
	for _, c := range readGolden(t) {
		t.Run(c.name, func(t *testing.T) {
			var h Header
			n, err := h.Parse(c.wire)
			if got := faultText(err); got != c.fault {
				t.Fatalf("% x: fault %q, want %q", c.wire, got, c.fault)
			}
			if err != nil {
				return
			}
			if want := len(c.wire) - len(c.payload); n != want {
				t.Fatalf("% x: a header of %d bytes, want %d", c.wire, n, want)
			}
			if h != c.header {
				t.Fatalf("% x:\n got %+v\nwant %+v", c.wire, h, c.header)
			}
			payload := bytes.Clone(c.wire[n:])
			Mask(payload, h.Key, 0)
			if !bytes.Equal(payload, c.payload) {
				t.Fatalf("% x: payload %q, want %q", c.wire, payload, c.payload)
			}
		})
	}
}

func TestGolden_Append_GivesTheBytes(t *testing.T) {
	for _, c := range readGolden(t) {
		if c.fault != "" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			got := c.header.Append([]byte("before"))
			got = append(got, c.payload...)
			Mask(got[len(got)-len(c.payload):], c.header.Key, 0)
			if want := append([]byte("before"), c.wire...); !bytes.Equal(got, want) {
				t.Fatalf("%+v:\n got % x\nwant % x", c.header, got, want)
			}
			if got, want := c.header.Size(), len(c.wire)-len(c.payload); got != want {
				t.Fatalf("Size is %d, want %d", got, want)
			}
		})
	}
}

func TestGolden_FewerBytes_NeedMore(t *testing.T) {
	for _, c := range readGolden(t) {
		t.Run(c.name, func(t *testing.T) {
			for size := range len(c.wire) - len(c.payload) {
				var h Header
				if n, err := h.Parse(c.wire[:size]); n != 0 || err != nil {
					t.Fatalf("% x: %d, %v, want to be told that more is needed", c.wire[:size], n, err)
				}
				if size >= 2 && (h.Fin != (c.wire[0] >= 0x80) || h.Masked != (c.wire[1] >= 0x80) ||
					h.Opcode != Opcode(c.wire[0]&15) || h.RSV != c.wire[0]&0x70) {
					t.Fatalf("% x: %+v, want the first two bytes' fields to be set", c.wire[:size], h)
				}
			}
		})
	}
}

func TestGolden_MoreBytes_ChangeNothing(t *testing.T) {
	for _, c := range readGolden(t) {
		t.Run(c.name, func(t *testing.T) {
			for _, more := range []byte{0x00, 0xff} {
				var h Header
				n, err := h.Parse(append(bytes.Clone(c.wire), bytes.Repeat([]byte{more}, 32)...))
				if got := faultText(err); got != c.fault {
					t.Fatalf("% x and %x...: fault %q, want %q", c.wire, more, got, c.fault)
				}
				if err == nil && (n != len(c.wire)-len(c.payload) || h != c.header) {
					t.Fatalf("% x and %x...:\n got %d, %+v\nwant %+v", c.wire, more, n, h, c.header)
				}
			}
		})
	}
}

// faultText is err as golden.txt writes it.
func faultText(err error) string {
	if err == nil {
		return ""
	}
	if fault, ok := errors.AsType[*ProtocolError](err); ok {
		return fmt.Sprintf("%d §%s", fault.Code, fault.Section)
	}
	return "not a ProtocolError: " + err.Error()
}

func readGolden(t *testing.T) []goldenCase {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		c, err := parseGolden(line)
		if err != nil {
			t.Fatalf("testdata/golden.txt:%d: %v", i+1, err)
		}
		cases = append(cases, c)
	}
	return cases
}

func parseGolden(line string) (c goldenCase, err error) {
	columns := strings.SplitN(line, "|", 3)
	if len(columns) != 3 {
		return c, errors.New("want three columns: name | bytes | what they are")
	}
	c.name = strings.TrimSpace(columns[0])
	c.wire, err = hex.DecodeString(strings.ReplaceAll(columns[1], " ", ""))
	if err != nil {
		return c, fmt.Errorf("bytes: %v", err)
	}
	words := strings.TrimSpace(columns[2])
	if fault, ok := strings.CutPrefix(words, "!"); ok {
		c.fault = strings.TrimSpace(fault)
		return c, nil
	}
	words, quoted, _ := strings.Cut(words, `"`)
	if quoted != "" {
		payload, err := strconv.Unquote(`"` + quoted)
		if err != nil {
			return c, fmt.Errorf("payload: %v", err)
		}
		c.payload = []byte(payload)
	}
	c.header, err = parseWords(strings.Fields(words))
	return c, err
}

func parseWords(words []string) (h Header, err error) {
	for i := 0; i < len(words); i++ {
		switch word := words[i]; word {
		case "fin":
			h.Fin = true
		case "rsv1":
			h.RSV |= 0x40
		case "rsv2":
			h.RSV |= 0x20
		case "rsv3":
			h.RSV |= 0x10
		case "continuation":
			h.Opcode = 0x0
		case "text":
			h.Opcode = 0x1
		case "binary":
			h.Opcode = 0x2
		case "close":
			h.Opcode = 0x8
		case "ping":
			h.Opcode = 0x9
		case "pong":
			h.Opcode = 0xA
		case "key":
			i++
			if i == len(words) || len(words[i]) != 8 {
				return h, errors.New("key: want eight hex digits")
			}
			h.Masked = true
			if _, err := hex.Decode(h.Key[:], []byte(words[i])); err != nil {
				return h, fmt.Errorf("key: %v", err)
			}
		default:
			if h.Length, err = strconv.ParseUint(word, 10, 64); err != nil {
				return h, fmt.Errorf("%q is neither a word of the format nor a length", word)
			}
		}
	}
	return h, nil
}

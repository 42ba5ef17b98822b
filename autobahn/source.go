package autobahn

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// sourceUnits is how long each source is: characters of html, octets of the others.
// It is a power of two like all sizes of messages, so that messages repeat.
const sourceUnits = 256 << 10

// A source is what the messages of sections 12 and 13 are cut out of: data that is
// about as hard to compress as that of the original suite, whose files are other
// people's. It is made here, and always the same.
type source struct {
	write func(w *sourceWriter)

	once    sync.Once
	twice   []byte // the data, and the data again: no message has to go round the end
	offsets []int  // of its characters in twice, if there are others than ASCII
}

// sources, with the share of 128 KiB that compression (level 6) leaves of them, and
// of the original's file.
var sources = map[string]*source{
	"json":     {write: writeJSON},     // results of cases, ASCII: 0.05; its own index: 0.04
	"picture":  {write: writePicture},  // grey pixels of hills in fog: 0.85; a photograph: 0.85
	"prose":    {write: writeProse},    // sentences about swans and people: 0.38; a drama: 0.39
	"html":     {write: writeHTML},     // a table of results, a few characters not ASCII: 0.06; its report: 0.06
	"document": {write: writeDocument}, // text between streams of noise, as in PDF: 0.76; a PDF: 0.76
}

func sourceNames() []string {
	names := make([]string, 0, len(sources))
	for n := range sources {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// cut returns n octets or characters that begin after as many as from says.
func (s *source) cut(from, n int) []byte {
	s.once.Do(s.make)
	from %= sourceUnits
	if s.offsets == nil {
		return s.twice[from : from+n]
	}
	return s.twice[s.offsets[from]:s.offsets[from+n]]
}

func (s *source) make() {
	w := sourceWriter{seed: 0x53574e}
	for w.units < sourceUnits {
		s.write(&w)
	}
	data := w.Bytes()
	if utf8.Valid(data) {
		data = []byte(string([]rune(string(data))[:sourceUnits]))
	} else {
		data = data[:sourceUnits]
	}
	s.twice = slices.Concat(data, data)
	if len(data) == sourceUnits {
		return
	}
	for i := range string(s.twice) {
		s.offsets = append(s.offsets, i)
	}
	s.offsets = append(s.offsets, len(s.twice))
}

// A sourceWriter gathers a source, and has its own dice.
type sourceWriter struct {
	bytes.Buffer
	units int
	seed  uint32
}

// dice returns 0 to n-1, always in the same order (xorshift32).
func (w *sourceWriter) dice(n int) int {
	w.seed ^= w.seed << 13
	w.seed ^= w.seed >> 17
	w.seed ^= w.seed << 5
	return int(w.seed>>3) % n
}

func (w *sourceWriter) printf(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	w.WriteString(s)
	w.units += utf8.RuneCountInString(s)
}

func (w *sourceWriter) octet(b byte) {
	w.WriteByte(b)
	w.units++
}

func writeJSON(w *sourceWriter) {
	a, b, c := 1+w.dice(13), 1+w.dice(9), 1+w.dice(18)
	w.printf("      \"%d.%d.%d\": {\n         \"behavior\": \"OK\",\n         \"behaviorClose\": \"OK\",\n         \"duration\": %d,\n"+
		"         \"remoteCloseCode\": 1000,\n         \"reportfile\": \"swan_echo_server_case_%d_%d_%d.json\"\n      },\n", a, b, c, 1+w.dice(60), a, b, c)
}

func writeHTML(w *sourceWriter) {
	a, b, c := 1+w.dice(13), 1+w.dice(9), 1+w.dice(18)
	w.printf("   <tr id=\"agent_case_result_row\">\n      <td id=\"case\"><a href=\"#case_desc_%d_%d_%d\">Case %d.%d.%d</a></td>\n", a, b, c, a, b, c)
	w.printf("      <td class=\"case_ok\"><a href=\"swan_echo_server_case_%d_%d_%d.html\">Pass</a><br/><span class=\"case_duration\">%d ms</span></td>\n   </tr>\n", a, b, c, 1+w.dice(60))
	if w.dice(40) == 0 {
		w.printf("   <!-- %c -->\n", []rune("µß€中🦢")[w.dice(5)])
	}
}

// writePicture writes one row.
func writePicture(w *sourceWriter) {
	const width = 512
	y := w.units / width
	for x := range width {
		hill := abs((x+3*y)%256-128) / 4
		w.octet(byte(60 + hill + w.dice(60) + w.dice(60)))
	}
}

func abs(n int) int { return max(n, -n) }

var (
	who   = strings.Fields("swan heron duck grebe coot otter fisherman miller reed lily moon wind frost river child farmer goose gander cygnet raven shepherd stranger bell boat willow alder mist morning evening winter summer village lantern island")
	does  = strings.Fields("crosses leaves watches follows finds forgets carries greets hears loses seeks guards wakes warms hides turns draws remembers meets passes keeps calls opens breaks mends holds waits sings drifts answers")
	how   = strings.Fields("slowly early gladly softly twice never always again alone together far near silently suddenly often once at-last in-vain by-night by-day without-a-word before-long")
	which = strings.Fields("white grey old young silent cold bright narrow deep golden frozen distant weary proud gentle wild broken hidden early late green dark pale lonely tall small empty")
	links = strings.Fields("and but while because until when though before after as for so")
)

// writeProse writes a sentence.
func writeProse(w *sourceWriter) {
	pick := func(words []string) string { return strings.ReplaceAll(words[w.dice(len(words))], "-", " ") }
	name := func() (s string) {
		for range 2 + w.dice(3) {
			s += string("bdfghjklmnprstvw"[w.dice(16)]) + string("aeiouy"[w.dice(6)]) + []string{"", "", "n", "r", "l", "s", "th", "ck", "m"}[w.dice(9)]
		}
		return strings.ToUpper(s[:1]) + s[1:]
	}
	someone := func() string {
		switch w.dice(6) {
		case 0, 1, 2, 3:
			return name()
		case 4:
			return "the " + pick(which) + " " + pick(who)
		}
		return "the " + pick(who) + " of " + name()
	}
	clause := func() string {
		s := someone() + " " + pick(does) + " " + someone()
		if w.dice(2) == 0 {
			s += " " + pick(how)
		}
		return s
	}
	s := clause()
	for w.dice(3) > 0 {
		s += ", " + pick(links) + " " + clause()
	}
	w.printf("%s%s.\n", strings.ToUpper(s[:1]), s[1:])
}

// writeDocument writes an object.
func writeDocument(w *sourceWriter) {
	n := 200 + w.dice(1500)
	w.printf("%d 0 obj\n<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 /Length %d /Filter /FlateDecode >>\nstream\n",
		w.dice(900), w.dice(640), w.dice(480), n)
	for range n {
		w.octet(byte(w.dice(256)))
	}
	w.printf("\nendstream\nendobj\n")
	for range w.dice(30) {
		w.printf("%010d 00000 n \n", w.dice(1000000))
	}
}

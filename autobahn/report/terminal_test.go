package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/autobahn"
)

// broken is a writer that takes so many writes.
type broken struct{ writes int }

func (b *broken) Write(p []byte) (int, error) {
	if b.writes--; b.writes < 0 {
		return 0, errors.New("full")
	}
	return len(p), nil
}

func TestTable_Shows_SectionsAndFailures(t *testing.T) {
	var out bytes.Buffer
	err := Table(&out, some(), func(r *autobahn.Result) string { return "ws autobahn -cases " + r.ID })
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "table.txt", out.String())
	for line := range strings.Lines(out.String()) {
		if len(line) > 81 {
			t.Errorf("wider than a terminal: %q", line)
		}
	}
}

// Other people's text must not give orders to the terminal.
func TestTable_Shows_NoControlCharacters(t *testing.T) {
	r := whole()
	r.Agent, r.Result = "\x1b[2Jpeer", "was\r\nlost"
	var out bytes.Buffer
	if err := Table(&out, []autobahn.Result{r}, nil); err != nil {
		t.Fatal(err)
	}
	parts(t, out.String(), "?[2Jpeer", "6.4.3  FAILED: was??lost\n")
	if strings.Contains(out.String(), "again") {
		t.Errorf("it says how to run it again:\n%s", out.String())
	}
}

func TestJUnit_IsXML(t *testing.T) {
	var out bytes.Buffer
	if err := JUnit(&out, append(some(), whole())); err != nil {
		t.Fatal(err)
	}
	golden(t, "junit.xml", out.String())
	if err := xml.Unmarshal(out.Bytes(), new(junitSuites)); err != nil {
		t.Error(err)
	}
}

func TestOutputs_Fail_WhenTheirWriterDoes(t *testing.T) {
	for writes := range 3 {
		if err := JUnit(&broken{writes}, some()); err == nil {
			t.Errorf("JUnit: no error after %d writes", writes)
		}
	}
	if err := Table(new(broken), some(), nil); err == nil {
		t.Error("Table: no error")
	}
}

func TestProgress_OnATerminal_WritesOverItsLine(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, true, "", 2)
	ok, failed := some()[0], some()[2]
	p.Clear()
	p.Start("1.1.1")
	p.Done(&ok)
	p.Start("6.4.10")
	p.Done(&failed)
	p.Clear()
	p.Clear()
	const all = "2 of 2 cases, 1 failed"
	want := "\r0 of 2 cases, 0 failed, now 1.1.1" + "\r1 of 2 cases, 0 failed           " +
		"\r1 of 2 cases, 0 failed, now 6.4.10" + "\r" + all + "            " +
		"\r" + strings.Repeat(" ", len(all)) + "\r"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}

func TestProgress_Elsewhere_WritesALineAtEachTenth(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, false, "a\r", 25)
	ok := some()[0]
	for range 25 {
		p.Start("1.1.1")
		p.Done(&ok)
	}
	p.Clear()
	if lines := strings.Split(out.String(), "\n"); len(lines) != 11 || lines[0] != "a?: 3 of 25 cases, 0 failed" || lines[9] != "a?: 25 of 25 cases, 0 failed" {
		t.Errorf("got:\n%s", out.String())
	}
	if strings.Contains(out.String(), "\r") {
		t.Error("a carriage return, but it is no terminal")
	}
}

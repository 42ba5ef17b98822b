package report

import (
	"encoding/xml"
	"fmt"
	"io"

	"github.com/swan-ws/websocket/autobahn"
)

type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitCounts
		Timestamp string      `xml:"timestamp,attr,omitempty"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCounts struct {
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Seconds  string `xml:"time,attr"`
		millis   int64
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Seconds string        `xml:"time,attr"`
		Failure *junitMessage `xml:"failure"`
		Skipped *junitMessage `xml:"skipped"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes results as JUnit XML: a suite for each agent, a test for each case.
// What the peer does not implement counts as skipped.
func JUnit(w io.Writer, results []autobahn.Result) error {
	var all junitSuites
	var suite *junitSuite
	for _, r := range sorted(results) {
		if suite == nil || suite.Name != r.Agent {
			all.Suites = append(all.Suites, junitSuite{Name: r.Agent, Timestamp: r.Started})
			suite = &all.Suites[len(all.Suites)-1]
		}
		suite.Timestamp = min(suite.Timestamp, r.Started)
		suite.add(&r)
		all.count(&r)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(r *autobahn.Result) {
	c := junitCase{Class: r.Agent + "." + sectionOf(r.ID), Name: r.ID + " " + r.Description, Seconds: seconds(r.Duration)}
	switch message := (&junitMessage{Message: Reason(r)}); Verdict(r) {
	case autobahn.Failed:
		message.Type = verdictText(r)
		message.Text = fmt.Sprintf("wanted: %s\n%s", r.Expectation, r.Source)
		c.Failure = message
	case autobahn.Unimplemented:
		c.Skipped = message
	}
	s.Cases = append(s.Cases, c)
	s.count(r)
}

func (n *junitCounts) count(r *autobahn.Result) {
	n.Tests++
	switch Verdict(r) {
	case autobahn.Failed:
		n.Failures++
	case autobahn.Unimplemented:
		n.Skipped++
	}
	n.millis += r.Duration
	n.Seconds = seconds(n.millis)
}

func seconds(millis int64) string { return fmt.Sprintf("%.3f", float64(millis)/1000) }

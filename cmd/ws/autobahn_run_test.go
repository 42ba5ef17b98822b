package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/autobahn/testee"
)

func TestFuzzingClient_Writes_EveryReport(t *testing.T) {
	url, dir := startTestee(t), t.TempDir()
	code, out, errs := suite(t, "fuzzingclient -url %s -cases 1.1.*,2.2 -exclude 1.1.8 -agent me -outdir %s/report -junit %s/junit.xml", url, dir, dir)
	if code != exitOK {
		t.Errorf("exit code %d; stderr:\n%s", code, errs)
	}
	wantParts(t, out, "\nme ", "\n  1  Framing                 7\n", "\n  2 ", "\nall                          8\n", "report: "+filepath.Join(dir, "report", "index.html"))
	wantParts(t, errs, "8 of 8 cases, 0 failed\n")
	for _, name := range []string{"report/index.html", "report/index.json", "report/me_case_1_1_1.json", "report/me_case_2_2.json", "junit.xml"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "junit.xml"))
	var tests struct {
		Tests int `xml:"tests,attr"`
	}
	if err != nil || xml.Unmarshal(text, &tests) != nil || tests.Tests != 8 {
		t.Errorf("junit.xml: %v, %v", tests, err)
	}
}

func TestFuzzingClient_Prints_JSON(t *testing.T) {
	code, out, errs := suite(t, "fuzzingclient -url %s -cases 1.1.1,2.2 -json -messages 1 -largest 1000 -parallel 1 -o https://a.example -s a -H X:y", startTestee(t))
	if code != exitOK {
		t.Errorf("exit code %d; stderr:\n%s", code, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 {
		t.Fatalf("stdout:\n%s", out)
	}
	for i, id := range []string{"1.1.1", "2.2"} {
		var r struct{ ID, Behavior, HTTPRequest string }
		if err := json.Unmarshal([]byte(lines[i]), &r); err != nil || r.ID != id || r.Behavior != "OK" {
			t.Errorf("line %d: %v, %v", i+1, r, err)
		}
		wantParts(t, r.HTTPRequest, "X: y\r\n", "Origin: https://a.example\r\n", "Sec-WebSocket-Protocol: a\r\n")
	}
	wantParts(t, errs, "\nall                          2\n")
}

func TestFuzzingClient_Runs_YourOwnCases(t *testing.T) {
	file := fileWith(t, "own.cases", `case 99.1
  does   Sends a text message.
  wants  It comes back.
  > text "quack"
  kill after 5s
  < text "quack"
  end us 1000 clean
`)
	code, out, errs := suite(t, "fuzzingclient -url %s -add %s -cases 99.*", startTestee(t), file)
	if code != exitOK {
		t.Errorf("exit code %d; stderr:\n%s", code, errs)
	}
	wantParts(t, out, "\n 99                          1\n")
}

func TestFuzzingClient_Says_WhatFailed(t *testing.T) {
	url := silent(t)
	code, out, errs := suite(t, "fuzzingclient -url %s -cases 1.1.1,3.1 -o https://a.example", url)
	if code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	wantParts(t, out, "\n1.1.1  FAILED: ", "\n  again: ws autobahn fuzzingclient -url "+url+" -cases 1.1.1 -o https://a.example\n")
	if strings.Contains(out, "\n3.1") {
		t.Errorf("3.1 failed too:\n%s", out)
	}
	wantParts(t, errs, "try: -outdir DIR")
}

func TestFuzzingClient_Says_ThatThereIsNoServer(t *testing.T) {
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	go func() {
		for {
			c, err := plain.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "220 mail.example ESMTP\r\n")
			c.Close()
		}
	}()
	tests := []struct{ name, url, want string }{
		{"nobody", "ws://" + nobody(t), "connection refused"},
		{"not HTTP", "ws://" + plain.Addr().String(), "HTTP"},
		{"no TLS", "wss://" + strings.TrimPrefix(startTestee(t), "ws://"), "ws://"},
		{"not a URL", "localhost:8080", "ws://"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "report")
			code, out, errs := suite(t, "fuzzingclient -url %s -cases 1.1.1 -insecure -outdir %s", tt.url, dir)
			if code != exitCannot || out != "" {
				t.Errorf("exit code %d, stdout:\n%s", code, out)
			}
			wantParts(t, errs, "ws: autobahn fuzzingclient: ", tt.want)
			if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
				t.Errorf("a report of nothing: %v, %v", files, err)
			}
		})
	}
}

func TestFuzzingClient_Checks_Certificates(t *testing.T) {
	ts := httptest.NewUnstartedServer(testee.Handler())
	ts.Config.ErrorLog = log.New(io.Discard, "", 0)
	ts.StartTLS()
	defer ts.Close()
	url := "wss" + strings.TrimPrefix(ts.URL, "https")
	if code, _, errs := suite(t, "fuzzingclient -url %s -cases 1.1.1", url); code != exitCannot || !strings.Contains(errs, "try: -insecure") {
		t.Errorf("exit code %d; stderr:\n%s", code, errs)
	}
	if code, _, errs := suite(t, "fuzzingclient -url %s -cases 1.1.1 -insecure", url); code != exitOK || !strings.Contains(errs, "WARNING: -insecure") {
		t.Errorf("with -insecure: exit code %d; stderr:\n%s", code, errs)
	}
}

func TestFuzzingClient_Reads_Specs(t *testing.T) {
	dir := t.TempDir()
	spec := fileWith(t, "spec.json", fmt.Sprintf(`{
		"outdir": %q, "cases": ["1.1.1", "2.*"], "exclude-cases": ["2.1*"], "exclude-agent-cases": {"tw*": ["2.2", "2.3"]},
		"servers": [{"url": %q, "agent": "one"}, {"url": %q, "agent": "two", "origin": "https://b"}, {"url": "ws://%s", "agent": "gone"}]
	}`, dir, startTestee(t), startTestee(t), nobody(t)))
	code, out, errs := suite(t, "fuzzingclient -spec %s", spec)
	if code != exitCannot { // of the third server
		t.Errorf("exit code %d", code)
	}
	wantParts(t, out, "\none ", "\nall                          9\n", "\ntwo ", "\nall                          7\n", "report: ")
	wantParts(t, errs, "one: 9 of 9 cases, 0 failed", "two: 7 of 7 cases, 0 failed", "connection refused")
	if _, err := os.Stat(filepath.Join(dir, "two_case_2_4.json")); err != nil {
		t.Error(err)
	}
}

// What ran before Ctrl-C is reported.
func TestFuzzingClient_Interrupted_Reports(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "autobahn", "fuzzingclient", "-url", silent(t), "-cases", "1.1.1,9.1.1", "-parallel", "1", "-outdir", dir, "-agent", "me")
	p.err.waitFor(t, "1 of 2 cases, 1 failed\n")
	p.stop()
	if code := <-p.code; code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	wantParts(t, p.err.String(), "interrupted: 1 of 2 cases ran")
	wantParts(t, p.out.String(), "\n1.1.1  FAILED: ", "report: ")
	if _, err := os.Stat(filepath.Join(dir, "me_case_1_1_1.json")); err != nil {
		t.Error(err)
	}
}

// startMode runs a mode that listens, and returns it with its URL.
func startMode(t *testing.T, args ...string) (p *process, url string) {
	t.Helper()
	p = start(t, append([]string{"autobahn"}, args...)...)
	screen := &p.out
	if slices.Contains(args, "-json") {
		screen = &p.err
	}
	line := screen.waitFor(t, "\n")
	m := regexp.MustCompile(`^listening on (ws://\S+) for `).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("first line is %q", line)
	}
	return p, m[1]
}

func TestFuzzingServer_Reports_OnClients(t *testing.T) {
	dir := t.TempDir()
	p, url := startMode(t, "fuzzingserver", "-addr", "127.0.0.1:0", "-cases", "1.1.1,2.2,3.1", "-outdir", dir)
	for range 2 { // the second run replaces the first
		code, out, errs := suite(t, "testeeclient -url %s -agent me", url)
		if code != exitOK || out != "" {
			t.Errorf("testeeclient: exit code %d, stdout:\n%s", code, out)
		}
		wantParts(t, errs, "done: 3 cases")
	}
	p.err.waitFor(t, "me: 3 of 3 cases, 0 failed\n")
	p.err.waitFor(t, "report: "+filepath.Join(dir, "index.html")+": 3 OK\n")
	for _, name := range []string{"index.json", "me_case_3_1.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	p.stop()
	if code := <-p.code; code != exitOK {
		t.Errorf("exit code %d; stderr:\n%s", code, p.err.String())
	}
	wantParts(t, p.out.String(), "\nall                          3\n", "report: ")
}

func TestFuzzingServer_Reads_Specs(t *testing.T) {
	spec := fileWith(t, "spec.json", fmt.Sprintf(`{"url": "ws://%s", "cases": ["1.1.1", "2.2", "2.3"], "exclude-agent-cases": {"me": ["2.*"]}}`, nobody(t)))
	p, url := startMode(t, "fuzzingserver", "-spec", spec)
	if code, _, errs := suite(t, "testeeclient -url %s -agent me", url); code != exitOK {
		t.Errorf("testeeclient: exit code %d:\n%s", code, errs)
	}
	p.err.waitFor(t, "me: 1 of 1 cases, 0 failed\n")
	p.err.waitFor(t, "done: 1 OK\n")
	p.stop()
	if code := <-p.code; code != exitOK {
		t.Errorf("exit code %d; stderr:\n%s", code, p.err.String())
	}
}

// A client that does not echo.
func TestFuzzingServer_Says_WhatFailed(t *testing.T) {
	p, url := startMode(t, "fuzzingserver", "-addr", "127.0.0.1:0", "-cases", "1.1.1", "-json")
	c := dial(t, url+"/runCase?case=1&agent=mute", nil)
	for err := error(nil); err == nil; {
		_, err = c.Read(t.Context())
	}
	p.err.waitFor(t, "mute: 1 of 1 cases, 1 failed")
	p.stop()
	if code := <-p.code; code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	wantParts(t, p.err.String(), "\n1.1.1  FAILED: ", "\n  again: ws autobahn fuzzingserver -addr 127.0.0.1:0 -cases 1.1.1, and the client\n")
	wantParts(t, p.out.String(), `"agent":"mute"`)
}

func TestFuzzingServer_Stops_WhenAClientSaysSo(t *testing.T) {
	p, url := startMode(t, "fuzzingserver", "-addr", "127.0.0.1:0", "-cases", "1.1.1")
	if c, _, err := websocket.Dial(t.Context(), url+"/stopServer", nil); err == nil {
		c.CloseNow()
	}
	if code := <-p.code; code != exitOK {
		t.Errorf("exit code %d", code)
	}
	wantParts(t, p.err.String(), "no case ran")
}

func TestAutobahn_Fails_WhereSomebodyListens(t *testing.T) {
	_, addr := startServe(t)
	for _, mode := range []string{"fuzzingserver", "testeeserver"} {
		code, out, errs := suite(t, "%s -addr %s", mode, addr)
		if code != exitCannot || out != "" || !strings.Contains(errs, "try: ws autobahn "+mode+" -addr localhost:0") {
			t.Errorf("%s: exit code %d, stdout %q, stderr:\n%s", mode, code, out, errs)
		}
	}
}

func TestTesteeServer_Passes(t *testing.T) {
	p, url := startMode(t, "testeeserver", "-addr", "127.0.0.1:0")
	if code, out, errs := suite(t, "fuzzingclient -url %s -cases 1.1.1,2.*,6.4.1", url); code != exitOK {
		t.Errorf("exit code %d; stdout:\n%s\nstderr:\n%s", code, out, errs)
	}
	p.stop()
	if code := <-p.code; code != exitOK {
		t.Errorf("exit code %d; stderr:\n%s", code, p.err.String())
	}
}

func TestTesteeClient_Says_ThatThereIsNoServer(t *testing.T) {
	code, out, errs := suite(t, "testeeclient -insecure -url ws://%s", nobody(t))
	if code != exitCannot || out != "" {
		t.Errorf("exit code %d, stdout %q", code, out)
	}
	wantParts(t, errs, "ws: autobahn testeeclient: ", "connection refused", "try: ws autobahn testeeclient -url ws://localhost:9001")
}

func TestTesteeClient_Interrupted_SaysSo(t *testing.T) {
	p, url := startMode(t, "fuzzingserver", "-addr", "127.0.0.1:0", "-cases", "7.1.*,9.1.1")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var out, errs screen
	if code := run(ctx, []string{"autobahn", "testeeclient", "-url", url}, stdio{nil, &out, &errs}); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	wantParts(t, errs.String(), "interrupted in case 0: the report is not whole")
	p.stop()
	<-p.code
}

// The report is lost if its place is, but the table is not.
func TestOutcome_Says_ThatItCouldNotWrite(t *testing.T) {
	url := startTestee(t)
	for _, flag := range []string{"outdir", "junit"} {
		place := filepath.Join(t.TempDir(), "place")
		var out, errs screen
		taken := &taker{Writer: &errs, place: place}
		args := []string{"autobahn", "fuzzingclient", "-url", url, "-cases", "1.1.1", "-" + flag, place}
		if code := run(t.Context(), args, stdio{nil, &out, taken}); code != exitCannot {
			t.Errorf("-%s: exit code %d", flag, code)
		}
		wantParts(t, out.String(), "\nall ")
		wantParts(t, errs.String(), "try: another -outdir or -junit")
	}
}

// taker takes a place away when the first line is written.
type taker struct {
	io.Writer
	place string
}

func (t *taker) Write(p []byte) (int, error) {
	if info, err := os.Stat(t.place); err == nil {
		os.RemoveAll(t.place)
		if info.IsDir() {
			os.WriteFile(t.place, nil, 0o666)
		} else {
			os.Mkdir(t.place, 0o777)
		}
	}
	return t.Writer.Write(p)
}

package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/autobahn/testee"
)

// suite runs ws autobahn with args, which must not have blanks in them.
func suite(t *testing.T, format string, args ...any) (code int, out, errs string) {
	t.Helper()
	return runWith(t, "", append([]string{"autobahn"}, strings.Fields(fmt.Sprintf(format, args...))...)...)
}

// fileWith returns the name of a new file.
func fileWith(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// startTestee serves our server under test.
func startTestee(t *testing.T) (url string) {
	t.Helper()
	ts := httptest.NewServer(testee.Handler())
	t.Cleanup(ts.Close)
	return "ws" + strings.TrimPrefix(ts.URL, "http")
}

// silent is a server that never echoes.
func silent(t *testing.T) (url string) {
	return serverThat(t, func(c *websocket.Conn, r *http.Request) {
		for {
			if _, err := c.Read(r.Context()); err != nil {
				return
			}
		}
	})
}

// nobody is an address where no one listens any more.
func nobody(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

func TestAutobahn_Explains_Usage(t *testing.T) {
	file := fileWith(t, "file", "not JSON")
	servers := fileWith(t, "servers.json", `{"servers": [{"url": "ws://127.0.0.1:1"}]}`)
	url := fileWith(t, "url.json", `{"url": "ws://127.0.0.1:0"}`)
	secure := fileWith(t, "secure.json", `{"url": "wss://127.0.0.1:0"}`)
	const fuzz = "fuzzingclient -url ws://127.0.0.1:1 "
	tests := []struct {
		name, args string
		code       int
		out, err   string // parts of
	}{
		{"nothing", "", exitCannot, "", "Usage: ws autobahn MODE"},
		{"help", "help", exitOK, "Usage: ws autobahn MODE", ""},
		{"help as a flag", "-h", exitOK, "Usage: ws autobahn MODE", ""},
		{"help for a mode", "help testeeserver", exitOK, "Usage: ws autobahn testeeserver", ""},
		{"help for what is not", "help me", exitOK, "Usage: ws autobahn MODE", ""},
		{"fuzzingclient's flag for help", "fuzzingclient -h", exitOK, "Usage: ws autobahn fuzzingclient", ""},
		{"fuzzingserver's flag for help", "fuzzingserver -h", exitOK, "Usage: ws autobahn fuzzingserver", ""},
		{"testeeserver's flag for help", "testeeserver -h", exitOK, "Usage: ws autobahn testeeserver", ""},
		{"testeeclient's flag for help", "testeeclient -h", exitOK, "Usage: ws autobahn testeeclient", ""},
		{"unknown mode", "massconnect", exitCannot, "", `no mode "massconnect"` + "\n  try: ws help autobahn"},
		{"unknown flag", "fuzzingclient -fast", exitCannot, "", "not defined: -fast\n  try: ws help autobahn fuzzingclient"},
		{"stray argument", "testeeserver 9001", exitCannot, "", `what is "9001"?`},
		{"no server named", "fuzzingclient", exitCannot, "", "Give its -url, or a -spec"},
		{"no fuzzing server named", "testeeclient", exitCannot, "", "Give its -url"},
		{"unknown case", fuzz + "-cases 1.*,77.*", exitCannot, "", `no case is named by "77.*"`},
		{"unknown case to exclude", fuzz + "-exclude 77.1", exitCannot, "", `no case is named by "77.1"`},
		{"unknown case of a server", "fuzzingserver -cases 77.1", exitCannot, "", `no case is named by "77.1"`},
		{"nothing left", fuzz + "-cases 1.* -exclude *", exitCannot, "", "no case is left"},
		{"cases of the other side", fuzz + "-cases 21.*", exitCannot, "", "no case is left: those of -cases are not for a server"},
		{"spec that is not there", "fuzzingclient -spec none.json", exitCannot, "", "-spec: open none.json: no such file"},
		{"spec that is no JSON", "fuzzingserver -spec " + file, exitCannot, "", "file: line 1 is no JSON"},
		{"server's spec", "fuzzingclient -spec " + url, exitCannot, "", "names no servers to test"},
		{"client's spec", "fuzzingserver -spec " + servers, exitCannot, "", "it is for ws autobahn fuzzingclient"},
		{"spec for TLS", "fuzzingserver -spec " + secure, exitCannot, "", "want one such as ws://127.0.0.1:9001"},
		{"report to a file", fuzz + "-outdir " + file, exitCannot, "", "name a directory that can be written to"},
		{"server's report to a file", "fuzzingserver -outdir " + file, exitCannot, "", "name a directory that can be written to"},
		{"JUnit to nowhere", fuzz + "-junit " + file + "/x", exitCannot, "", "name a file that can be written to"},
		{"cases that are not there", fuzz + "-add none.cases", exitCannot, "", "-add: open none.cases"},
		{"cases that are none", fuzz + "-add " + file, exitCannot, "", file + ":1"},
		{"address without a port", "fuzzingserver -addr localhost", exitCannot, "", "missing port"},
		{"testee's address without a port", "testeeserver -addr localhost", exitCannot, "", "missing port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := suite(t, "%s", tt.args)
			if code != tt.code || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.err) || (code == exitOK) != (errs == "") {
				t.Errorf("ws autobahn %s: code %d, want %d; stdout:\n%s\nstderr:\n%s", tt.args, code, tt.code, out, errs)
			}
		})
	}
	code, out, _ := runWith(t, "", "help", "autobahn", "testeeclient")
	if code != exitOK || !strings.Contains(out, "Usage: ws autobahn testeeclient") {
		t.Errorf("ws help autobahn testeeclient: code %d:\n%s", code, out)
	}
	for _, name := range []string{"autobann", "fuzzingclient", "testeeserver", "wstest"} {
		if _, _, errs := runWith(t, "", name); !strings.Contains(errs, "try: ws help autobahn") {
			t.Errorf("ws %s:\n%s", name, errs)
		}
	}
}

func TestAutobahnUsage_Names_EveryFlag(t *testing.T) {
	tests := []struct {
		fs   *flag.FlagSet
		text string
	}{
		{(&fuzzingClientFlags{header: header{}}).set(), fuzzingClientUsage},
		{new(fuzzingServerFlags).set(), fuzzingServerUsage},
		{new(testeeServerFlags).set(), testeeServerUsage},
		{new(testeeClientFlags).set(), testeeClientUsage},
	}
	for _, tt := range tests {
		n := 0
		tt.fs.VisitAll(func(f *flag.Flag) {
			n++
			_, text, ok := strings.Cut(tt.text, "\n  -"+f.Name+" ")
			text, _, _ = strings.Cut(text, "\n  -")
			if !ok || len(f.DefValue) > 1 && f.DefValue != "false" && !strings.Contains(text, "(default "+f.DefValue) {
				t.Errorf("%s: the usage text does not say what -%s is, default %s", tt.fs.Name(), f.Name, f.DefValue)
			}
		})
		if got := strings.Count(tt.text, "\n  -"); got != n {
			t.Errorf("%s: the usage text has %d flags, want %d", tt.fs.Name(), got, n)
		}
		for line := range strings.Lines(tt.text + autobahnUsage) {
			if len(line) > 81 {
				t.Errorf("wider than a terminal: %q", line)
			}
		}
	}
}

func TestAgain_Quotes_ForTheShell(t *testing.T) {
	f := fuzzingClientFlags{header: header{"Authorization": {"Bearer secret"}}, insecure: true, origin: "https://a", protocols: list{"x y"}}
	want(t, "again", f.again("wss://a/?b=c&d='", "1.1.1"),
		`ws autobahn fuzzingclient -url 'wss://a/?b=c&d='\''' -cases 1.1.1 -insecure -o https://a -s 'x y' -H 'Authorization: …'`)
}

func TestWebSocketURL_IsOneToConnectTo(t *testing.T) {
	at := &net.TCPAddr{Port: 99}
	for asked, url := range map[string]string{":0": "ws://localhost:99", "0.0.0.0:1": "ws://localhost:99", "[::1]:0": "ws://[::1]:99", "a:1": "ws://a:99"} {
		want(t, asked, webSocketURL(asked, at), url)
	}
}

package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/swan-ws/websocket/autobahn"
)

// embedded returns what the page has for its script, by field, as JSON.
func embedded(t *testing.T, page string) (cases []map[string]string) {
	t.Helper()
	m := regexp.MustCompile(`<script type="application/json" id="data">(.*)</script>`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page has no data")
	}
	var p packed
	if err := json.Unmarshal([]byte(m[1]), &p); err != nil {
		t.Fatal(err)
	}
	for _, row := range p.Cases {
		c := map[string]string{}
		for i, field := range p.Fields {
			c[field] = string(p.Values[row[i]])
		}
		cases = append(cases, c)
	}
	return cases
}

func TestPage_Has_WhatTheFilesHave(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, append(some(), whole())...)
	cases := embedded(t, read(t, dir, "index.html"))
	var ids []string
	for _, c := range cases {
		ids = append(ids, c["id"])
	}
	if want := []string{`"2.2"`, `"2.11"`, `"3.2"`, `"6.4.3"`, `"7.1.6"`, `"10.1.1"`, `"10.1.1"`, `"13.1.1"`, `"20.1"`}; !slices.Equal(ids, want) {
		t.Errorf("cases in the order %s, want %s", ids, want)
	}
	c := cases[3]
	for field, want := range map[string]string{
		"agent": `"Peer \u0026 Söhne/1.0"`, "behavior": `"FAILED"`, "remoteCloseCode": "null", "duration": "3012",
		"localCloseReason": `"Going \u003cAway\u003e"`, "txOctetStats": `{"15":2}`,
		"wirelog":    `[["KL",1],["TF",[5,"Hello"],1,true,0,"37fa213d",null,null,false],["TO",[11,"8185"],false]]`,
		"received":   `[["message","Hello",true],["pong","µ"],["handshake","open"]]`,
		"reportfile": `"peer___s_hne_1_0_case_6_4_3.json"`,
	} {
		if c[field] != want {
			t.Errorf("%s is %s, want %s", field, c[field], want)
		}
	}
}

func TestPage_Counts_SectionsAndAgents(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, some()...)
	page := strings.Join(strings.Fields(read(t, dir, "index.html")), " ")
	if c := embedded(t, read(t, dir, "index.html")); c[4]["agent"] != `"one"` || c[5]["agent"] != `"other"` {
		t.Errorf("agents in the order %s, %s", c[4]["agent"], c[5]["agent"])
	}
	parts(t, page, "2 of 8 cases failed", `<body class="many">`,
		`<b>2</b> OK</span><span class="non-strict"><b>1</b> non-strict</span>`, `<b>2</b> failed`,
		`<span class="num">2</span>Pings and pongs`, `<b>1 failed</b><span> of 2</span>`, `data-section="20" data-agent="one"`)

	one := t.TempDir()
	write(t, one, some()[:1]...)
	parts(t, read(t, one, "index.html"), "No failure in 1 case<", "<body>")
	none := t.TempDir()
	write(t, none)
	parts(t, read(t, none, "index.html"), "No case was run")
}

func TestPage_StandsAlone(t *testing.T) {
	page := pageText
	for _, bad := range []string{"innerHTML", "insertAdjacentHTML", "document.write", "eval(", " src=", "@import", "url(", "fetch("} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q: it must stand alone and escape all it shows", bad)
		}
	}
	parts(t, page, `content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline';`)
}

// Agents name themselves, and send what they like.
func TestPage_Escapes_WhatAgentsSay(t *testing.T) {
	const evil = `</script><script>alert(1)</script><!--"'` + "\u2028"
	r := whole()
	r.Agent, r.Result, r.HTTPResponse, r.Wirelog = evil, evil, evil, []autobahn.LogRow{{evil}}
	dir := t.TempDir()
	write(t, dir, r, some()[0])
	page := read(t, dir, "index.html")
	if strings.Contains(page, "<script>alert") || strings.Contains(page, "<!--") {
		t.Error("what the agent said is in the page as it is")
	}
	for _, c := range embedded(t, page) {
		var result string
		json.Unmarshal([]byte(c["result"]), &result)
		if c["id"] == `"6.4.3"` && result != evil {
			t.Errorf("the page has %q, want %q", result, evil)
		}
	}
}

func TestPage_Cuts_LongLogs(t *testing.T) {
	tests := []struct {
		name        string
		first, last int
		behavior    autobahn.Behavior
	}{
		{"of what failed", firstIfFailed, lastIfFailed, autobahn.Failed},
		{"of what did not", firstRows, lastRows, autobahn.OK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := whole()
			r.Behavior, r.BehaviorClose, r.Wirelog = tt.behavior, autobahn.OK, nil
			for i := range tt.first + tt.last + 7 {
				r.Wirelog = append(r.Wirelog, autobahn.LogRow{"KL", 1000 + i})
			}
			dir := t.TempDir()
			write(t, dir, r)
			log := embedded(t, read(t, dir, "index.html"))[0]["wirelog"]
			parts(t, log, fmt.Sprintf(`["KL",%d],["...",7],["KL",%d]`, 999+tt.first, 1007+tt.first), fmt.Sprintf(`["KL",%d]]`, 1006+tt.first+tt.last))
			parts(t, read(t, dir, FileName(r.Agent, r.ID)), fmt.Sprintln(1003+tt.first))
		})
	}
}

func TestPage_Cuts_LongTexts(t *testing.T) {
	r := whole()
	r.HTTPRequest, r.HTTPResponse = strings.Repeat("ä", maxText/2+1), strings.Repeat("\x00", maxText)
	dir := t.TempDir()
	write(t, dir, r)
	c := embedded(t, read(t, dir, "index.html"))[0]
	if want := `"` + strings.Repeat("ä", maxText/2) + ` …"`; c["httpRequest"] != want {
		t.Errorf("a request of %d bytes was cut to %s", len(r.HTTPRequest), c["httpRequest"])
	}
	if want := `"` + strings.Repeat(`\u0000`, maxText) + `"`; c["httpResponse"] != want {
		t.Errorf("a response of %d bytes was cut to %s", maxText, c["httpResponse"])
	}
}

func TestPage_IsSmall(t *testing.T) {
	var documents []document
	for i := range 900 {
		for agent := range 3 {
			r := whole()
			r.ID, r.Agent = fmt.Sprintf("%d.%d", i/30, i%30), fmt.Sprint(agent)
			text, err := encode(r)
			if err != nil {
				t.Fatal(err)
			}
			var d document
			if err := json.Unmarshal(text, &d); err != nil {
				t.Fatal(err)
			}
			documents = append(documents, d)
		}
	}
	var page bytes.Buffer
	if err := writePage(&page, documents); err != nil {
		t.Fatal(err)
	}
	if got, most := page.Len(), 1<<20; got > most {
		t.Errorf("2700 results make a page of %d bytes, want at most %d", got, most)
	}
}

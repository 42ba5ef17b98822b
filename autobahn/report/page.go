package report

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/swan-ws/websocket/autobahn"
)

//go:embed page.html
var pageText string

// pageTemplate needs nothing from elsewhere, and escapes what it is given.
var pageTemplate = template.Must(template.New(pageName).Parse(pageText))

// The page shows the first and the last rows of longer wire logs, fewer where
// nothing went wrong, and the beginning of longer texts.
const (
	firstRows, lastRows         = 24, 8
	firstIfFailed, lastIfFailed = 400, 100
	maxText                     = 2000 // bytes
)

// pageFields are the fields of a document that the page shows.
var pageFields = []string{
	"agent", "id", "description", "expectation", "source", "started", "duration", "reportTime", "reportfile",
	"behavior", "result", "behaviorClose", "resultClose", "expected", "received", "expectedClose",
	"isServer", "closedByMe", "failedByMe", "droppedByMe", "wasClean", "wasNotCleanReason",
	"wasServerConnectionDropTimeout", "wasOpenHandshakeTimeout", "wasCloseHandshakeTimeout",
	"localCloseCode", "localCloseReason", "remoteCloseCode", "remoteCloseReason", "httpRequest", "httpResponse",
	"rxOctetStats", "txOctetStats", "rxFrameStats", "txFrameStats", "createWirelog", "wirelog", "trafficStats",
}

type (
	// pageData is what the template is given.
	pageData struct {
		Headline string
		Agents   []pageAgent
		Sections []pageSection
		Data     packed // for the script
	}
	pageAgent struct {
		Name          string
		Total, Failed int
		Parts         []pagePart
	}
	pageSection struct {
		ID, Title string
		Cells     []pageAgent
	}
	pagePart struct {
		Verdict autobahn.Behavior
		Class   string
		Label   string
		N       int
	}
	// packed is documents as a table of their fields. Most values occur often:
	// each is there once, and the cases have its number.
	packed struct {
		Fields []string          `json:"fields"`
		Values []json.RawMessage `json:"values"`
		Cases  [][]int           `json:"cases"`
	}
)

// writePage writes one page over all documents.
func writePage(w io.Writer, documents []document) error {
	results, err := brief(documents)
	if err != nil {
		return err
	}
	data := pageData{Headline: headline(results)}
	tables := count(results)
	sections := map[string]bool{}
	for _, t := range tables {
		data.Agents = append(data.Agents, pageCell(t.agent, t.sum()))
		for section := range t.sections {
			sections[section] = true
		}
	}
	for _, section := range slices.SortedFunc(maps.Keys(sections), compareIDs) {
		row := pageSection{ID: section, Title: sectionTitles[section]}
		for _, t := range tables {
			row.Cells = append(row.Cells, pageCell(t.agent, t.sections[section]))
		}
		data.Sections = append(data.Sections, row)
	}
	if data.Data, err = pack(documents, results); err != nil {
		return err
	}
	return pageTemplate.Execute(w, data)
}

// brief has of each document what is counted. It puts the documents in order.
func brief(documents []document) ([]autobahn.Result, error) {
	slices.SortFunc(documents, func(a, b document) int {
		return cmp.Or(compareIDs(text(a["id"]), text(b["id"])), strings.Compare(text(a["agent"]), text(b["agent"])))
	})
	var results []autobahn.Result
	for _, d := range documents {
		r := autobahn.Result{
			Agent: text(d["agent"]), ID: text(d["id"]),
			Behavior: autobahn.Behavior(text(d["behavior"])), BehaviorClose: autobahn.Behavior(text(d["behaviorClose"])),
		}
		if r.ID == "" || r.Behavior == "" {
			return nil, fmt.Errorf("no page: %.128s is not the file of a case: remove it, or name another directory", d["reportfile"])
		}
		results = append(results, r)
	}
	return results, nil
}

// text returns a string in JSON, or "".
func text(value json.RawMessage) (s string) {
	json.Unmarshal(value, &s)
	return s
}

func headline(results []autobahn.Result) string {
	failed := 0
	for i := range results {
		if Failed(&results[i]) {
			failed++
		}
	}
	cases := fmt.Sprintf("%d cases", len(results))
	if len(results) == 1 {
		cases = "1 case"
	}
	switch {
	case len(results) == 0:
		return "No case was run"
	case failed == 0:
		return "No failure in " + cases
	}
	return fmt.Sprintf("%d of %s failed", failed, cases)
}

func pageCell(agent string, t tally) pageAgent {
	cell := pageAgent{Name: agent, Total: t.total(), Failed: t[autobahn.Failed]}
	for _, v := range verdicts {
		if t[v] > 0 {
			cell.Parts = append(cell.Parts, pagePart{v, strings.ToLower(string(v)), label(v), t[v]})
		}
	}
	return cell
}

// pack has the documents, which came to these results, for the script.
func pack(documents []document, results []autobahn.Result) (packed, error) {
	p := packed{Fields: pageFields, Values: []json.RawMessage{}, Cases: [][]int{}}
	known := map[string]int{}
	for i, d := range documents {
		failed := Failed(&results[i])
		var row []int
		for _, field := range pageFields {
			value, err := shown(field, d[field], failed)
			if err != nil {
				return p, fmt.Errorf("no page: %s: %w", d["reportfile"], err)
			}
			number, ok := known[string(value)]
			if !ok {
				number = len(p.Values)
				known[string(value)] = number
				p.Values = append(p.Values, value)
			}
			row = append(row, number)
		}
		p.Cases = append(p.Cases, row)
	}
	return p, nil
}

// shown is a field's value as the page has it, without white space.
func shown(field string, value json.RawMessage, failed bool) (json.RawMessage, error) {
	switch {
	case len(value) == 0:
		return json.RawMessage("null"), nil
	case field == "wirelog" && failed:
		return shownRows(value, firstIfFailed, lastIfFailed)
	case field == "wirelog":
		return shownRows(value, firstRows, lastRows)
	case len(text(value)) > maxText:
		return json.Marshal(strings.ToValidUTF8(text(value)[:maxText], "") + " …")
	}
	var compact bytes.Buffer
	err := json.Compact(&compact, value)
	return compact.Bytes(), err
}

// shownRows leaves out the middle of a wire log.
func shownRows(log json.RawMessage, first, last int) (json.RawMessage, error) {
	var rows []json.RawMessage
	if err := json.Unmarshal(log, &rows); err != nil {
		return nil, err
	}
	if cut := len(rows) - first - last; cut > 0 {
		note := json.RawMessage(fmt.Sprintf(`["...",%d]`, cut))
		rows = slices.Concat(rows[:first], []json.RawMessage{note}, rows[len(rows)-last:])
	}
	return json.Marshal(rows)
}

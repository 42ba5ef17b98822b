package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/swan-ws/websocket/autobahn"
)

const (
	indexName = "index.json"
	pageName  = "index.html"
)

// An entry is what index.json has of a case.
type entry struct {
	Behavior        autobahn.Behavior `json:"behavior"`
	BehaviorClose   autobahn.Behavior `json:"behaviorClose"`
	RemoteCloseCode *int              `json:"remoteCloseCode"`
	Duration        int64             `json:"duration"`
	File            string            `json:"reportfile"`
}

// An index is index.json: agents, and their cases by id.
type index map[string]map[string]entry

// Write writes a report into the directory dir, which it makes if need be: a JSON
// file for each result, index.json over them and the page index.html. Both also
// cover what earlier reports of any agents have left there; a case that an agent
// was tested with again is replaced.
func Write(dir string, results []autobahn.Result) error {
	root, all, err := open(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := all.add(results); err != nil {
		return err
	}
	for i := range results {
		if err := writeJSON(root, FileName(results[i].Agent, results[i].ID), &results[i]); err != nil {
			return err
		}
	}
	if err := writeJSON(root, indexName, all); err != nil {
		return err
	}
	documents, err := all.documents(root)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := writePage(&page, documents); err != nil {
		return err
	}
	return writeFile(root, pageName, page.Bytes())
}

// Page returns the name of the page that Write writes into the directory dir.
func Page(dir string) string { return filepath.Join(dir, pageName) }

// Check says early what would keep Write from writing into the directory dir. It
// makes it if need be.
func Check(dir string) error {
	root, _, err := open(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	const probe = ".writable"
	if err := writeFile(root, probe, nil); err != nil {
		return err
	}
	return root.Remove(probe)
}

// open opens the directory, with the index that is there or an empty one.
func open(dir string) (*os.Root, index, error) {
	err := os.MkdirAll(dir, 0o777)
	var root *os.Root
	if err == nil {
		root, err = os.OpenRoot(dir)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("no report: %w: name a directory that can be written to", err)
	}
	all := index{}
	text, err := root.ReadFile(indexName)
	if err == nil {
		err = json.Unmarshal(text, &all)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		root.Close()
		return nil, nil, fmt.Errorf("%s of another report cannot be read: %w: remove it, or name another directory", filepath.Join(dir, indexName), err)
	}
	return root, all, nil
}

// FileName returns the name of a case's JSON file, as the original suite forms it.
func FileName(agent, id string) string {
	return cleaned(agent) + "_case_" + strings.ReplaceAll(id, ".", "_") + ".json"
}

// cleaned keeps a-z and 0-9 of an agent's name.
func cleaned(agent string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(agent))
	return strings.Trim(name, "_")
}

// add enters results. Agents whose names differ only in what file names leave out
// would overwrite each other's files.
func (all index) add(results []autobahn.Result) error {
	for i := range results {
		r := &results[i]
		if all[r.Agent] == nil {
			for other := range all {
				if cleaned(other) == cleaned(r.Agent) {
					return fmt.Errorf("no report: agents %q and %q would have the same files: give one another name", r.Agent, other)
				}
			}
			all[r.Agent] = map[string]entry{}
		}
		all[r.Agent][r.ID] = entry{r.Behavior, r.BehaviorClose, r.RemoteCloseCode, r.Duration, FileName(r.Agent, r.ID)}
	}
	return nil
}

// A document is a case's JSON file, by the names of its fields.
type document map[string]json.RawMessage

// documents reads the files that the index names, but not those that are gone.
func (all index) documents(root *os.Root) (documents []document, err error) {
	for _, cases := range all {
		for _, entry := range cases {
			text, err := root.ReadFile(entry.File)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			var d document
			if err == nil {
				err = json.Unmarshal(text, &d)
			}
			if err != nil {
				return nil, fmt.Errorf("no page: %s: %w: remove it, or name another directory", entry.File, err)
			}
			d["reportfile"], _ = json.Marshal(entry.File)
			documents = append(documents, d)
		}
	}
	return documents, nil
}

func writeJSON(root *os.Root, name string, v any) error {
	text, err := encode(v)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return writeFile(root, name, text)
}

func writeFile(root *os.Root, name string, text []byte) error {
	if err := root.WriteFile(name, text, 0o666); err != nil {
		return fmt.Errorf("the report is not whole: %w: make room, or name a directory that can be written to", err)
	}
	return nil
}

// encode is JSON as the original writes it: three spaces to a level, and the keys
// in order at each of them.
func encode(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var tree any // maps are written in order
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "   ")
	err = encoder.Encode(tree)
	return out.Bytes(), err
}

package examples

import (
	"os"
	"strings"
	"testing"
)

// Who looks for an example finds it in the guide, and in it how to run it.
func TestExamples_AreAllInTheGuide_AndSayHowToRunThem(t *testing.T) {
	guide, err := os.ReadFile("../docs/guide/20-examples.md")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		name := e.Name()
		if row := "\n| [`" + name + "`](../../examples/" + name + "/main.go)"; !strings.Contains(string(guide), row) {
			t.Errorf("the guide has no row for %s", name)
		}
		program, err := os.ReadFile(name + "/main.go")
		if err != nil {
			t.Error(err)
		}
		if !strings.Contains(string(program), "//\tgo run ./examples/"+name+"\n") {
			t.Errorf("%s does not say how to run it", name)
		}
	}
}

package auth_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	block  = regexp.MustCompile("(?ms)^```go auth\n(.*?)^```$")
	indent = regexp.MustCompile(`(?m)^\t`)
)

// Code in the documents that begins with "```go auth" stands in an example of this
// module, which the compiler has seen.
func TestDocs_CodeIsThatOfTheExamples(t *testing.T) {
	examples, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	compiled, blocks := indent.ReplaceAllString(string(examples), ""), 0
	err = filepath.WalkDir("../docs", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		page, err := os.ReadFile(path)
		for _, found := range block.FindAllStringSubmatch(string(page), -1) {
			blocks++
			if !strings.Contains(compiled, found[1]) {
				t.Errorf("%s: no example of %s has this code:\n%s", path, "example_test.go", found[1])
			}
		}
		return err
	})
	if err != nil || blocks == 0 {
		t.Errorf("%d blocks of code, %v", blocks, err)
	}
}

package websocket_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/hub"
	deflate "github.com/swan-ws/websocket/permessage-deflate"
	"github.com/swan-ws/websocket/server"
)

// Every ```go block of the documents compiles and is formatted. One that begins
// with "package" stands for itself. Others may be declarations, or statements,
// which find the imports of blockImports and the variables of blockVariables; for
// what these leave unused nobody is blamed.
const (
	blockImports = `import (
	"context"; "crypto/sha256"; "crypto/tls"; "crypto/x509"; "encoding/json"; "errors"; "fmt"; "io"; "iter"; "log"; "log/slog"; "net"; "net/http"
	"net/http/cookiejar"; "net/http/httptest"; "net/url"; "os"; "strings"; "sync"; "testing"; "testing/synctest"; "time"
	"github.com/swan-ws/websocket"; "github.com/swan-ws/websocket/client"; "github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/conn/conntest"; "github.com/swan-ws/websocket/conn/machine"
	"github.com/swan-ws/websocket/frame"; "github.com/swan-ws/websocket/handshake"; "github.com/swan-ws/websocket/hub"
	"github.com/swan-ws/websocket/server"
);`
	blockVariables = `ctx context.Context, c *websocket.Conn, m websocket.Message, err error,
	w http.ResponseWriter, r *http.Request, t *testing.T`
)

func TestDocs_CodeCompiles(t *testing.T) {
	fset := token.NewFileSet()
	var blocks []*block
	for _, page := range readPages(t) {
		blocks = append(blocks, page.blocks()...)
	}
	paths := map[string]bool{}
	for _, b := range blocks {
		if err := b.parse(fset); err != nil {
			t.Error(err)
			continue
		}
		for _, spec := range b.file.Imports {
			paths[strings.Trim(spec.Path.Value, `"`)] = true
		}
	}
	config := types.Config{Importer: importExports(t, fset, paths)}
	for _, b := range blocks {
		if b.file == nil {
			continue
		}
		config.Error = func(err error) {
			if e := err.(types.Error); !e.Soft || b.whole { // soft: something is unused
				t.Error(e)
			}
		}
		config.Check("doc", fset, []*ast.File{b.file}, nil)
	}
	if len(blocks) == 0 {
		t.Error("the documents have no code")
	}
}

// A block is the code between ```go and ```.
type block struct {
	page  string
	line  int // of its first line in the page
	code  string
	whole bool // it is a file as it is
	file  *ast.File
}

func (b *block) parse(fset *token.FileSet) (err error) {
	if formatted, err := format.Source([]byte(b.code)); err == nil && string(formatted) != b.code {
		return fmt.Errorf("%s:%d: gofmt would change this block", b.page, b.line)
	}
	place := fmt.Sprintf("\n//line %s:%d\n", b.page, b.line)
	if b.whole = strings.HasPrefix(b.code, "package "); b.whole {
		b.file, err = parser.ParseFile(fset, "", place+b.code, 0)
		return err
	}
	const head = "package doc;" + blockImports
	if b.file, err = parser.ParseFile(fset, "", head+place+b.code, 0); err == nil {
		return nil // declarations
	}
	function := head + "func _(" + blockVariables + ") %s {{" + place + b.code + "}; panic(0)}"
	b.file, err = parser.ParseFile(fset, "", fmt.Sprintf(function, ""), 0)
	if err == nil && returnsError(b.file) {
		b.file, err = parser.ParseFile(fset, "", fmt.Sprintf(function, "error"), 0)
	}
	return err
}

// returnsError reports whether the block's own function returns something.
func returnsError(file *ast.File) (found bool) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			found = found || len(n.Results) > 0
		}
		return true
	})
	return found
}

// importExports imports packages as the compiler sees them, from the build cache.
func importExports(t *testing.T, fset *token.FileSet, paths map[string]bool) types.Importer {
	t.Helper()
	args := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}
	for path := range paths {
		args = append(args, path)
	}
	out, err := exec.Command("go", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	return importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
}

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	codeSpan = regexp.MustCompile("`[^`\n]*`")
	testName = regexp.MustCompile("`((?:Test|Fuzz|Benchmark|Example)[A-Z_][A-Za-z0-9_]*)`")
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)\w*)\(`)
)

func TestDocs_LinksLeadSomewhere(t *testing.T) {
	pages := readPages(t)
	for _, page := range pages {
		prose := codeSpan.ReplaceAllString(page.prose(), "")
		for _, found := range link.FindAllStringSubmatch(prose, -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(found[1], "#")
			target := page.path
			if path != "" {
				target = filepath.Join(filepath.Dir(page.path), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link %s leads nowhere", page.path, found[1])
			}
			at := slices.IndexFunc(pages, func(p document) bool { return p.path == target })
			if anchor != "" && at >= 0 && !slices.Contains(pages[at].anchors(), anchor) {
				t.Errorf("%s: the link %s names no heading", page.path, found[1])
			}
		}
	}
}

// A test that a document names exists.
func TestDocs_NamedTestsExist(t *testing.T) {
	exists := map[string]bool{}
	for _, path := range walk(t, ".", "_test.go") {
		for _, found := range testFunc.FindAllStringSubmatch(readFile(t, path), -1) {
			exists[found[1]] = true
		}
	}
	for _, page := range readPages(t) {
		for _, found := range testName.FindAllStringSubmatch(page.prose(), -1) {
			if !exists[found[1]] {
				t.Errorf("%s names %s, which is no test", page.path, found[1])
			}
		}
	}
}

// The tables of limits say what the code does.
func TestDocs_DefaultsAreThoseOfTheCode(t *testing.T) {
	defaults := map[string]string{
		"ConnOptions.MaxMessage":        inBytes(conn.DefaultMaxMessage),
		"ConnOptions.MaxFragments":      fmt.Sprint(conn.DefaultMaxFragments),
		"ConnOptions.WriteTimeout":      inSeconds(conn.DefaultWriteTimeout),
		"ConnOptions.CloseTimeout":      inSeconds(conn.DefaultCloseTimeout),
		"ConnOptions.PingEvery":         inSeconds(conn.DefaultPingEvery),
		"ConnOptions.PongWithin":        inSeconds(conn.DefaultPongWithin),
		"Service.Waiting":               fmt.Sprint(server.DefaultWaiting),
		"Hub.Budget":                    inBytes(hub.DefaultBudget),
		"Outbox.MaxBytes":               inBytes(client.DefaultMaxUnconfirmed),
		"Server.HandshakeTimeout":       inSeconds(server.DefaultHandshakeTimeout),
		"Server.MaxHandshakeBytes":      inBytes(server.DefaultMaxHandshakeBytes),
		"Server.MaxURIBytes":            inBytes(server.DefaultMaxURIBytes),
		"DialOptions.HandshakeTimeout":  inSeconds(client.DefaultHandshakeTimeout),
		"DialOptions.MaxHandshakeBytes": inBytes(client.DefaultMaxHandshakeBytes),
	}
	for _, path := range []string{"README.md", "SECURITY.md"} {
		for option, value := range defaults {
			row := fmt.Sprintf("| %s | `%s` |", value, option)
			if !strings.Contains(readFile(t, path), row) {
				t.Errorf("%s has no row that ends in %s", path, row)
			}
		}
	}
}

// The table of what takeover costs has the sizes of the windows.
func TestDocs_WindowsAreThoseOfTheCode(t *testing.T) {
	const path = "docs/guide/13-compression.md"
	text, rows := readFile(t, path), 0
	for bits := deflate.MinWindowBits; bits <= deflate.MaxWindowBits; bits++ {
		note := ""
		if bits == deflate.MaxWindowBits {
			note = ", the default"
		}
		row := fmt.Sprintf("| %d%s | %s | %s |\n", bits, note, inBytes(1<<bits), inBytes(2<<bits))
		rows += strings.Count(text, row)
	}
	if want := deflate.MaxWindowBits - deflate.MinWindowBits + 1; rows != want {
		t.Errorf("%s has %d right rows of windows, want %d", path, rows, want)
	}
	if most := inBytes(2 << deflate.MaxWindowBits); !strings.Contains(readFile(t, "SECURITY.md"), "keeps up to "+most+" for") {
		t.Errorf("SECURITY.md does not say that windows take up to %s", most)
	}
}

func inSeconds(d time.Duration) string { return fmt.Sprintf("%.0f s", d.Seconds()) }

func inBytes(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// A document is a page of the documentation.
type document struct{ path, text string }

func readPages(t *testing.T) []document {
	t.Helper()
	paths := append(walk(t, "docs", ".md"), "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
	var pages []document
	for _, path := range paths {
		pages = append(pages, document{path, readFile(t, path)})
	}
	return pages
}

// blocks returns the page's code in Go.
func (p document) blocks() (blocks []*block) {
	var b *block
	line := 0
	for text := range strings.Lines(p.text) {
		line++
		switch fence := strings.TrimSpace(text); {
		case b == nil && fence == "```go":
			b = &block{page: p.path, line: line + 1}
		case b != nil && fence == "```":
			blocks, b = append(blocks, b), nil
		case b != nil:
			b.code += text
		}
	}
	return blocks
}

// prose returns the page without its blocks of code.
func (p document) prose() string {
	var prose strings.Builder
	code := false
	for text := range strings.Lines(p.text) {
		if strings.HasPrefix(strings.TrimSpace(text), "```") {
			code = !code
		} else if !code {
			prose.WriteString(text)
		}
	}
	return prose.String()
}

// anchors returns the names that GitHub gives the headings.
func (p document) anchors() (names []string) {
	for _, found := range heading.FindAllStringSubmatch(p.prose(), -1) {
		names = append(names, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127:
				return r
			}
			return -1
		}, strings.ToLower(strings.TrimSpace(found[1]))))
	}
	return names
}

func walk(t *testing.T, root, suffix string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, suffix) {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
}

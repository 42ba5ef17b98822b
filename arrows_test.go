package websocket_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/swan-ws/websocket"

// arrows is the house: what each package may import beside the standard library,
// strictly downwards. "x/" stands for golang.org/x/.
var arrows = map[string][]string{
	"":                   {"client", "conn", "frame", "hub", "permessage-deflate", "server"},
	"frame":              {"x/sys/cpu"},
	"subprotocol":        {"x/net/http/httpguts"},
	"handshake":          {"subprotocol", "x/net/http/httpguts", "x/net/idna"},
	"permessage-deflate": {"handshake", "github.com/klauspost/compress/flate"},
	"conn/machine":       {"frame"},
	"conn":               {"conn/machine", "frame", "internal/instant", "internal/quick", "permessage-deflate"},
	"conn/conntest":      {"conn", "conn/machine"},
	"internal/instant":   {},
	"internal/loop":      {"internal/instant", "internal/quick"},
	"internal/quick":     {},
	"server":             {"conn", "conn/machine", "frame", "handshake", "internal/loop", "permessage-deflate", "subprotocol"},
	"client":             {"conn", "conn/machine", "frame", "handshake", "permessage-deflate", "x/net/http/httpguts", "x/net/http/httpproxy", "x/net/proxy"},
	"hub":                {"conn", "frame"},
	"http2":              {"http2/internal/ask"},
	"http2/internal/ask": {},
	"expvars":            {"conn", "frame"},
	"internal/leak":      {},
	"internal/trial":     {"", "internal/leak"},
	"interop":            {},
	// The suite shares no code with what it tests, so that no fault can hide itself.
	"autobahn":                  {"autobahn/internal/wire"},
	"autobahn/internal/wire":    {},
	"autobahn/internal/oddpeer": {},
	"autobahn/internal/compare": {},
	"autobahn/report":           {"autobahn"},
	"autobahn/testee":           {"", "client", "conn", "permessage-deflate", "server"},
	// Who reads an example finds all of it there.
	"examples":                  {},
	"examples/auth":             {"", "server"},
	"examples/broadcast":        {""},
	"examples/chat":             {""},
	"examples/chat/client":      {""},
	"examples/closeframe":       {""},
	"examples/closelog":         {""},
	"examples/dispatch":         {""},
	"examples/echo":             {""},
	"examples/echo/client":      {""},
	"examples/pingpong":         {""},
	"examples/proxy":            {""},
	"examples/reconnect":        {""},
	"examples/reconnect/client": {""},
	"examples/stream":           {""},
	"examples/subprotocols":     {""},
	"examples/taxi":             {""},
	"examples/tictactoe":        {""},
	"examples/tls":              {""},
	"examples/tls/client":       {""},
	"cmd/ws": {"", "autobahn", "autobahn/report", "autobahn/testee", "client", "conn", "frame", "handshake",
		"permessage-deflate", "server"},
}

func TestArrows_PointDownwards(t *testing.T) {
	for name, imports := range listImports(t) {
		allowed, known := arrows[name]
		if !known {
			t.Errorf("package %q is not in the house: add it to arrows, with what it may import", name)
			continue
		}
		for _, path := range imports {
			if !isStandard(path) && !slices.Contains(allowed, short(path)) {
				t.Errorf("%q imports %q, which is not below it", name, path)
			}
		}
	}
}

// The machine is pure: no I/O, no clock, no lock, no goroutine's tools.
func TestArrows_MachineIsPure(t *testing.T) {
	for _, path := range listImports(t)["conn/machine"] {
		switch path {
		case "net", "io", "time", "sync", "sync/atomic", "context", "os", "bufio", "log/slog", "net/http":
			t.Errorf("conn/machine imports %q: it must stay free of I/O, clocks and locks", path)
		}
	}
}

// http2/internal/ask is initialized before net/http, or it is too late.
func TestArrows_AskComesFirst(t *testing.T) {
	for _, path := range listImports(t)["http2/internal/ask"] {
		if path != "os" && path != "strings" {
			t.Errorf("http2/internal/ask imports %q, which may be initialized after net/http", path)
		}
	}
}

// Randomness that protects is never math/rand's.
func TestArrows_NoPredictableRandomness(t *testing.T) {
	for name, imports := range listImports(t) {
		for _, path := range imports {
			if path == "math/rand" || path == "math/rand/v2" {
				t.Errorf("%q imports %q: use crypto/rand", name, path)
			}
		}
	}
}

// The root package only names things: aliases, constants, one-line functions.
func TestFace_IsThin(t *testing.T) {
	for _, file := range []string{"websocket.go", "doc.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				_, returns := d.Body.List[0].(*ast.ReturnStmt)
				_, calls := d.Body.List[0].(*ast.ExprStmt)
				if len(d.Body.List) != 1 || !returns && !calls {
					t.Errorf("%s does more than call the layer below", d.Name)
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					t.Errorf("%s has variables: anybody could change them", file)
				}
			}
		}
	}
}

// listImports returns the imports of each package, without its tests', by its path
// below the module.
func listImports(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		packages[short(fields[0])] = fields[1:]
	}
	return packages
}

func short(path string) string {
	if path == module {
		return ""
	}
	if rest, ok := strings.CutPrefix(path, "golang.org/"); ok {
		return rest
	}
	return strings.TrimPrefix(path, module+"/")
}

// isStandard knows the standard library by its first element, which is no domain.
func isStandard(path string) bool {
	domain, _, _ := strings.Cut(path, "/")
	return !strings.Contains(domain, ".")
}

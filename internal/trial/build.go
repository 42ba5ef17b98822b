package trial

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Main is a TestMain, for packages that Start programs.
func Main(m *testing.M) {
	code := m.Run()
	os.RemoveAll(built.temp)
	os.Exit(code)
}

// Build makes the program in dir a file at path.
func Build(t *testing.T, dir, path string) {
	t.Helper()
	args := []string{"build", "-o", path}
	if race {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, dir)...).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
}

// built are the programs of Start, which last until Main returns.
var built programs

type programs struct {
	mu    sync.Mutex
	temp  string            // "" before the first
	paths map[string]string // by their directory
}

func (b *programs) path(t *testing.T, dir string) string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if path := b.paths[dir]; path != "" {
		return path
	}
	if b.temp == "" {
		temp, err := os.MkdirTemp("", "trial")
		if err != nil {
			t.Fatal(err)
		}
		b.temp, b.paths = temp, map[string]string{}
	}
	path := filepath.Join(b.temp, fmt.Sprintf("program%d", len(b.paths)))
	Build(t, dir, path)
	b.paths[dir] = path
	return path
}

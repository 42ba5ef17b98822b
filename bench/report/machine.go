package report

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
)

// A Machine is where was measured.
type Machine struct {
	CPU    string
	Cores  int
	System string
	Go     string
}

// String returns for example "AMD EPYC, 2 cores, linux 6.1, Go 1.26".
func (m Machine) String() string {
	return fmt.Sprintf("%s, %s, %s, %s", m.CPU, cores(m.Cores), m.System, m.Go)
}

var (
	model   = regexp.MustCompile(`(?m)^model name\s*: (.*)$`)
	release = regexp.MustCompile(`^[0-9.]*[0-9]`)
)

// ThisMachine returns the one that this process is on.
func ThisMachine() Machine {
	m := Machine{CPU: "unknown processor", Cores: runtime.NumCPU(), Go: strings.Replace(runtime.Version(), "go", "Go ", 1)}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if found := model.FindSubmatch(info); found != nil {
			m.CPU = string(found[1])
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	m.System = strings.TrimSpace(runtime.GOOS + " " + release.FindString(string(kernel)))
	return m
}

// Version returns the version of a module in this program; "this tree" if it is not
// one that was downloaded.
func Version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range info.Deps {
		if m.Path == module && m.Replace == nil {
			return cmp.Or(m.Version, "unknown")
		}
	}
	return "this tree"
}

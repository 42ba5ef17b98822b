// Package ask sets GODEBUG=http2xconnect=1 before net/http looks, which is when that is
// initialized. Of packages whose imports have been, the one whose path sorts first is
// next (The Go Programming Language Specification, "Program initialization"): this one,
// as long as it imports little.
package ask

import (
	"os"
	"strings"
)

const (
	name    = "GODEBUG"
	setting = "http2xconnect="
)

var before, was = os.LookupEnv(name)

func init() {
	if strings.Contains(before, setting) {
		return
	}
	value := setting + "1"
	if before != "" {
		value = before + "," + value
	}
	os.Setenv(name, value)
}

// TakeBack makes GODEBUG what it was.
func TakeBack() {
	if was {
		os.Setenv(name, before)
	} else {
		os.Unsetenv(name)
	}
}

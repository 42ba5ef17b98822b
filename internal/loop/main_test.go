package loop_test

import (
	"testing"

	"github.com/swan-ws/websocket/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// alarm is what a socket wakes.
type alarm func()

func (f alarm) Wake() { f() }

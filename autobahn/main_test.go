package autobahn

import (
	"testing"

	"github.com/swan-ws/websocket/internal/leak"
)

// Nothing is left behind by any test.
func TestMain(m *testing.M) { leak.Main(m) }

package oddpeer_test

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/autobahn/internal/oddpeer"
	"github.com/swan-ws/websocket/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

var compressions = map[string]websocket.Compression{
	"off":         {Mode: websocket.NoCompression},
	"no takeover": {Threshold: -1},
	"takeover":    {Mode: websocket.ContextTakeover, Threshold: -1},
	"9 bits":      {Mode: websocket.ContextTakeover, Threshold: -1, WindowBits: 9},
}

func options(c websocket.Compression) websocket.ConnOptions {
	return websocket.ConnOptions{MaxMessage: 16 << 20, Compression: c}
}

func TestPeer_WithoutFault_EchoesAsAServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		oddpeer.New("").Serve(l)
	}()
	defer func() {
		l.Close()
		<-done
	}()
	for name, compression := range compressions {
		t.Run(name, func(t *testing.T) {
			c, _, err := websocket.Dial(t.Context(), "ws://"+l.Addr().String()+"/echo", &websocket.DialOptions{Conn: options(compression)})
			if err != nil {
				t.Fatal(err)
			}
			converse(t, c)
		})
	}
}

func TestPeer_WithoutFault_EchoesAsAClient(t *testing.T) {
	for name, compression := range compressions {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Conn: options(compression)})
				if err != nil {
					t.Error(err)
					return
				}
				converse(t, c)
			}))
			defer s.Close()
			if err := oddpeer.New("").Echo(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http")+"/echo?n=1"); err != nil {
				t.Error(err)
			}
		})
	}
}

// converse has messages of many sizes echoed, and closes.
func converse(t *testing.T, c *websocket.Conn) {
	defer c.CloseNow()
	for _, n := range []int{0, 1, 125, 126, 300, 65535, 65536, 1 << 20, 300, 0, 300} {
		for _, kind := range []websocket.MessageType{websocket.Text, websocket.Binary} {
			data := bytes.Repeat([]byte("swan 0123456789 "), n/16+1)[:n]
			wrote := make(chan error, 1)
			go func() { wrote <- c.Write(t.Context(), kind, data) }()
			m, err := c.Read(t.Context())
			if err != nil || m.Type != kind || !bytes.Equal(m.Data, data) {
				t.Errorf("%v message of %d bytes came back as %v of %d, %v", kind, n, m.Type, len(m.Data), err)
			}
			if err := <-wrote; err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := c.Close(websocket.CloseNormal, "bye"); err != nil {
		t.Error(err)
	}
}

// A name that stands in the table alone would be a fault that nobody has.
func TestFaults_StandInTheCode(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var code []byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code = append(code, text...)
	}
	names := map[string]bool{}
	for _, f := range oddpeer.Faults {
		names[f.Name] = true
		if !bytes.Contains(code, []byte(`"`+f.Name+`"`)) {
			t.Errorf("%s is nowhere in the code", f.Name)
		}
	}
	t.Logf("%d faults", len(names))
}

func TestNew_Panics_WithoutSuchAFault(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a peer with no such fault was made")
		}
	}()
	oddpeer.New("no-such-fault")
}

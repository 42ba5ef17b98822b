package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/swan-ws/websocket"
	"github.com/swan-ws/websocket/handshake"
)

// list is a flag that may be given again.
type list []string

func (l *list) String() string     { return strings.Join(*l, ", ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// origins are patterns that a server can use.
type origins []string

func (o *origins) String() string { return strings.Join(*o, ", ") }

func (o *origins) Set(s string) error {
	if err := handshake.CheckPatterns([]string{s}); err != nil {
		return err
	}
	*o = append(*o, s)
	return nil
}

// header is a flag of the form 'Name: value'.
type header http.Header

func (h header) String() string { return "" }

func (h header) Set(s string) error {
	name, value, ok := strings.Cut(s, ":")
	if name = strings.TrimSpace(name); !ok || name == "" {
		return fmt.Errorf("want 'Name: value', quoted for the shell")
	}
	http.Header(h).Add(name, strings.TrimSpace(value))
	return nil
}

// compression is a flag: on, off or takeover.
type compression websocket.Compression

func (c *compression) String() string {
	switch c.Mode {
	case websocket.NoCompression:
		return "off"
	case websocket.ContextTakeover:
		return "takeover"
	}
	return "on"
}

func (c *compression) Set(s string) error {
	switch s {
	case "on":
		c.Mode = websocket.NoContextTakeover
	case "off":
		c.Mode = websocket.NoCompression
	case "takeover":
		c.Mode = websocket.ContextTakeover
	default:
		return fmt.Errorf("want on, off or takeover")
	}
	return nil
}

// interval makes a duration on the command line, where 0 means never, one of
// conn.Options, where a negative one does.
func interval(d time.Duration) time.Duration {
	if d <= 0 {
		return -1
	}
	return d
}

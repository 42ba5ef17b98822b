package server

import "flag"

// What is tested by itself.
var (
	Fields   = fields
	Unquoted = unquoted
)

func init() { flag.BoolVar(&loopAlways, "loop", false, "serve all connections by an event loop") }

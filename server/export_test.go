package server

import "flag"

// What is tested by itself.
var (
	Fields   = fields
	Unquoted = unquoted
	RunUntil = (*Server).runUntil // Run, with a listener of the test's
)

func init() { flag.BoolVar(&loopAlways, "loop", false, "serve all connections by an event loop") }

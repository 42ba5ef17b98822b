package server

// What is tested by itself.
var (
	Fields   = fields
	Unquoted = unquoted
)

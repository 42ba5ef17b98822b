// Package examples holds programs of a few lines, one for each thing that people do
// with WebSocket. Each runs by itself, from the root of the module:
//
//	go run ./examples/chat
//
// and says at its top what to do next. docs/guide/20-examples.md lists them.
package examples

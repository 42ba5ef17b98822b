// Package interop tests this module's server and client against foreign ones: a
// browser, Node.js with its own WebSocket and with the package ws, Python's
// websockets and Hypercorn, and across reverse proxies; over HTTP/2 too.
//
// The tests are behind a build tag, for they need those programs; setup.sh
// installs them:
//
//	./interop/setup.sh
//	go test -tags interop ./interop/...
//
// What is missing is skipped, or fails the test where CI=true. A program under
// test is a peer: a small script in testdata that owns one end of a connection,
// takes commands and reports events, one JSON object a line. What is asserted is
// asserted in Go, and all of it without compression, with it, and with context
// takeover.
package interop

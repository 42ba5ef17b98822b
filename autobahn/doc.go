// Package autobahn tests WebSocket peers: the 517 cases of the Autobahn test suite,
// and cases beyond it, for servers and for clients.
//
// A case is text in the directory cases, in a language that its README explains. The
// tested peer is always an echo peer: it sends every message back and answers pings.
//
//   - [FuzzingClient] tests a server, [FuzzingServer] tests clients.
//   - [TestServer] and [TestClient] do the same under go test.
//   - [Cases], [Select] and [ParseCases] say what is tested.
//   - A [Result] is what came of a case.
//
// To learn how it works, read from the top down: case.go (what a case is), script.go
// (how one is read), run.go (how one is run), judge.go (how one is judged). The
// package shares no code with the library beside it, so that a fault in the library
// cannot hide itself here.
package autobahn

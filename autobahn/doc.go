// Package autobahn tests WebSocket peers: with the 517 cases of the Autobahn test
// suite, and with many more, servers as well as clients.
//
// A case is text in the directory cases, in a language that its README explains. The
// tested peer is always an echo peer: it sends every message back and answers pings.
//
//   - [FuzzingClient] tests a server, [FuzzingServer] tests clients.
//   - [TestServer] and [TestClient] do the same under go test.
//   - [Cases], [Select] and [ParseCases] say what is tested.
//   - A [Result] is what came of a case.
//
// To learn how it works, read from the top down: case.go, what a case is; script.go
// and its neighbours, how one is read; run.go and its neighbours, how one is run on a
// connection; series.go, how the long ones are; trace.go and judge.go, how it is
// judged; client.go and server.go, where connections come from. Frames and compression
// are in internal/wire.
//
// The package shares no code with the library that it lies beside, so that a fault of
// the library's cannot hide itself here.
package autobahn

// Package bench says what is measured: echo, broadcast, handshakes and idle
// connections, over TCP on the loopback interface, with this library and with
// others. It is a module of its own, so that nobody who uses the library has the
// others among their dependencies. Linux only.
//
//	go test -bench .        # benchmarks as usual, one library after the other
//	go run ./cmd/compare    # rounds of all libraries in turn, a table and a picture
//
// The server is a process of its own, pinned to one core, and what counts is the
// time that this process is on the processor for each message: it does not depend on
// how fast the clients are. They are those of package load, the same for all.
package bench

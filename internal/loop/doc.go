// Package loop has a few goroutines wait for all sockets, instead of one for each:
// epoll, edge-triggered, on Linux. Elsewhere there is none.
package loop

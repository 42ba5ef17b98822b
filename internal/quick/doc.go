// Package quick reads and writes sockets that never block, as those of package net are.
//
// The runtime is not told of such a call. It need not be, as the call is over soon; and
// a goroutine that makes one after the other without a pause is not taken for one that
// is stuck in a call, whose place is given to another thread. Nor does the call go
// through what the system does for files of all kinds.
package quick

// Package hub sends messages to many connections: to all of a hub's members, or to
// those that have subscribed to a topic. Publishing waits for no peer: what one does
// not take at once waits in a queue of its own, within a budget, and nobody else is
// held up by it. A message is encoded once, and compressed once, for all.
package hub

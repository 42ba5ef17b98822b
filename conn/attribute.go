package conn

// An Attribute is a name for values of type T that connections carry. Declare it as
// a variable of a package; where Set would do with any key, it also knows the type:
//
//	var user conn.Attribute[User]
//
//	user.Set(c, u)
//	u, ok := user.Get(c)
//
// Two Attributes never name the same value, even of the same type. All methods may be
// called from any goroutine.
type Attribute[T any] struct {
	_ byte // variables of no size may share their address
}

// Set keeps v for as long as the connection is referenced.
func (a *Attribute[T]) Set(c *Conn, v T) { c.Set(a, v) }

// Get returns what was Set, and whether anything was.
func (a *Attribute[T]) Get(c *Conn) (v T, ok bool) {
	v, ok = c.Value(a).(T)
	return v, ok
}

// Remove forgets what was Set, if anything was, and returns it.
func (a *Attribute[T]) Remove(c *Conn) (v T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked != nil {
		v, ok = c.values[a].(T)
		delete(c.values, a)
	}
	return v, ok
}

package conn_test

import (
	"fmt"
	"testing"

	"github.com/swan-ws/websocket/conn"
)

func TestAttribute_KeepsOneValueOfItsType(t *testing.T) {
	var user, host conn.Attribute[string]
	var age conn.Attribute[int]
	c := conn.New(newSink(), conn.Config{})
	defer c.CloseNow()
	if v, ok := user.Get(c); ok || v != "" {
		t.Errorf("%q, %v before Set", v, ok)
	}
	if v, ok := user.Remove(c); ok || v != "" {
		t.Errorf("removed %q, %v before Set", v, ok)
	}
	user.Set(c, "first")
	user.Set(c, "ann")
	age.Set(c, 30)
	if v, ok := host.Get(c); ok {
		t.Errorf("another attribute of the type has %q", v)
	}
	if v, ok := user.Get(c); v != "ann" || !ok {
		t.Errorf("%q, %v", v, ok)
	}
	if v, ok := user.Remove(c); v != "ann" || !ok {
		t.Errorf("removed %q, %v", v, ok)
	}
	if _, ok := user.Get(c); ok {
		t.Error("it is still there after Remove")
	}
	if v, ok := age.Get(c); v != 30 || !ok {
		t.Errorf("%v, %v", v, ok)
	}
}

func ExampleAttribute() {
	type User struct{ Name string }
	var user conn.Attribute[User] // of the package, as a rule

	c := conn.New(newSink(), conn.Config{})
	defer c.CloseNow()
	user.Set(c, User{"Ann"})
	if u, ok := user.Get(c); ok {
		fmt.Println(u.Name)
	}
	// Output: Ann
}

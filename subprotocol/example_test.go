package subprotocol_test

import (
	"fmt"

	"github.com/swan-ws/websocket/subprotocol"
)

// A server picks one of the names that the client offers, by the client's order
// of preference or by its own.
func Example() {
	offered, err := subprotocol.Parse([]string{"v2.chat.example.com, v1.chat.example.com", "mqtt"})
	if err != nil {
		fmt.Println(err)
		return
	}
	supported := []string{"mqtt", "v1.chat.example.com"}
	fmt.Println(subprotocol.Select(offered, supported))
	fmt.Println(subprotocol.SelectPreferred(offered, supported))
	// Output:
	// v1.chat.example.com
	// mqtt
}

func ExampleParse() {
	_, err := subprotocol.Parse([]string{"chat, chat"})
	fmt.Println(err)
	// Output:
	// subprotocol "chat" is listed twice: want each name once
}

package conn

import (
	"context"
	"encoding/json"
	"fmt"
)

// WriteJSON sends v as a text message of JSON.
func (c *Conn) WriteJSON(ctx context.Context, v any) error {
	p, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("websocket: message not sent: %w", err)
	}
	return c.Write(ctx, Text, p)
}

// ReadJSON waits for the next message, of either type, and stores the JSON in it
// in v, as json.Unmarshal does. An error of Unmarshal leaves the connection open;
// the message is gone.
func (c *Conn) ReadJSON(ctx context.Context, v any) error {
	m, err := c.Read(ctx)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(m.Data, v); err != nil {
		return fmt.Errorf("websocket: %v message of %d bytes: %w", m.Type, len(m.Data), err)
	}
	return nil
}

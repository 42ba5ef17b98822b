package conn_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/swan-ws/websocket/conn"
	"github.com/swan-ws/websocket/frame"
)

func TestSendPing_AndSendPong_AreOneFrame_WithThatPayload(t *testing.T) {
	for _, role := range roles {
		synctest.Test(t, func(t *testing.T) {
			var ponged []byte
			c, peer := against(t, role, conn.Options{PingEvery: -1, OnPong: func(_ *conn.Conn, p []byte) { ponged = bytes.Clone(p) }})
			go drain(c)
			w := newWire(peer)
			sent := []byte{5, 24, 56, 243}
			for _, tc := range []struct {
				send   func(context.Context, []byte) error
				opcode frame.Opcode
			}{{c.SendPing, frame.OpPing}, {c.SendPong, frame.OpPong}} {
				go func() {
					if err := tc.send(bg, sent); err != nil {
						t.Error(err)
					}
				}()
				if f := w.mustNext(t); f.Opcode != tc.opcode || !bytes.Equal(f.Payload, sent) {
					t.Errorf("%v", f)
				}
				if err := tc.send(bg, make([]byte, 126)); err == nil || !strings.Contains(err.Error(), "125") {
					t.Errorf("126 bytes: %v", err)
				}
			}
			mustWrite(t, peer, to(role, pongFrame, string(sent)))
			synctest.Wait()
			if !bytes.Equal(ponged, sent) {
				t.Errorf("OnPong got % x", ponged)
			}
			ended, cancel := context.WithCancel(bg)
			cancel()
			if err := c.SendPing(ended, nil); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
}

// Package frame is the wire format of the WebSocket protocol and nothing else:
// opcodes, the frame header, masking, close codes and text validation, as
// functions on bytes. It knows no connection, no role and no message.
//
// Use it alone to write a proxy, a fuzzer, a dissector or a peer of your own:
//
//	n, err := h.Parse(buf)         // n == 0: more bytes are needed
//	frame.Mask(payload, h.Key, 0)  // unmask in place
//	out = h.Append(out)
//
// Sections are those of RFC 6455 (https://www.rfc-editor.org/rfc/rfc6455).
package frame

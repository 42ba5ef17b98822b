package main

import (
	"strings"
	"testing"
)

func TestConnect_Compresses_AsBothSidesWant(t *testing.T) {
	text := strings.Repeat("swan ", 1000) + "\n"
	tests := []struct{ server, client, extension string }{
		{"on", "on", `extension "permessage-deflate; server_no_context_takeover; client_no_context_takeover"`},
		{"takeover", "takeover", `extension "permessage-deflate"`},
		{"takeover", "on", `extension "permessage-deflate; server_no_context_takeover; client_no_context_takeover"`},
		{"off", "on", ""},
		{"on", "off", ""},
	}
	for _, tt := range tests {
		t.Run(tt.server+" with "+tt.client, func(t *testing.T) {
			_, addr := startServe(t, "-compress", tt.server)
			code, out, errs := runWith(t, text, "connect", "-compress", tt.client, "-n", "1", "ws://"+addr+"/echo")
			want(t, "exit code", code, exitOK)
			want(t, "stdout", out, text)
			wantParts(t, errs, tt.extension)
			if tt.extension == "" && strings.Contains(errs, "permessage-deflate") {
				t.Errorf("compressed:\n%s", errs)
			}
		})
	}
}

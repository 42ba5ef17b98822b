package autobahn

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
)

// Options are the settings that both fuzzers share. The zero value runs everything.
type Options struct {
	Cases    []Case // nil: Cases()
	Agent    string // name of the tested server; "": its Server header, or "UnknownServer"
	Parallel int    // cases at once; 0: a sensible number
	Messages int    // of each series in sections 9.7, 9.8, 12 and 13; 0: 1000 as in the original
	Largest  int    // cuts messages to so many octets where that leaves the case the same, as in sections 9, 12 and 13; 0: no limit
	Patience int    // how many times as long as the original it waits for a peer, on a busy machine or a slow link; 0: 1

	OnStart  func(id string) // as cases begin; one call at a time, with OnResult
	OnResult func(Result)    // as cases finish

	Header    http.Header // added to the fuzzing client's requests
	Host      string      // of its requests, if not the URL's; to the fuzzing server, the only one that clients may write
	Origin    string      // of its requests
	Protocols []string    // subprotocols: asked for, or granted

	TLS  *tls.Config                                                       // of wss: the fuzzing client's, and that of the server in TestClient
	Dial func(ctx context.Context, network, addr string) (net.Conn, error) // nil: net.Dialer
	Wrap func(net.Conn) net.Conn                                           // e.g. to chop reads and writes; nil: none
}

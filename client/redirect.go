package client

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/swan-ws/websocket/handshake"
)

func isRedirect(resp *http.Response) bool {
	if resp == nil {
		return false
	}
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// redirect returns where a response sends the client from target, and whether
// that is the same host and port.
func redirect(from handshake.Target, resp *http.Response) (next string, sameHost bool, err error) {
	base := from.HTTPURL()
	to, err := base.Parse(resp.Header.Get("Location"))
	if err != nil || resp.Header.Get("Location") == "" {
		return "", false, fmt.Errorf("redirect to %.128q: not a URL", resp.Header.Get("Location"))
	}
	switch strings.ToLower(to.Scheme) {
	case "http":
		to.Scheme = "ws"
	case "https":
		to.Scheme = "wss"
	}
	to.Fragment, to.RawFragment = "", ""
	if from.Secure && to.Scheme == "ws" {
		return "", false, errDowngrade
	}
	target, err := handshake.ParseURL(to.String())
	if err != nil {
		return "", false, fmt.Errorf("redirect: %w", err)
	}
	return to.String(), target.Addr == from.Addr, nil
}

// withoutSecrets is the header for another host than the one it was meant for.
func withoutSecrets(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range []string{"Authorization", "Cookie", "Proxy-Authorization", "Host"} {
		h.Del(name)
	}
	return h
}

package oddpeer

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// accept is the server's part of the opening handshake (§4.2). It reports whether
// the connection is open.
func (l *link) accept() bool {
	h, err := l.readHead(l.in)
	switch {
	case err == errTooLarge:
		l.refuse(http.StatusRequestHeaderFieldsTooLarge)
	case err == errMalformed:
		l.refuse(http.StatusBadRequest)
	}
	if err != nil {
		return false
	}
	offers, list := l.elements(h.lines("Sec-WebSocket-Extensions"))
	err = l.judgeRequest(h, list)
	if status, ok := errors.AsType[failure](err); ok {
		l.refuse(int(status))
		return false
	}
	if l.write(l.response(h, l.answer(offers))) != nil {
		return false
	}
	if l.odd("frames-with-handshake-lost") {
		l.in.Discard(l.in.Buffered())
	}
	return true
}

// judgeRequest has the rules of §4.2.1; a broken one costs a status.
func (l *link) judgeRequest(h head, extensions bool) error {
	request := strings.Split(h.start, " ")
	if len(request) != 3 || request[1] == "" {
		return failure(400)
	}
	method, target, version := request[0], request[1], request[2]
	hosts, keys, versions := h.lines("Host"), h.lines("Sec-WebSocket-Key"), h.lines("Sec-WebSocket-Version")
	host, key := h.one("Host"), h.one("Sec-WebSocket-Key")
	nonce, err := base64.StdEncoding.Strict().DecodeString(key)
	if err := l.demand("target-with-host-refused", target[0] != '/', 400); err != nil {
		return err
	}
	length, protocols := h.one("Content-Length"), h.lines("Sec-WebSocket-Protocol")
	return l.judge(
		rule{"http-version-unchecked", version != "HTTP/1.1" && version != "HTTP/1.0", 400},
		rule{"http10-accepted", version == "HTTP/1.0", 400},
		rule{"post-accepted", method != "GET", 405},
		rule{"target-unchecked", !isTarget(target), 400},
		rule{"host-missing-accepted", len(hosts) == 0, 400},
		rule{"host-repeated-accepted", len(hosts) > 1, 400},
		rule{"host-unchecked", len(hosts) == 1 && !isHost(host), 400},
		rule{"body-accepted", length != "" && length != "0" || len(h.lines("Transfer-Encoding")) > 0, 400},
		rule{"upgrade-unchecked", !h.has("Upgrade", "websocket"), 426},
		rule{"connection-unchecked", !h.has("Connection", "Upgrade"), 400},
		rule{"version-missing-accepted", len(versions) == 0, 426},
		rule{"version-repeated-accepted", len(versions) > 1, 426},
		rule{"version-unchecked", len(versions) == 1 && !l.isVersion(versions[0]), 426},
		rule{"key-missing-accepted", len(keys) == 0, 400},
		rule{"key-repeated-accepted", len(keys) > 1, 400},
		rule{"key-length-unchecked", len(keys) == 1 && len(nonce) != 16 && (err == nil || key == ""), 400},
		rule{"key-unchecked", len(keys) == 1 && err != nil && key != "", 400},
		rule{"extensions-grammar-unchecked", !extensions, 400},
		rule{"subprotocols-grammar-unchecked", !areTokens(protocols), 400},
		rule{"subprotocol-twice-accepted", repeats(protocols), 400},
	)
}

func (l *link) isVersion(v string) bool {
	return v == "13" || v == "8" && l.odd("version-8-accepted") ||
		strings.Contains(v, "13") && l.odd("version-13-among-others-accepted")
}

func isTarget(s string) bool {
	u, err := url.ParseRequestURI(s)
	return err == nil && !strings.Contains(s, "#") && (s[0] == '/' || u.Scheme == "http" && u.Host != "")
}

func isHost(s string) bool {
	u, err := url.Parse("http://" + s + "/")
	return err == nil && s != "" && u.Host == s && !strings.ContainsAny(s, ", /@")
}

func areTokens(lines []string) bool {
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			if !isToken(strings.Trim(part, " \t")) {
				return false
			}
		}
	}
	return true
}

// repeats reports whether a list has an element twice.
func repeats(lines []string) bool {
	seen := map[string]bool{}
	for part := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		part = strings.Trim(part, " \t")
		if part != "" && seen[part] {
			return true
		}
		seen[part] = true
	}
	return false
}

// refuse answers with an HTTP error.
func (l *link) refuse(status int) {
	more := "Content-Length: 0\r\nConnection: close\r\n"
	if status == http.StatusUpgradeRequired && !l.odd("version-refused-without-13") {
		more += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	}
	switch {
	case l.odd("refuses-without-status"):
		return
	case l.odd("refuses-with-200"):
		status = http.StatusOK
	case l.odd("refuses-with-500"):
		status = http.StatusInternalServerError
	case l.odd("refuses-with-101"):
		status = http.StatusSwitchingProtocols
	}
	l.write(fmt.Appendf(nil, "HTTP/1.1 %d %s\r\n%s\r\n", status, http.StatusText(status), more))
}

// response is the 101 (§4.2.2).
func (l *link) response(h head, extensions string) []byte {
	fields := []field{
		{"Upgrade", "websocket"},
		{"Connection", "Upgrade"},
		{"Sec-WebSocket-Accept", l.acceptFor(h.one("Sec-WebSocket-Key"))},
	}
	start, newline := "HTTP/1.1 101 Switching Protocols", "\r\n"
	without := func(i int) { fields = slices.Delete(fields, i, i+1) }
	add := func(name, value string) { fields = append(fields, field{name, value}) }
	if extensions != "" {
		add("Sec-WebSocket-Extensions", extensions)
	}
	offered := h.lines("Sec-WebSocket-Protocol")
	switch {
	case l.odd("answers-200"):
		start = "HTTP/1.1 200 OK"
	case l.odd("answers-http10"):
		start = "HTTP/1.0 101 Switching Protocols"
	case l.odd("answers-with-bare-newlines"):
		newline = "\n"
	case l.odd("answers-without-upgrade"):
		without(0)
	case l.odd("answers-other-upgrade"):
		fields[0].value = "websocket2"
	case l.odd("answers-without-connection"):
		without(1)
	case l.odd("answers-connection-close"):
		fields[1].value = "close"
	case l.odd("answers-without-accept"):
		without(2)
	case l.odd("answers-accept-twice"):
		add("Sec-WebSocket-Accept", fields[2].value)
	case l.odd("answers-extensions-twice") && extensions != "":
		add("Sec-WebSocket-Extensions", extensions)
	case l.odd("subprotocol-unoffered-answered"):
		add("Sec-WebSocket-Protocol", "odd")
	case l.odd("subprotocol-empty-answered"):
		add("Sec-WebSocket-Protocol", "")
	case l.odd("subprotocols-all-answered") && len(offered) > 0:
		add("Sec-WebSocket-Protocol", strings.Join(offered, ", "))
	case l.odd("subprotocol-in-other-case-answered") && len(offered) > 0:
		first, _, _ := strings.Cut(offered[0], ",")
		add("Sec-WebSocket-Protocol", strings.ToUpper(first))
	}
	b := []byte(start + newline)
	for _, f := range fields {
		b = append(b, f.name+": "+f.value+newline...)
	}
	return append(b, newline...)
}

// acceptFor is Sec-WebSocket-Accept for a key.
func (l *link) acceptFor(key string) string {
	const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	sum := sha1.Sum([]byte(key + guid))
	switch {
	case l.odd("accept-of-key-alone"):
		sum = sha1.Sum([]byte(key))
	case l.odd("accept-of-decoded-key"):
		nonce, _ := base64.StdEncoding.DecodeString(key)
		sum = sha1.Sum(append(nonce, guid...))
	case l.odd("accept-in-hex"):
		return fmt.Sprintf("%x", sum)
	case l.odd("accept-is-key"):
		return key
	case l.odd("accept-without-padding"):
		return base64.RawStdEncoding.EncodeToString(sum[:])
	}
	return base64.StdEncoding.EncodeToString(sum[:])
}

// open is the client's part of the opening handshake (§4.1).
func (l *link) open(u *url.URL) error {
	var nonce [16]byte
	rand.Read(nonce[:])
	key := base64.StdEncoding.EncodeToString(nonce[:])
	if err := l.write(l.request(u, key)); err != nil {
		return err
	}
	h, err := l.readHead(l.in)
	if err != nil {
		return err
	}
	if err := l.judgeResponse(h, l.acceptFor(key)); err != nil {
		return err
	}
	if l.odd("frames-with-handshake-lost") {
		l.in.Discard(l.in.Buffered())
	}
	return nil
}

func (l *link) request(u *url.URL, key string) []byte {
	start := "GET " + u.RequestURI() + " HTTP/1.1"
	fields := []field{
		{"Host", u.Host},
		{"Upgrade", "websocket"},
		{"Connection", "Upgrade"},
		{"Sec-WebSocket-Key", key},
		{"Sec-WebSocket-Version", "13"},
		{"Sec-WebSocket-Extensions", offer},
	}
	without := func(i int) { fields = slices.Delete(fields, i, i+1) }
	early := ""
	switch {
	case l.odd("asks-by-post"):
		start = "POST " + u.RequestURI() + " HTTP/1.1"
	case l.odd("asks-http10"):
		start = "GET " + u.RequestURI() + " HTTP/1.0"
	case l.odd("asks-without-host"):
		without(0)
	case l.odd("asks-without-port"):
		fields[0].value = u.Hostname()
	case l.odd("asks-without-upgrade"):
		without(1)
	case l.odd("asks-without-connection"):
		without(2)
	case l.odd("asks-without-key"):
		without(3)
	case l.odd("asks-with-short-key"):
		fields[3].value = key[4:]
	case l.odd("asks-for-version-12"):
		fields[4].value = "12"
	case l.odd("asks-without-version"):
		without(4)
	case l.odd("asks-with-unknown-parameter"):
		fields[5].value += "; x_unknown"
	case l.odd("asks-with-broken-extensions"):
		fields[5].value += ";;"
	case l.odd("sends-before-answer"):
		early = string(l.appendFrame(nil, opText, 0, true, []byte("early")))
	}
	s := start + "\r\n"
	for _, f := range fields {
		s += f.name + ": " + f.value + "\r\n"
	}
	return []byte(s + "\r\n" + early)
}

// judgeResponse has the rules of §4.1 for the server's answer.
func (l *link) judgeResponse(h head, want string) error {
	version, rest, _ := strings.Cut(h.start, " ")
	status, _, _ := strings.Cut(rest, " ")
	upgrades, accepts, extensions := h.lines("Upgrade"), h.lines("Sec-WebSocket-Accept"), h.lines("Sec-WebSocket-Extensions")
	upgrade, accept := h.one("Upgrade"), h.one("Sec-WebSocket-Accept")
	if l.odd("accept-case-insensitive") {
		accept, want = strings.ToLower(accept), strings.ToLower(want)
	}
	if l.odd("accept-prefix-compared") {
		accept = accept[:min(len(accept), len(want))]
		want = want[:len(accept)]
	}
	wrong := fmt.Errorf("refused: %.99q", h.start)
	answer, list := l.elements(extensions)
	err := l.judge(
		rule{"http-version-unchecked", version != "HTTP/1.1" && version != "HTTP/1.0", 1},
		rule{"http10-accepted", version == "HTTP/1.0", 1},
		rule{"status-unchecked", status != "101" && !(l.odd("status-200-accepted") && status == "200"), 1},
		rule{"upgrade-missing-accepted", len(upgrades) == 0, 1},
		rule{"upgrade-unchecked", len(upgrades) > 0 && !l.same(upgrade, "websocket"), 1},
		rule{"connection-unchecked", !h.has("Connection", "Upgrade"), 1},
		rule{"accept-missing-accepted", len(accepts) == 0, 1},
		rule{"accept-repeated-accepted", len(accepts) > 1, 1},
		rule{"accept-unchecked", len(accepts) == 1 && accept != want, 1},
		rule{"subprotocol-unoffered-accepted", len(h.lines("Sec-WebSocket-Protocol")) > 0, 1},
		rule{"deflate-twice-accepted", len(extensions) > 1, 1},
		rule{"extensions-grammar-unchecked", !list, 1},
		rule{"extensions-unchecked", !l.confirm(answer), 1},
	)
	if err != nil {
		return wrong
	}
	return nil
}

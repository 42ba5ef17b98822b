package autobahn

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// software is what the fuzzers call themselves.
const software = "swan-autobahn"

// newKey makes the nonce of a request.
func newKey() string {
	var nonce [16]byte
	rand.Read(nonce[:])
	return base64.StdEncoding.EncodeToString(nonce[:])
}

// request writes the fuzzing client's half of the opening handshake.
func (o *Options) request(c *Case, u *url.URL, key string) []byte {
	host := o.Host
	if host == "" {
		host = u.Host
	}
	fields := []field{
		{"User-Agent", software},
		{"Host", host},
		{"Upgrade", "WebSocket"},
		{"Connection", "Upgrade"},
		{"Pragma", "no-cache"},
		{"Cache-Control", "no-cache"},
		{"Sec-WebSocket-Key", key},
	}
	if o.Origin != "" {
		fields = append(fields, field{"Origin", o.Origin})
	}
	if len(o.Protocols) > 0 {
		fields = append(fields, field{"Sec-WebSocket-Protocol", strings.Join(o.Protocols, ", ")})
	}
	if c.deflate != nil && c.deflate.offer != "" {
		fields = append(fields, field{"Sec-WebSocket-Extensions", c.deflate.offer})
	}
	fields = append(fields, field{"Sec-WebSocket-Version", "13"})
	for _, name := range slices.Sorted(maps.Keys(o.Header)) {
		for _, v := range o.Header[name] {
			fields = append(fields, field{name, v})
		}
	}
	path := u.RequestURI()
	replace := strings.NewReplacer("{path}", path, "{host}", host, "{key}", key)
	return c.shake.edit("GET "+path+" HTTP/1.1", fields, replace)
}

// acceptFor answers a key (§4.2.2).
func acceptFor(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// caseTurned makes small letters of capitals, and the other way round.
func caseTurned(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

// agreement is what an opening handshake agreed on; nil parameters: no extension.
type agreement struct {
	deflate *deflateParams
}

// checkResponse looks at a server's answer to a request with a nonce. What is wrong
// with it is in the outcome.
func checkResponse(request head, nonce string, answer []byte, everything bool) (out openingOutcome, agreed agreement) {
	out.kind = openingBroken
	h, err := parseHead(answer)
	out.head = h
	if err != nil {
		out.fault = err.Error()
		return out, agreed
	}
	version, rest, _ := strings.Cut(h.first, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	switch {
	case err != nil || len(code) != 3 || !strings.HasPrefix(version, "HTTP/"):
		out.fault = fmt.Sprintf("its first line is %q, and not one of HTTP", short(h.first))
	case status != 101:
		out.kind, out.status = openingRefused, status
		out.fault = fmt.Sprintf("the server answered %q instead of 101", short(h.first))
	case version != "HTTP/1.1":
		out.fault = fmt.Sprintf("it speaks %q instead of HTTP/1.1", short(version))
	default:
		if agreed, err = checkUpgrade(request, h, nonce, everything); err != nil {
			out.fault = err.Error()
		} else {
			out.kind = openingDone
		}
	}
	return out, agreed
}

// checkUpgrade looks at the headers of a response that is a 101 (§4.1).
func checkUpgrade(request, h head, nonce string, everything bool) (agreed agreement, err error) {
	switch upgrade, uerr := h.once("Upgrade"); {
	case uerr != nil:
		return agreed, uerr
	case !strings.EqualFold(upgrade, "websocket"):
		return agreed, fmt.Errorf("the header Upgrade is %q instead of websocket", short(upgrade))
	case !h.has("Connection", "upgrade"):
		return agreed, errors.New("the header Connection does not say Upgrade")
	}
	accept, err := h.once("Sec-WebSocket-Accept")
	if err != nil {
		return agreed, err
	}
	key := request.get("Sec-WebSocket-Key")
	if key == "" { // the case hides it
		key = nonce
	}
	if want := acceptFor(key); accept != want {
		return agreed, fmt.Errorf("the header Sec-WebSocket-Accept is %q instead of %q", short(accept), want)
	}
	if everything && (h.get("Content-Length") != "" && h.get("Content-Length") != "0" || h.get("Transfer-Encoding") != "") {
		return agreed, errors.New("a 101 has no body, and says that it has")
	}
	if p := h.values("Sec-WebSocket-Protocol"); len(p) > 1 || len(p) == 1 && !slices.Contains(request.list("Sec-WebSocket-Protocol"), p[0]) {
		return agreed, fmt.Errorf("the header Sec-WebSocket-Protocol is %q, which was not asked for", short(strings.Join(p, ", ")))
	}
	return checkExtensions(request, h, everything)
}

// checkExtensions looks at what a response says of extensions (§9.1, 7692 §7.1).
func checkExtensions(request, h head, everything bool) (agreed agreement, err error) {
	values := h.values("Sec-WebSocket-Extensions")
	if len(values) == 0 {
		return agreed, nil
	}
	if len(values) > 1 {
		return agreed, errors.New("the header Sec-WebSocket-Extensions is there twice")
	}
	list, err := parseExtensions(values[0])
	if err != nil {
		return agreed, err
	}
	offers, _ := parseExtensions(request.get("Sec-WebSocket-Extensions")) // ours may be wrong on purpose
	for _, e := range list {
		if e.name != deflateName || !offersDeflate(offers) {
			return agreed, fmt.Errorf("the extension %q was not offered", short(e.name))
		}
		if agreed.deflate != nil {
			return agreed, fmt.Errorf("the extension %q is there twice", e.name)
		}
		d, err := parseDeflate(e, false)
		if err != nil {
			return agreed, err
		}
		agreed.deflate = &d
		if everything {
			if err := d.check(offers); err != nil {
				return agreed, err
			}
		}
	}
	return agreed, nil
}

// checkRequest looks at a client's request (§4.2.1). host is what Host must be; if it
// is "", what counts is that Host has a port, where port is not the usual one: a proxy
// may have another.
func checkRequest(h head, host, port string) error {
	method, rest, _ := strings.Cut(h.first, " ")
	target, version, _ := strings.Cut(rest, " ")
	key, keyErr := h.once("Sec-WebSocket-Key")
	asked, hostErr := h.once("Host")
	v, versionErr := h.once("Sec-WebSocket-Version")
	nonce, nonceErr := base64.StdEncoding.DecodeString(key)
	_, askedPort, _ := strings.Cut(asked[strings.LastIndexByte(asked, ']')+1:], ":")
	usual := port == "" || port == "80" || port == "443"
	switch {
	case method != "GET" || version != "HTTP/1.1" || !strings.HasPrefix(target, "/"):
		return fmt.Errorf("the request begins with %q instead of GET, a path and HTTP/1.1", short(h.first))
	case hostErr != nil:
		return hostErr
	case host != "" && !strings.EqualFold(asked, host):
		return fmt.Errorf("the header Host is %q instead of %q", short(asked), host)
	case host == "" && askedPort == "" && !usual:
		return fmt.Errorf("the header Host is %q, but the port is %s", short(asked), port)
	case !h.has("Upgrade", "websocket"):
		return errors.New("the header Upgrade does not say websocket")
	case !h.has("Connection", "upgrade"):
		return errors.New("the header Connection does not say Upgrade")
	case keyErr != nil:
		return keyErr
	case nonceErr != nil || len(nonce) != 16 || len(key) != 24:
		return fmt.Errorf("the header Sec-WebSocket-Key is %q, and not 16 octets in base64", short(key))
	case versionErr != nil:
		return versionErr
	case v != "13" && v != "8":
		return fmt.Errorf("the header Sec-WebSocket-Version is %q instead of 13", short(v))
	case len(h.values("Sec-WebSocket-Extensions")) > 1:
		return errors.New("the header Sec-WebSocket-Extensions is there twice")
	}
	_, err := requestedExtensions(h)
	return err
}

func requestedExtensions(h head) ([]extension, error) {
	if len(h.values("Sec-WebSocket-Extensions")) == 0 {
		return nil, nil
	}
	return parseExtensions(h.get("Sec-WebSocket-Extensions"))
}

// response writes the fuzzing server's half of the opening handshake, and says what
// is agreed on by it.
func (o *Options) response(c *Case, request head) (answer []byte, agreed agreement, err error) {
	offers, err := requestedExtensions(request)
	if err != nil {
		return nil, agreed, err
	}
	d, ok, err := c.deflate.accept(offers)
	if err != nil {
		return nil, agreed, err
	}
	accept := acceptFor(request.get("Sec-WebSocket-Key"))
	fields := []field{{"Server", software}, {"Upgrade", "WebSocket"}, {"Connection", "Upgrade"}}
	for _, p := range request.list("Sec-WebSocket-Protocol") {
		if slices.Contains(o.Protocols, p) {
			fields = append(fields, field{"Sec-WebSocket-Protocol", p})
			break
		}
	}
	fields = append(fields, field{"Sec-WebSocket-Accept", accept})
	if ok {
		fields = append(fields, field{"Sec-WebSocket-Extensions", d.String()})
	}
	answer = c.shake.edit("HTTP/1.1 101 Switching Protocols", fields, strings.NewReplacer("{accept}", accept, "{ACCEPT}", caseTurned(accept)))
	// What counts is what the client sees.
	if h, err := parseHead(answer); err == nil {
		if list, err := parseExtensions(h.get("Sec-WebSocket-Extensions")); err == nil {
			for _, e := range list {
				if d, err := parseDeflate(e, false); err == nil && e.name == deflateName {
					agreed.deflate = &d
				}
			}
		}
	}
	return answer, agreed, nil
}

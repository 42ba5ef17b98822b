package handshake

import (
	"fmt"
	"strings"
)

// Extension is one element of Sec-WebSocket-Extensions (§9.1). What its
// parameters mean is for the extension to say.
type Extension struct {
	Name   string
	Params []Param
}

// Param is a parameter of an [Extension]. Value is "" if there is none, since
// a value that is there is a token and never empty.
type Param struct {
	Name, Value string
}

// ParseExtensions reads the field lines of Sec-WebSocket-Extensions, which join
// as if they were one. No line at all is no extension: nil, nil. Names and
// values share memory with lines, save for values with escapes.
//
// It takes time linear in the input: each byte is looked at once.
func ParseExtensions(lines []string) ([]Extension, error) {
	list, err := parseExtensions(lines)
	if err != nil {
		return nil, refuse(0, "9.1", "Sec-WebSocket-Extensions: %v", err)
	}
	return list, nil
}

// AppendExtensions appends list as [ParseExtensions] reads it and returns the
// extended buffer. Names and values must be tokens; a value may be "".
func AppendExtensions(dst []byte, list []Extension) []byte {
	for i, e := range list {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, e.Name...)
		for _, p := range e.Params {
			dst = append(dst, "; "...)
			dst = append(dst, p.Name...)
			if p.Value != "" {
				dst = append(dst, '=')
				dst = append(dst, p.Value...)
			}
		}
	}
	return dst
}

// checkExtensions refuses what AppendExtensions cannot write.
func checkExtensions(status int, list []Extension) error {
	for _, e := range list {
		if !isToken(e.Name) {
			return refuse(status, "9.1", "Extensions: name %.128q is not a token", e.Name)
		}
		for _, p := range e.Params {
			if !isToken(p.Name) || p.Value != "" && !isToken(p.Value) {
				return refuse(status, "9.1", "Extensions: parameter %.128q=%.128q of %s is not made of tokens", p.Name, p.Value, e.Name)
			}
		}
	}
	return nil
}

// parseExtensions takes line by line, because no element can reach from one
// into the next: the comma that would join them ends a token and cannot stand
// in a quoted one.
//
//	extension-list = 1#extension
func parseExtensions(lines []string) ([]Extension, error) {
	var list []Extension
	for _, line := range lines {
		s := scanner{line}
		s.skipSpace()
		for s.rest != "" {
			if s.accept(',') { // an empty element, which # allows
				continue
			}
			e, err := s.extension()
			if err != nil {
				return nil, err
			}
			list = append(list, e)
			if s.rest != "" && !s.accept(',') {
				return nil, fmt.Errorf("found %.128q after %q, want a comma or a semicolon", s.rest, e.Name)
			}
		}
	}
	if len(list) == 0 && len(lines) > 0 {
		return nil, fmt.Errorf("%s, want at least one extension, or no such header", found(lines))
	}
	return list, nil
}

// scanner eats a header value from its front. Each of its methods also eats the
// whitespace that follows, by the "implied *LWS rule" of RFC 2616 §2.1.
type scanner struct{ rest string }

func (s *scanner) skipSpace() {
	for s.rest != "" && (s.rest[0] == ' ' || s.rest[0] == '\t') {
		s.rest = s.rest[1:]
	}
}

func (s *scanner) accept(c byte) bool {
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	s.skipSpace()
	return true
}

// extension = extension-token *( ";" extension-param )
func (s *scanner) extension() (e Extension, err error) {
	if e.Name, err = s.token("an extension's name"); err != nil {
		return e, err
	}
	for s.accept(';') {
		p, err := s.param()
		if err != nil {
			return e, err
		}
		e.Params = append(e.Params, p)
	}
	return e, nil
}

// extension-param = token [ "=" (token | quoted-string) ]
func (s *scanner) param() (p Param, err error) {
	if p.Name, err = s.token("a parameter's name"); err != nil || !s.accept('=') {
		return p, err
	}
	if strings.HasPrefix(s.rest, `"`) {
		p.Value, err = s.quoted()
	} else {
		p.Value, err = s.token("a parameter's value")
	}
	return p, err
}

func (s *scanner) token(what string) (string, error) {
	n := 0
	for n < len(s.rest) && isTokenByte(s.rest[n]) {
		n++
	}
	if n == 0 {
		return "", fmt.Errorf("found %.128q, want %s", s.rest, what)
	}
	token := s.rest[:n]
	s.rest = s.rest[n:]
	s.skipSpace()
	return token, nil
}

// quoted eats a quoted-string. "The value after quoted-string unescaping MUST
// conform to the 'token' ABNF" (§9.1), so it ends at the first byte that no
// token has, and an escape can only stand before a byte that needs none.
func (s *scanner) quoted() (string, error) {
	var unescaped []byte
	start := 1 // of what is not yet in unescaped
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"' && i > 1:
			value := s.rest[start:i]
			if unescaped != nil {
				value = string(append(unescaped, value...))
			}
			s.rest = s.rest[i+1:]
			s.skipSpace()
			return value, nil
		case c == '\\' && i+1 < len(s.rest) && isTokenByte(s.rest[i+1]):
			unescaped = append(unescaped, s.rest[start:i]...)
			i++
			start = i
		case !isTokenByte(c):
			return "", fmt.Errorf("found %.128q, want a quoted value that is a token", s.rest)
		}
	}
	return "", fmt.Errorf("found %.128q, want a closing quote", s.rest)
}

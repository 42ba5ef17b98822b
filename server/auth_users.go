package server

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// What UserLine makes, and what a line may say.
const (
	passwordIterations = 600_000
	passwordSalt       = 16
	minIterations      = 1000
	maxIterations      = 10_000_000
)

// loginTimeout is how long a login waits for those before it.
const loginTimeout = 10 * time.Second

// Users know people by name and password. They are lines of text, one for each:
//
//	name:$pbkdf2-sha256$i=600000$salt$hash
//	name:$pbkdf2-sha256$i=600000$salt$hash:scope scope
//
// The password is stretched by PBKDF2 with HMAC-SHA-256 (RFC 8018 §5.2), in so many
// iterations, to a hash of 32 bytes; salt and hash are in base64 without padding.
// Empty lines and those that begin with # say nothing. UserLine makes a line.
type Users struct {
	file  *reloading[*userTable]
	slots chan struct{} // held while a password is stretched
}

type userTable struct {
	users      map[string]user
	nobody     user // who is asked for in place of those there are not
	iterations int  // the most of any

	key  []byte   // of the marks
	seen sync.Map // the mark of each name's password, once it was right
}

type user struct {
	iterations int
	salt, hash []byte
	scopes     []string
}

// LoadUsers reads the lines in a file. They are read again when they have changed,
// by the next login a second later or more. When they cannot be read then, those
// before stay, and log gets the reason; nil is slog.Default.
func LoadUsers(file string, log *slog.Logger) (*Users, error) {
	u := newUsers()
	u.file.names, u.file.log = []string{file}, log
	if _, err := u.file.load(); err != nil {
		return nil, fmt.Errorf("websocket: users: %w", err)
	}
	return u, nil
}

// ParseUsers reads the lines in text.
func ParseUsers(text string) (*Users, error) {
	u := newUsers()
	table, err := u.file.parse([][]byte{[]byte(text)})
	if err != nil {
		return nil, fmt.Errorf("websocket: users: %w", err)
	}
	u.file.value.Store(&table)
	return u, nil
}

// newUsers leaves half of the processors to others: guesses of passwords, or many
// users who come back at the same time, do not starve the connections there are.
func newUsers() *Users {
	u := &Users{
		file:  &reloading[*userTable]{},
		slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
	u.file.parse = func(contents [][]byte) (*userTable, error) { return parseUsers(u.file.names, contents[0]) }
	return u
}

// Login is for Basic. It takes as long for a name that there is not as for a
// password that is wrong, which is some 0.2 s of one processor for a line of
// UserLine's; a password that was right before takes next to nothing. Half of the
// processors work for logins at the most. One that has to wait too long for them is
// refused with 503.
func (u *Users) Login(ctx context.Context, name, password string) (*Principal, error) {
	t := u.file.get()
	who, known := t.users[name]
	if !known {
		who = t.nobody
	}
	mark := t.mark(password)
	if seen, ok := t.seen.Load(name); ok && known && hmac.Equal(seen.([]byte), mark) {
		return &Principal{Name: name, Scopes: who.scopes}, nil
	}
	if err := u.wait(ctx); err != nil {
		return nil, err
	}
	defer func() { <-u.slots }()
	right, err := who.has(password)
	if err != nil {
		return nil, err
	}
	if rest := t.iterations - who.iterations; rest > 0 {
		pbkdf2.Key(sha256.New, password, who.salt, rest, sha256.Size) // so that all take the same time
	}
	if !right || !known {
		return nil, errors.New("wrong name or password")
	}
	t.seen.Store(name, mark)
	return &Principal{Name: name, Scopes: who.scopes}, nil
}

// wait takes a slot.
func (u *Users) wait(ctx context.Context) error {
	late := time.NewTimer(loginTimeout)
	defer late.Stop()
	select {
	case u.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		return fmt.Errorf("too many logins at a time: %w", &Rejection{
			Status: http.StatusServiceUnavailable,
			Header: http.Header{"Retry-After": {"10"}},
		})
	}
}

// mark is what is kept of a password that was right, as long as the lines are the
// same. It means nothing without the key, which never leaves the process.
func (t *userTable) mark(password string) []byte {
	m := hmac.New(sha256.New, t.key)
	m.Write([]byte(password))
	return m.Sum(nil)
}

func (who user) has(password string) (bool, error) {
	key, err := pbkdf2.Key(sha256.New, password, who.salt, who.iterations, sha256.Size)
	return subtle.ConstantTimeCompare(key, who.hash) == 1, err
}

func parseUsers(names []string, text []byte) (*userTable, error) {
	t := &userTable{users: make(map[string]user), key: random(sha256.Size)}
	place := strings.Join(append(names, "line"), " ")
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		name, who, err := parseUser(line)
		if _, twice := t.users[name]; twice && err == nil {
			err = errors.New("there is a line for that name already")
		}
		if err != nil { // which quotes nothing: it may be a secret
			return nil, fmt.Errorf("%s %d: %w", place, number, err)
		}
		t.users[name] = who
		t.iterations = max(t.iterations, who.iterations)
	}
	t.iterations = cmp.Or(t.iterations, minIterations)
	t.nobody = user{iterations: t.iterations, salt: random(passwordSalt), hash: random(sha256.Size)}
	return t, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func parseUser(line string) (name string, who user, err error) {
	fields := strings.Split(line, ":")
	if len(fields) < 2 || len(fields) > 3 || fields[0] == "" {
		return "", who, errors.New("want name:hash or name:hash:scopes")
	}
	parts := strings.Split(fields[1], "$")
	if len(parts) != 5 || parts[0] != "" || parts[1] != "pbkdf2-sha256" || !strings.HasPrefix(parts[2], "i=") {
		return "", who, errors.New("want a hash of the form $pbkdf2-sha256$i=ITERATIONS$SALT$HASH, as UserLine makes it")
	}
	who.iterations, err = strconv.Atoi(parts[2][len("i="):])
	if err != nil || who.iterations < minIterations || who.iterations > maxIterations {
		return "", who, fmt.Errorf("want from %d to %d iterations", minIterations, maxIterations)
	}
	var failed error
	who.salt, err = base64.RawStdEncoding.DecodeString(parts[3])
	who.hash, failed = base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil || failed != nil || len(who.salt) < passwordSalt || len(who.hash) != sha256.Size {
		return "", who, fmt.Errorf("want a salt of %d bytes or more and a hash of %d, in base64 without =", passwordSalt, sha256.Size)
	}
	if len(fields) == 3 {
		who.scopes = strings.Fields(fields[2])
	}
	return fields[0], who, nil
}

// UserLine makes the line of a user for LoadUsers, without a newline, in some 0.2 s.
// A name has no colon and no control characters, a scope no colon and no space.
func UserLine(name, password string, scopes ...string) (string, error) {
	if name == "" || name[0] == '#' || strings.TrimSpace(name) == "" ||
		strings.ContainsRune(name, ':') || strings.ContainsFunc(name, unicode.IsControl) {
		return "", fmt.Errorf("websocket: UserLine: a name is not empty, does not begin with #, and has no colon and no control characters: %.128q", name)
	}
	if password == "" {
		return "", errors.New("websocket: UserLine: the password is empty")
	}
	for _, scope := range scopes {
		if scope == "" || strings.ContainsFunc(scope, func(r rune) bool { return r == ':' || unicode.IsSpace(r) || unicode.IsControl(r) }) {
			return "", fmt.Errorf("websocket: UserLine: a scope is not empty, and has no colon and no space: %.128q", scope)
		}
	}
	salt := random(passwordSalt)
	hash, err := pbkdf2.Key(sha256.New, password, salt, passwordIterations, sha256.Size)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding.EncodeToString
	line := fmt.Sprintf("%s:$pbkdf2-sha256$i=%d$%s$%s", name, passwordIterations, b64(salt), b64(hash))
	if len(scopes) > 0 {
		line += ":" + strings.Join(scopes, " ")
	}
	return line, nil
}

package server_test

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/swan-ws/websocket/server"
)

// userLine is a line as the documentation of Users has it, with few iterations.
func userLine(t testing.TB, name, password string, iterations int, scopes string) string {
	t.Helper()
	salt := []byte("0123456789abcdef")
	hash, err := pbkdf2.Key(sha256.New, password, salt, iterations, 32)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("%s:$pbkdf2-sha256$i=%d$%s$%s%s\n", name, iterations, b64(salt), b64(hash), scopes)
}

func parseUsers(t testing.TB, lines ...string) *server.Users {
	t.Helper()
	u, err := server.ParseUsers(strings.Join(lines, ""))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func wantLogin(t testing.TB, u *server.Users, name, password string, scopes ...string) {
	t.Helper()
	p, err := u.Login(t.Context(), name, password)
	if err != nil || p.Name != name || !slices.Equal(p.Scopes, scopes) {
		t.Errorf("%s with %q: %+v, %v", name, password, p, err)
	}
}

func wantNoLogin(t testing.TB, u *server.Users, name, password string) {
	t.Helper()
	p, err := u.Login(t.Context(), name, password)
	if err == nil || p != nil || err.Error() != "wrong name or password" {
		t.Errorf("%s with %q: %+v, %v", name, password, p, err)
	}
}

func TestUsers_KnowTheirPasswords(t *testing.T) {
	u := parseUsers(t,
		"# the staff\r\n", "\n", "  \n",
		userLine(t, "ada", "swan lake", 1000, ""),
		strings.ReplaceAll(userLine(t, "bob b.", "ü", 2000, ":read  write"), "\n", "\r\n"),
		strings.TrimSuffix(userLine(t, "zoë", "pass:word", 1000, ":"), "\n"),
	)
	for range 2 { // the second time they are remembered
		wantLogin(t, u, "ada", "swan lake")
		wantLogin(t, u, "bob b.", "ü", "read", "write")
		wantLogin(t, u, "zoë", "pass:word")
		for _, wrong := range []string{"", "swan lake ", "Swan Lake", "ü"} {
			wantNoLogin(t, u, "ada", wrong)
		}
		for _, unknown := range []string{"", "Ada", "eve", "#", "# the staff", "bob"} {
			wantNoLogin(t, u, unknown, "swan lake")
		}
	}
	wantNoLogin(t, parseUsers(t), "ada", "swan lake")
}

// A hash that other software made of "password".
func TestUsers_KnowAHashMadeElsewhere(t *testing.T) {
	u := parseUsers(t, "ada:$pbkdf2-sha256$i=6400$0ZrzXitFSGltTQnBWOsdAw$Y11AchqV4b0sUisdZd0Xr97KWoymNE0LNNrnEgY4H9M")
	wantLogin(t, u, "ada", "password")
	wantNoLogin(t, u, "ada", "Password")
}

func TestUserLine_MakesWhatUsersRead(t *testing.T) {
	if raceEnabled {
		t.Skip("one line takes 6 seconds then, and shares nothing")
	}
	line, err := server.UserLine("ada", "swan lake", "read", "write")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^ada:\$pbkdf2-sha256\$i=600000\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}:read write$`).MatchString(line) {
		t.Errorf("got %q", line)
	}
	other, err := server.UserLine("bob", "swan lake")
	if err != nil || strings.Split(other, "$")[3] == strings.Split(line, "$")[3] {
		t.Errorf("want another salt, got %q, %v", other, err)
	}
	u := parseUsers(t, line, "\n", other)
	wantLogin(t, u, "ada", "swan lake", "read", "write")
	wantLogin(t, u, "bob", "swan lake")
}

func TestUserLine_RefusesWhatCouldNotBeRead(t *testing.T) {
	for _, tt := range []struct{ name, password, scope, want string }{
		{"", "x", "s", "a name is not empty"},
		{" ", "x", "s", "a name is not empty"},
		{"a:b", "x", "s", "no colon"},
		{"#a", "x", "s", "does not begin with #"},
		{"a\nb", "x", "s", "no control characters"},
		{"a", "", "s", "the password is empty"},
		{"a", "x", "", "a scope is not empty"},
		{"a", "x", "r w", "no space"},
		{"a", "x", "r:w", "no colon"},
	} {
		if line, err := server.UserLine(tt.name, tt.password, tt.scope); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: want %q, got %q, %v", tt.name, tt.want, line, err)
		}
	}
}

func TestUsers_SayWhichLineIsWrong_AndQuoteNothing(t *testing.T) {
	good := userLine(t, "ada", "x", 1000, "")
	for _, tt := range []struct{ name, line, want string }{
		{"no colon", "secret", "want name:hash"},
		{"no name", ":" + strings.SplitN(good, ":", 2)[1], "want name:hash"},
		{"one colon too many", strings.TrimSpace(good) + ":secret:", "want name:hash"},
		{"a password", "bob:secret", "want a hash of the form"},
		{"another hash", "bob:$2y$05$secret", "want a hash of the form"},
		{"few iterations", strings.Replace(good, "i=1000", "i=999", 1), "want from 1000 to 10000000 iterations"},
		{"many iterations", strings.Replace(good, "i=1000", "i=10000001", 1), "want from 1000"},
		{"no iterations", strings.Replace(good, "i=1000", "i=", 1), "want from 1000"},
		{"short salt", strings.Replace(good, "MDEyMzQ1Njc4OWFiY2RlZg", "MDEy", 1), "want a salt of 16 bytes"},
		{"broken salt", strings.Replace(good, "MDEyMzQ1Njc4OWFiY2RlZg", "!", 1), "want a salt of 16 bytes"},
		{"short hash", strings.TrimSpace(good)[:len(good)-6], "a hash of 32"},
		{"twice", good, "there is a line for that name already"},
	} {
		_, err := server.ParseUsers("# staff\n" + good + tt.line)
		if err == nil || !strings.HasPrefix(err.Error(), "websocket: users: line 3: ") || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

func TestUsers_AreReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "users")
		if _, err := server.LoadUsers(file, nil); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("without a file: %v", err)
		}
		write(t, file, []byte("secret"))
		if _, err := server.LoadUsers(file, nil); err == nil || !strings.Contains(err.Error(), file+" line 1: ") {
			t.Errorf("with a broken file: %v", err)
		}
		log, book := logbook()
		write(t, file, []byte(userLine(t, "ada", "old", 1000, "")))
		u, err := server.LoadUsers(file, log)
		if err != nil {
			t.Fatal(err)
		}
		wantLogin(t, u, "ada", "old")
		write(t, file, []byte(userLine(t, "ada", "new", 1000, ":admin")+userLine(t, "bob", "x", 1000, "")))
		tick()
		wantNoLogin(t, u, "ada", "old") // though it was remembered
		wantLogin(t, u, "ada", "new", "admin")
		wantLogin(t, u, "bob", "x")
		write(t, file, []byte("secret"))
		tick()
		wantLogin(t, u, "ada", "new", "admin")
		if lines := book.lines(); len(lines) != 2 || !strings.Contains(lines[1], "level=ERROR") || !strings.Contains(lines[1], "line 1") {
			t.Errorf("the log has %q", lines)
		}
	})
}

// duration is how long a login takes.
func duration(u *server.Users, name, password string) time.Duration {
	start := time.Now()
	u.Login(context.Background(), name, password)
	return time.Since(start)
}

// eventually wants a measurement to come out right once: a busy machine disturbs
// most of them, but what differs a hundredfold it does not make the same.
func eventually(t testing.TB, measure func() (ok bool, what string)) {
	t.Helper()
	var all []string
	for range 100 {
		ok, what := measure()
		if ok {
			return
		}
		all = append(all, what)
	}
	t.Errorf("in none of %d measurements: %q", len(all), all)
}

// The time that a login takes does not say whether there is such a name, not even
// where the lines differ in their iterations.
func TestUsers_TakeTheSameTimeForAll(t *testing.T) {
	u := parseUsers(t, userLine(t, "ada", "x", 100_000, ""), userLine(t, "bob", "x", 1000, ""))
	for _, name := range []string{"ada", "bob"} {
		eventually(t, func() (bool, string) {
			took, unknown := duration(u, name, "wrong"), duration(u, "eve", "wrong")
			return took > unknown/2 && took < 2*unknown, fmt.Sprintf("%s takes %v, a name that there is not %v", name, took, unknown)
		})
	}
}

// Many who come back at once do not have to be stretched again.
func TestUsers_RememberAPasswordThatWasRight(t *testing.T) {
	u := parseUsers(t, userLine(t, "ada", "x", 100_000, ""))
	wantLogin(t, u, "ada", "x")
	eventually(t, func() (bool, string) {
		right, wrong := duration(u, "ada", "x"), duration(u, "ada", "wrong")
		return right < wrong/10, fmt.Sprintf("the right one takes %v, a wrong one %v", right, wrong)
	})
}

package ldap_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/swan-ws/websocket/auth/internal/authtest"
	"github.com/swan-ws/websocket/auth/ldap"
	"github.com/swan-ws/websocket/client"
	"github.com/swan-ws/websocket/server"
)

// directory is s as its service sees it.
func directory(s *slapd) *ldap.Directory {
	return &ldap.Directory{
		URL: s.ldaps, TLS: s.tls,
		BindDN: "cn=service,dc=swan", BindPassword: servicePassword,
		UserBase: "ou=people,dc=swan", GroupBases: []string{"ou=groups,dc=swan"},
	}
}

func TestDirectory_TellsWhoLogsIn(t *testing.T) {
	s := startSlapd(t, withTLS)
	for _, tt := range []struct {
		name, login, password string
		set                   func(d *ldap.Directory)
		who                   string
		scopes                []string
	}{
		{name: "with groups", login: "ada", password: "of ada", who: "ada", scopes: []string{"admin", "chat"}},
		{name: "without groups", login: "bob", password: "of bob", who: "bob"},
		{name: "in other letters", login: "ADA", password: "of ada", who: "ada", scopes: []string{"admin", "chat"}},
		{name: "with spaces", login: " ada ", password: "of ada", who: "ada", scopes: []string{"admin", "chat"}},
		{name: "in UTF-8", login: "zoë", password: "of zoë", who: "zoë"},
		{name: "with all that filters and names escape", login: "o'neill, (pat) *", password: "of o'neill, (pat) *", who: "o'neill, (pat) *", scopes: []string{"chat"}},
		{
			name: "groups in two places", login: "ada", password: "of ada",
			set: func(d *ldap.Directory) { d.GroupBases = append(d.GroupBases, "ou=more groups,dc=swan") },
			who: "ada", scopes: []string{"admin", "chat", "unix"},
		},
		{
			name: "groups by another filter", login: "ada", password: "of ada",
			set: func(d *ldap.Directory) { d.GroupFilter, d.GroupAttribute = "(uniqueMember={dn})", "objectClass" },
			who: "ada", scopes: []string{"groupOfUniqueNames"},
		},
		{
			name: "groups in the user's entry", login: "ada", password: "of ada",
			set: func(d *ldap.Directory) { d.GroupBases, d.MemberOf = nil, "seeAlso" },
			who: "ada", scopes: []string{"Old, Timers"},
		},
		{
			name: "scopes of groups", login: "ada", password: "of ada",
			set: func(d *ldap.Directory) {
				d.Scopes = map[string][]string{"admin": {"write", "read"}, "chat": {"read"}, "secret": {"all"}}
			},
			who: "ada", scopes: []string{"read", "write"},
		},
		{
			name: "by mail", login: "Countess@swan.test", password: "of ada",
			set: func(d *ldap.Directory) {
				d.UserFilter, d.NameAttribute = "(&(objectClass=inetOrgPerson)(mail={name}))", "cn"
			},
			who: "ada", scopes: []string{"admin", "chat"},
		},
		{name: "StartTLS", login: "bob", password: "of bob", set: func(d *ldap.Directory) { d.URL = s.ldap }, who: "bob"},
		{name: "over a socket", login: "bob", password: "of bob", set: func(d *ldap.Directory) { d.URL = s.ldapi }, who: "bob"},
		{name: "without a service", login: "bob", password: "of bob", set: func(d *ldap.Directory) {
			d.BindDN, d.BindPassword, d.GroupBases = "", "", nil
		}, who: "bob"},
	} {
		d := directory(s)
		if tt.set != nil {
			tt.set(d)
		}
		p, err := d.Login(t.Context(), tt.login, tt.password)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if p.Name != tt.who || !slices.Equal(p.Scopes, tt.scopes) {
			t.Errorf("%s: %+v", tt.name, p)
		}
	}
}

func TestDirectory_TellsWhatElseItKnows(t *testing.T) {
	d := directory(startSlapd(t, withTLS))
	d.Attributes = []string{"MAIL", "telephoneNumber"}
	p, err := d.Login(t.Context(), "ada", "of ada")
	if err != nil {
		t.Fatal(err)
	}
	entry := p.Claims.(*ldap.Entry)
	if entry.DN != "cn=ada,ou=people,dc=swan" || len(entry.Attributes) != 1 || !slices.Equal(entry.Groups, []string{"admin", "chat"}) ||
		!slices.Equal(entry.Attributes["MAIL"], []string{"ada@swan.test", "countess@swan.test"}) {
		t.Errorf("%+v", entry)
	}
}

func TestDirectory_Rejects_WhoIsNotWhoTheySay(t *testing.T) {
	s := startSlapd(t, withTLS)
	for _, tt := range []struct{ name, login, password string }{
		{"a wrong password", "ada", "of bob"},
		{"nobody", "eve", "of eve"},
		{"an empty password", "ada", ""}, // which the directory would take
		{"a name that ends early", "ada\x00", "of ada"},
		{"an entry without a password", "nologin", "of nologin"},
		{"an entry's whole name", "cn=ada,ou=people,dc=swan", "of ada"},
		{"any name", "*", "of ada"},
		{"any name that begins so", "a*", "of ada"},
		{"a filter", "ada)(uid=*", "of ada"},
		{"a filter of alternatives", "x)(|(uid=ada)", "of ada"},
		{"a filter that ends early", "ada))(&(uid=x", "of ada"},
		{"a filter that is escaped", `\61da`, "of ada"},
		{"a filter with another attribute", "eve)(mail=ada@swan.test", "of ada"},
		{"a place in the filter", "{name}", "of ada"},
		{"the service in another place", "service", servicePassword},
	} {
		p, err := directory(s).Login(t.Context(), tt.login, tt.password)
		if authtest.Status(err) != 401 || p != nil {
			t.Errorf("%s: %v, %v", tt.name, p, err)
		}
		if err != nil && (len(err.Error()) > 300 || strings.Contains(err.Error(), "of ada")) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	d := directory(s)
	d.UserFilter = "(mail={name})"
	if _, err := d.Login(t.Context(), "shared@swan.test", "of bob"); authtest.Status(err) != 401 || !strings.Contains(err.Error(), "more than one") {
		t.Errorf("two with the same name: %v", err)
	}
	if _, err := d.Login(t.Context(), "nouid@swan.test", "of nouid"); authtest.Status(err) != 503 || !strings.Contains(err.Error(), "NameAttribute") {
		t.Errorf("one without a uid: %v", err)
	}
	d.UserFilter, d.GroupFilter = "(uid={name})", "(cn={name})"
	if p, err := d.Login(t.Context(), "bob", "of bob"); err != nil || len(p.Scopes) > 0 {
		t.Errorf("a name that is in no group: %v, %v", p, err)
	}
}

// What cannot be right is refused without asking: nobody is listening there.
func TestDirectory_RefusesByItself_WhatADirectoryMightTake(t *testing.T) {
	d := &ldap.Directory{URL: "ldaps://" + freeAddr()}
	for _, tt := range []struct {
		name, login, password string
		want                  int
	}{
		{"an empty password", "ada", "", 401},
		{"a password that some take for an empty one", "ada", "\x00of ada", 401},
		{"an empty name", "", "of ada", 401},
		{"a name that is too long", strings.Repeat("a", 257), "of ada", 401},
		{"a name that is no UTF-8", "ada\xff", "of ada", 401},
		{"anything else", strings.Repeat("a", 256), " ", 503},
	} {
		if _, err := d.Login(t.Context(), tt.login, tt.password); authtest.Status(err) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// What is in braces is put in once: a user cannot be called {dn}.
func TestDirectory_PutsNamesIntoFiltersOnce(t *testing.T) {
	s := startSlapd(t, withTLS)
	d := directory(s)
	d.UserFilter = "(|(uid={name})(cn={dn}))"
	d.Login(t.Context(), "{dn}*", "x")
	heard := strings.Join(s.heard(t, 1), "\n")
	if !strings.Contains(heard, `filter="(|(uid={dn}\2A)(cn={dn}))"`) {
		t.Errorf("the directory heard\n%s", heard)
	}
}

// A name that there is not costs the directory the same as a password that is wrong.
func TestDirectory_AsksTheSame_ForANameThatThereIsNot(t *testing.T) {
	s := startSlapd(t, withTLS)
	who := regexp.MustCompile(`cn=[^,"]*,ou=people|uid=\w+`)
	ask := func(name, password string) (operations []string) {
		directory(s).Login(t.Context(), name, password)
		for _, o := range s.heard(t, 1) {
			operations = append(operations, who.ReplaceAllString(o, "WHO"))
		}
		return operations
	}
	wrong, nobody, right := ask("ada", "wrong"), ask("eve", "wrong"), ask("ada", "of ada")
	if len(wrong) != 3 || !slices.Equal(wrong, nobody) || len(right) != 5 || !slices.Equal(right[:3], wrong) {
		t.Errorf("for a wrong password %q\nfor nobody %q\nfor a right one %q", wrong, nobody, right)
	}
}

// Whatever is wrong with the directory, it is not the password.
func TestDirectory_ThatCannotTell_IsNo401(t *testing.T) {
	s, plain := startSlapd(t, withTLS), startSlapd(t, "")
	for _, tt := range []struct {
		name string
		set  func(d *ldap.Directory)
		want string
	}{
		{"a service with a wrong password", func(d *ldap.Directory) { d.BindPassword = "wrong" }, "as BindDN: it answers 49"},
		{"a service that there is not", func(d *ldap.Directory) { d.BindDN = "cn=nobody,dc=swan" }, "as BindDN"},
		{"a base that there is not", func(d *ldap.Directory) { d.UserBase = "ou=nobody,dc=swan" }, "looking for a user: it answers 32"},
		{"groups that there are not", func(d *ldap.Directory) { d.GroupBases = []string{"ou=none,dc=swan"} }, "looking for groups: it answers 32"},
		{"groups that are no names", func(d *ldap.Directory) { d.MemberOf = "uid" }, "no DN"},
		{"a certificate that nobody knows", func(d *ldap.Directory) { d.TLS = nil }, "unknown authority"},
		{"a certificate that nobody knows, with StartTLS", func(d *ldap.Directory) { d.URL, d.TLS = s.ldap, nil }, "unknown authority"},
		{"a certificate of another", func(d *ldap.Directory) { d.TLS.ServerName = "other.test" }, "other.test"},
		{"a directory that wants TLS", func(d *ldap.Directory) { d.URL, d.InsecureNoTLS = s.ldap, true }, "it answers 13"},
		{"a directory that has no TLS", func(d *ldap.Directory) { d.URL = plain.ldap }, "StartTLS: it answers"},
		{"TLS where there is none", func(d *ldap.Directory) { d.URL = "ldaps" + strings.TrimPrefix(plain.ldap, "ldap") }, ""},
		{"nobody listening", func(d *ldap.Directory) { d.URL = "ldaps://" + freeAddr() }, "connection refused"},
		{"no socket", func(d *ldap.Directory) { d.URL = "ldapi:///nowhere" }, "no such file"},
		{"a name that there is not", func(d *ldap.Directory) { d.URL = "ldap://directory.invalid" }, "directory.invalid"},
	} {
		d := directory(s)
		d.TLS = d.TLS.Clone()
		tt.set(d)
		if p, err := d.Login(t.Context(), "ada", "of ada"); authtest.Status(err) != 503 || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v", tt.name, p, err)
		}
	}
	for _, operation := range plain.heard(t, 2) {
		if strings.HasPrefix(operation, "BIND") {
			t.Errorf("without TLS it heard %s", operation)
		}
	}
	d := directory(plain)
	d.URL, d.InsecureNoTLS = plain.ldap, true
	if p, err := d.Login(t.Context(), "ada", "of ada"); err != nil || p.Name != "ada" {
		t.Errorf("without TLS, as wanted: %v, %v", p, err)
	}
	plain.kill()
	if _, err := d.Login(t.Context(), "ada", "of ada"); authtest.Status(err) != 503 {
		t.Errorf("a directory that has died: %v", err)
	}
}

// peer runs a directory that does what it likes, and returns its URL.
func peer(t *testing.T, talk func(nc net.Conn)) string {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	var all sync.WaitGroup
	all.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer nc.Close()
				talk(nc)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return "ldap://" + l.Addr().String()
}

func TestDirectory_GivesUpOnOneThatMisbehaves(t *testing.T) {
	silent := func(nc net.Conn) { io.Copy(io.Discard, nc) }
	saying := func(text string, times int) func(net.Conn) {
		return func(nc net.Conn) {
			for range times {
				if _, err := nc.Write([]byte(text)); err != nil {
					return
				}
			}
			silent(nc)
		}
	}
	mib := strings.Repeat("x", 1<<20)
	for _, tt := range []struct {
		name string
		talk func(net.Conn)
		set  func(d *ldap.Directory)
		late bool
	}{
		{"silent", silent, func(*ldap.Directory) {}, true},
		{"silent before StartTLS", silent, func(d *ldap.Directory) { d.InsecureNoTLS = false }, true},
		{"silent in TLS", silent, func(d *ldap.Directory) {
			d.InsecureNoTLS, d.URL = false, strings.Replace(d.URL, "ldap", "ldaps", 1)
		}, true},
		{"hanging up", func(net.Conn) {}, func(*ldap.Directory) {}, false},
		{"talking HTTP", saying("HTTP/1.1 400 Bad Request\r\n\r\n", 1), func(*ldap.Directory) {}, true},
		{"announcing too much", saying("\x30\x84\x7f\xff\xff\xff\x04\x84\x7f\xff\xff\x00"+mib, 8), func(*ldap.Directory) {}, false},
		{"nesting too deep", saying(strings.Repeat("\x30\x80", 1<<10), 8), func(*ldap.Directory) {}, false},
	} {
		d := &ldap.Directory{URL: peer(t, tt.talk), InsecureNoTLS: true, Timeout: time.Minute}
		if tt.late {
			d.Timeout = 50 * time.Millisecond
		}
		tt.set(d)
		_, err := d.Login(t.Context(), "ada", "of ada")
		if authtest.Status(err) != 503 || errors.Is(err, context.DeadlineExceeded) != tt.late || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// Only so many connections are open, and who waits too long for one hears so.
func TestDirectory_HasSoManyLoginsAtATime(t *testing.T) {
	arrived := make(chan struct{}, 100)
	d := &ldap.Directory{InsecureNoTLS: true, MaxLogins: 3, URL: peer(t, func(nc net.Conn) {
		arrived <- struct{}{}
		io.Copy(io.Discard, nc)
	})}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() { d.Login(ctx, "ada", "of ada") })
	}
	for range 3 {
		<-arrived
	}
	late, cancelLate := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancelLate()
	_, err := d.Login(late, "bob", "of bob")
	if authtest.Status(err) != 503 || !strings.Contains(err.Error(), "no place among 3") || len(arrived) != 0 {
		t.Errorf("the fourth: %v", err)
	}
	cancel()
	all.Wait()
}

func TestDirectory_RefusesToWork_WithWhatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		name string
		d    *ldap.Directory
		want string
	}{
		{"no URL", &ldap.Directory{}, "want ldaps://host"},
		{"no host", &ldap.Directory{URL: "ldap://"}, "want ldaps://host"},
		{"another scheme", &ldap.Directory{URL: "https://swan.test"}, "want ldaps://host"},
		{"no socket", &ldap.Directory{URL: "ldapi://"}, "want ldaps://host"},
		{"no URL at all", &ldap.Directory{URL: ":"}, "missing protocol scheme"},
		{"ldaps without TLS", &ldap.Directory{URL: "ldaps://swan.test", InsecureNoTLS: true}, "InsecureNoTLS is for ldap"},
		{"a service without a password", &ldap.Directory{URL: "ldaps://swan.test", BindDN: "cn=service"}, "belong together"},
		{"a filter that is none", &ldap.Directory{URL: "ldaps://swan.test", UserFilter: "(uid={name}"}, "filter"},
		{"a filter of groups that is none", &ldap.Directory{URL: "ldaps://swan.test", GroupFilter: "member={dn})"}, "filter"},
		{"a filter that finds everybody", &ldap.Directory{URL: "ldaps://swan.test", UserFilter: "(uid=*)"}, "no {name}"},
	} {
		_, err := tt.d.Login(t.Context(), "ada", "of ada")
		if authtest.Status(err) != 500 || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// A directory, a server that asks it, and clients, over TCP.
func TestLDAP_FromAClientToAServer(t *testing.T) {
	s := startSlapd(t, withTLS)
	d := directory(s)
	url := authtest.Serve(t, server.Basic("swans", d.Login))
	for _, path := range []string{"", "/admin"} {
		if who := authtest.Meet(t, url+path, client.Basic("ada", "of ada")); who != "ada" {
			t.Errorf("the server knows %q", who)
		}
	}
	authtest.Refused(t, url+"/admin", client.Basic("bob", "of bob"), 403)
	const challenge = `Basic realm="swans", charset="UTF-8"`
	for _, auth := range []client.Auth{nil, client.Basic("ada", "of bob"), client.Basic("ada", ""), client.Basic("eve", "of eve")} {
		if got := authtest.Refused(t, url, auth, 401); got != challenge {
			t.Errorf("challenged with %s", got)
		}
	}
	var all sync.WaitGroup
	for n := range 100 { // more than there may be at a time
		all.Go(func() {
			name := []string{"ada", "bob", "eve"}[n%3]
			p, err := d.Login(t.Context(), name, fmt.Sprint("of ", name))
			if want := map[string]int{"ada": 101, "bob": 101, "eve": 401}[name]; authtest.Status(err) != want || err == nil && p.Name != name {
				t.Errorf("%s: %v, %v", name, p, err)
			}
		})
	}
	all.Wait()
	s.kill()
	if got := authtest.Refused(t, url, client.Basic("ada", "of ada"), 503); got != "" {
		t.Errorf("challenged with %s", got)
	}
}

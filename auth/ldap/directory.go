package ldap

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/swan-ws/websocket/auth/internal/gate"
	"github.com/swan-ws/websocket/server"
)

// What the zero Directory stands for.
const (
	DefaultUserFilter     = "(uid={name})"
	DefaultNameAttribute  = "uid"
	DefaultGroupFilter    = "(|(member={dn})(uniqueMember={dn})(memberUid={name}))"
	DefaultGroupAttribute = "cn"
	DefaultTimeout        = 10 * time.Second
	DefaultMaxLogins      = 16
)

// maxName is how long a name may be, in bytes.
const maxName = 256

// A Directory is an LDAP server, and what its entries look like. It is not to be
// changed while it is in use.
//
// Each login has a connection of its own, which ends with it: nobody can be taken
// for who has used it before.
type Directory struct {
	// URL is where it is: ldaps://host, ldap://host, on which TLS begins with
	// StartTLS, or ldapi:///path/of/socket.
	URL string
	// TLS is for ldaps and ldap. nil: the system's roots, and the URL's host as name.
	TLS *tls.Config
	// InsecureNoTLS sends passwords over ldap without TLS, where everybody on the way
	// can read them.
	InsecureNoTLS bool

	// BindDN and BindPassword are whose right it is to look for users and groups.
	// Empty: nobody's in particular.
	BindDN, BindPassword string

	// UserBase is the entry below which users are.
	UserBase string
	// UserFilter finds the one whose name {name} is, such as
	// "(&(objectClass=person)(mail={name}))". "": DefaultUserFilter.
	UserFilter string
	// NameAttribute of the user's entry becomes Principal.Name: as it is there, since
	// a directory takes Ada for ada. "": DefaultNameAttribute.
	NameAttribute string
	// Attributes are what else is wanted of the entry.
	Attributes []string

	// GroupBases are the entries below which groups are. nil: no groups.
	GroupBases []string
	// GroupFilter finds the groups of the user whose entry {dn} is, and whose name
	// {name} is. "": DefaultGroupFilter.
	GroupFilter string
	// GroupAttribute of a group's entry is its name. "": DefaultGroupAttribute.
	GroupAttribute string
	// MemberOf is an attribute of the user's entry that has the entries of groups,
	// such as memberOf; the first value in each is the name of the group. "": none.
	MemberOf string
	// Scopes are what the members of a group may do, by its name. nil: the name.
	Scopes map[string][]string

	// Timeout is how long a login may take, as a whole. 0: DefaultTimeout.
	Timeout time.Duration
	// MaxLogins is how many there may be at a time; others wait. 0: DefaultMaxLogins.
	MaxLogins int

	gate gate.Gate
}

// An Entry is the Claims of a Principal that a Directory knows.
type Entry struct {
	DN         string
	Attributes map[string][]string // Directory.Attributes, those that it has
	Groups     []string
}

// Validate says what is wrong with the Directory, if anything is. Login refuses
// everybody with 500 then.
func (d *Directory) Validate() error {
	u, err := url.Parse(d.URL)
	switch {
	case err != nil:
		return fmt.Errorf("websocket: ldap.Directory: %w", err)
	case u.Scheme == "ldapi" && u.Host == "" && u.Path != "":
	case (u.Scheme == "ldaps" || u.Scheme == "ldap") && u.Hostname() != "":
	default:
		return fmt.Errorf("websocket: ldap.Directory: want ldaps://host, ldap://host or ldapi:///path, got %q", d.URL)
	}
	if d.InsecureNoTLS && u.Scheme != "ldap" {
		return fmt.Errorf("websocket: ldap.Directory: InsecureNoTLS is for ldap, not for %s", u.Scheme)
	}
	if (d.BindDN == "") != (d.BindPassword == "") {
		return errors.New("websocket: ldap.Directory: BindDN and BindPassword belong together")
	}
	for _, filter := range []string{d.userFilter("x"), d.groupFilter("x", "x")} {
		if _, err := goldap.CompileFilter(filter); err != nil {
			return fmt.Errorf("websocket: ldap.Directory: the filter %q: %w", filter, err)
		}
	}
	if !strings.Contains(cmp.Or(d.UserFilter, DefaultUserFilter), "{name}") {
		return errors.New("websocket: ldap.Directory: UserFilter has no {name}, so everybody would be the same user")
	}
	return nil
}

var errWrong = errors.New("wrong name or password")

// Login is for server.Basic. The Principal has an *Entry as its Claims. When the
// directory cannot be reached, or answers with something else than a yes or a no,
// the login is refused with 503.
//
// It asks the directory the same questions for a name that there is not as for a
// password that is wrong.
func (d *Directory) Login(ctx context.Context, name, password string) (*server.Principal, error) {
	if err := d.Validate(); err != nil {
		return nil, gate.Misconfigured(err)
	}
	// RFC 4513 §5.1.2: with an empty password a bind succeeds and proves nothing. NUL
	// may be the end of a password elsewhere.
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || password == "" || strings.ContainsRune(password, 0) {
		return nil, errWrong
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(d.Timeout, DefaultTimeout))
	defer cancel()
	leave, err := d.gate.Enter(ctx, cmp.Or(d.MaxLogins, DefaultMaxLogins))
	if err != nil {
		return nil, err
	}
	defer leave()
	p, err := d.login(ctx, name, password)
	switch {
	case err == nil:
		return p, nil
	case errors.Is(err, errWrong):
		return nil, err
	case ctx.Err() != nil: // because of which the connection was closed
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return nil, gate.Unavailable(fmt.Errorf("the directory %s: %w", d.URL, err))
}

func (d *Directory) userFilter(name string) string {
	return strings.NewReplacer("{name}", goldap.EscapeFilter(name)).Replace(cmp.Or(d.UserFilter, DefaultUserFilter))
}

func (d *Directory) groupFilter(dn, name string) string {
	return strings.NewReplacer("{dn}", goldap.EscapeFilter(dn), "{name}", goldap.EscapeFilter(name)).
		Replace(cmp.Or(d.GroupFilter, DefaultGroupFilter))
}

package ldap

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/swan-ws/websocket/server"
)

// login finds the user, tries the password, and then finds the groups.
func (d *Directory) login(ctx context.Context, name, password string) (*server.Principal, error) {
	c, err := d.connect(ctx)
	if err != nil {
		return nil, said(err)
	}
	defer c.close()
	if err := d.bind(c); err != nil {
		return nil, err
	}
	user, err := d.find(c, name)
	if err != nil {
		return nil, err
	}
	if err := proves(c, user.DN, password); err != nil {
		return nil, err
	}
	if err := d.bind(c); err != nil { // for the user may not be allowed to see groups
		return nil, err
	}
	return d.principal(c, user)
}

// bind makes the connection the service's.
func (d *Directory) bind(c *connection) (err error) {
	if d.BindDN == "" {
		err = c.UnauthenticatedBind("")
	} else {
		err = c.Bind(d.BindDN, d.BindPassword)
	}
	if err != nil {
		return fmt.Errorf("as BindDN: %w", said(err))
	}
	return nil
}

// find returns the user's entry. Those there are not get one that is not there.
func (d *Directory) find(c *connection, name string) (*goldap.Entry, error) {
	nobody := &goldap.Entry{DN: "cn=" + rand.Text()}
	if d.UserBase != "" {
		nobody.DN += "," + d.UserBase
	}
	attributes := append(slices.Clone(d.Attributes), cmp.Or(d.NameAttribute, DefaultNameAttribute))
	if d.MemberOf != "" {
		attributes = append(attributes, d.MemberOf)
	}
	const two = 2 // are one too many
	found, err := c.search(d.UserBase, d.userFilter(name), two, attributes)
	switch {
	case goldap.IsErrorWithCode(err, goldap.LDAPResultSizeLimitExceeded), len(found) > 1:
		return nil, fmt.Errorf("%w: more than one user is %.64q, see UserFilter", errWrong, name)
	case err != nil:
		return nil, fmt.Errorf("looking for a user: %w", said(err))
	case len(found) == 0 || found[0].DN == "":
		return nobody, nil
	}
	return found[0], nil
}

// proves tries the password.
func proves(c *connection, dn, password string) error {
	err := c.Bind(dn, password)
	if goldap.IsErrorAnyOf(err,
		goldap.LDAPResultInvalidCredentials,
		goldap.LDAPResultNoSuchObject,                // of directories that say who there is
		goldap.LDAPResultInappropriateAuthentication, // an entry without a password
		goldap.LDAPResultConstraintViolation,         // too many attempts
		goldap.LDAPResultUnwillingToPerform,          // an account that is locked
	) {
		return fmt.Errorf("%w: %w", errWrong, said(err))
	}
	if err != nil {
		return fmt.Errorf("as the user: %w", said(err))
	}
	return nil
}

func (d *Directory) principal(c *connection, user *goldap.Entry) (*server.Principal, error) {
	attribute := cmp.Or(d.NameAttribute, DefaultNameAttribute)
	name := user.GetEqualFoldAttributeValue(attribute)
	if name == "" {
		return nil, fmt.Errorf("%.256q has no %s, see NameAttribute", user.DN, attribute)
	}
	groups, err := d.groups(c, user, name)
	if err != nil {
		return nil, err
	}
	entry := &Entry{DN: user.DN, Attributes: make(map[string][]string), Groups: groups}
	for _, attribute := range d.Attributes {
		if values := user.GetEqualFoldAttributeValues(attribute); len(values) > 0 {
			entry.Attributes[attribute] = values
		}
	}
	return &server.Principal{Name: name, Scopes: d.scopes(groups), Claims: entry}, nil
}

// groups returns the names of the user's groups, each of them once.
func (d *Directory) groups(c *connection, user *goldap.Entry, name string) (groups []string, err error) {
	if d.MemberOf != "" {
		for _, group := range user.GetEqualFoldAttributeValues(d.MemberOf) {
			dn, err := goldap.ParseDN(group)
			if err != nil || len(dn.RDNs) == 0 {
				return nil, fmt.Errorf("%.256q has a %s that is no DN: %.256q", user.DN, d.MemberOf, group)
			}
			groups = append(groups, dn.RDNs[0].Attributes[0].Value)
		}
	}
	attribute := cmp.Or(d.GroupAttribute, DefaultGroupAttribute)
	for _, base := range d.GroupBases {
		found, err := c.search(base, d.groupFilter(user.DN, name), 0, []string{attribute})
		if err != nil {
			return nil, fmt.Errorf("looking for groups: %w", said(err))
		}
		for _, group := range found {
			groups = append(groups, group.GetEqualFoldAttributeValues(attribute)...)
		}
	}
	slices.Sort(groups)
	return slices.Compact(groups), nil
}

func (d *Directory) scopes(groups []string) (scopes []string) {
	if d.Scopes == nil {
		return groups
	}
	for _, group := range groups {
		scopes = append(scopes, d.Scopes[group]...)
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// said is err with what the directory said quoted and cut. Codes from 200 on are
// those of the other package.
func said(err error) error {
	e, ok := errors.AsType[*goldap.Error](err)
	if !ok || e.ResultCode >= 200 {
		return err
	}
	return fmt.Errorf("it answers %d %s (%.256q)", e.ResultCode, goldap.LDAPResultCodeMap[e.ResultCode], fmt.Sprint(e.Err))
}

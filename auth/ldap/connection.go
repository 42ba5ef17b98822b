package ldap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"

	goldap "github.com/go-ldap/ldap/v3"
)

// maxRead is how much a directory may send in the course of a login, in bytes.
const maxRead = 4 << 20

// A connection is one for a login. The end of the login's context closes it, which
// ends whatever waits for the directory.
type connection struct {
	*goldap.Conn
	stop func() bool
}

func (d *Directory) connect(ctx context.Context) (*connection, error) {
	u, err := url.Parse(d.URL)
	if err != nil {
		return nil, err
	}
	nc, err := dial(ctx, u)
	if err != nil {
		return nil, err
	}
	nc = &bounded{Conn: nc, left: maxRead}
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	config := d.TLS.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	if config.ServerName == "" {
		config.ServerName = u.Hostname()
	}
	if u.Scheme == "ldaps" {
		secure := tls.Client(nc, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			stop()
			nc.Close()
			return nil, err
		}
		nc = secure
	}
	c := &connection{goldap.NewConn(nc, u.Scheme == "ldaps"), stop}
	c.Start()
	if u.Scheme == "ldap" && !d.InsecureNoTLS {
		if err := c.StartTLS(config); err != nil {
			c.close()
			return nil, fmt.Errorf("StartTLS: %w", said(err))
		}
	}
	return c, nil
}

func dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	var d net.Dialer
	if u.Scheme == "ldapi" {
		return d.DialContext(ctx, "unix", u.Path)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"ldap": goldap.DefaultLdapPort, "ldaps": goldap.DefaultLdapsPort}[u.Scheme]
	}
	return d.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
}

func (c *connection) close() {
	c.stop()
	c.Close()
}

// search returns the entries at base and below that the filter finds, max of them; 0
// is as many as the directory likes.
func (c *connection) search(base, filter string, max int, attributes []string) ([]*goldap.Entry, error) {
	r, err := c.Search(goldap.NewSearchRequest(base, goldap.ScopeWholeSubtree, goldap.NeverDerefAliases,
		max, 0, false, filter, attributes, nil))
	if err != nil {
		return nil, err
	}
	return r.Entries, nil
}

// bounded is a connection that ends when too much has come.
type bounded struct {
	net.Conn
	left int // for the one goroutine that reads
}

var errTooMuch = errors.New("more than a login should take")

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

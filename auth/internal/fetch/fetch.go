// Package fetch asks other servers over HTTP, within bounds.
package fetch

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Timeout is how long an answer may take.
const Timeout = 10 * time.Second

// CheckURL refuses what is no URL of a server that proves who it is.
func CheckURL(raw string, insecure bool) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return err
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("want https://host/path, got %q", raw)
	case u.Scheme == "http" && !insecure:
		return fmt.Errorf("%q: anybody on the way can answer over http: use https, or set InsecureHTTP", raw)
	}
	return nil
}

// Client returns a client like c, or like http.DefaultClient if that is nil, that
// follows no redirects: secrets and keys are between two, not three.
func Client(c *http.Client) *http.Client {
	if c == nil {
		c = http.DefaultClient
	}
	direct := *c
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &direct
}

// Body sends r and returns what a response with 200 holds, if that is max bytes at
// the most.
func Body(ctx context.Context, c *http.Client, r *http.Request, max int64) ([]byte, error) {
	r.Header.Set("Accept", "application/json")
	resp, err := Client(c).Do(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %d %s, want 200", r.URL.Redacted(), resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, max+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.URL.Redacted(), err)
	}
	if int64(len(body)) > max {
		return nil, fmt.Errorf("%s answers with more than %d bytes", r.URL.Redacted(), max)
	}
	return body, nil
}

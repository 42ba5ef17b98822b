package jwt

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/swan-ws/websocket/auth/internal/fetch"
)

// DefaultRefresh is how old a set of keys grows before it is fetched again.
const DefaultRefresh = time.Hour

const (
	maxSet   = 1 << 20          // bytes of a set
	maxAge   = 24 * time.Hour   // beyond which a set that cannot be fetched again is given up
	cooldown = 10 * time.Second // between one attempt to fetch a set and the next
)

// JWKSOptions say how a set of keys is fetched. nil will do.
type JWKSOptions struct {
	// Refresh is how old a set grows before it is fetched again. 0: DefaultRefresh.
	Refresh time.Duration
	// Client asks for it, without following redirects. nil: http.DefaultClient.
	Client *http.Client
	// InsecureHTTP takes a set over plain HTTP, where anybody on the way can put in
	// keys of their own.
	InsecureHTTP bool
}

// JWKS are the keys in a set (RFC 7517 §5) that an issuer has at a URL: the jwks_uri
// of its metadata. They are fetched when they are asked for, once for all who wait,
// and kept. A token that names a key that is not among them has them fetched again,
// but no sooner than ten seconds after the last time; so keys can be changed, and
// tokens that were made up do no harm to the issuer.
//
// While the issuer does not answer, the keys that there are stay good for a day.
// Without any, tokens are refused with 503.
func JWKS(url string, o *JWKSOptions) (Keys, error) {
	if o == nil {
		o = &JWKSOptions{}
	}
	if err := fetch.CheckURL(url, o.InsecureHTTP); err != nil {
		return nil, fmt.Errorf("websocket: jwt.JWKS: %w", err)
	}
	s := &remoteSet{url: url, client: o.Client, refresh: o.Refresh}
	if s.refresh <= 0 {
		s.refresh = DefaultRefresh
	}
	return s.find, nil
}

// A remoteSet is what is known of a set of keys elsewhere.
type remoteSet struct {
	url     string
	client  *http.Client
	refresh time.Duration

	mu      sync.Mutex
	keys    []Key
	fetched time.Time     // when they came
	tried   time.Time     // when they were last asked for
	err     error         // why they did not come then
	running chan struct{} // closed when they do or do not; nil: nobody asks
}

func (s *remoteSet) find(ctx context.Context, id string) ([]Key, error) {
	keys, running := s.look(id)
	if len(keys) > 0 {
		return keys, nil
	}
	if running != nil {
		select {
		case <-running:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		keys, _ = s.look(id)
	}
	if len(keys) > 0 {
		return keys, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return nil, s.err // which leaves open whether there is such a key
}

// look returns the keys for a token that names id, and the attempt to get new ones
// if there is one.
func (s *remoteSet) look(id string) (keys []Key, running chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	age := time.Since(s.fetched)
	if age < maxAge {
		for _, k := range s.keys {
			if id == "" || k.ID == "" || k.ID == id {
				keys = append(keys, k)
			}
		}
	}
	if (len(keys) == 0 || age >= s.refresh) && s.running == nil && time.Since(s.tried) >= cooldown {
		s.tried, s.running = time.Now(), make(chan struct{})
		go s.fetch()
	}
	return slices.Clip(keys), s.running
}

// fetch gets the set anew. It is nobody's request: whoever came first may leave, and
// others still wait.
func (s *remoteSet) fetch() {
	ctx, cancel := context.WithTimeout(context.Background(), fetch.Timeout)
	defer cancel()
	keys, err := s.get(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err = err; err == nil {
		s.keys, s.fetched = keys, time.Now()
	}
	close(s.running)
	s.running = nil
}

func (s *remoteSet) get(ctx context.Context) ([]Key, error) {
	r, err := http.NewRequest(http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	text, err := fetch.Body(ctx, s.client, r, maxSet)
	if err != nil {
		return nil, err
	}
	keys, err := parseJWKS(text)
	if err != nil {
		return nil, fmt.Errorf("%s is no set of keys: %w", r.URL.Redacted(), err)
	}
	return keys, nil
}

// Package claims reads what is known of a token, as encoding/json decodes it.
package claims

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/swan-ws/websocket/auth/internal/gate"
	"github.com/swan-ws/websocket/server"
)

// Principal returns whose claims c are: the claim called name says who it is, or sub
// if that is empty, and the one called scope what they may do, or scope.
func Principal(c map[string]any, name, scope string) (*server.Principal, error) {
	name, scope = cmp.Or(name, "sub"), cmp.Or(scope, "scope")
	who, _ := c[name].(string)
	if who == "" {
		return nil, fmt.Errorf("the token is nobody's: it has no claim %q, see NameClaim", name)
	}
	return &server.Principal{Name: who, Scopes: scopes(c[scope]), Claims: c}, nil
}

// scopes are words with spaces between (RFC 6749 §3.3), or in a list.
func scopes(claim any) (scopes []string) {
	switch claim := claim.(type) {
	case string:
		return strings.Fields(claim)
	case []any:
		for _, each := range claim {
			if scope, ok := each.(string); ok {
				scopes = append(scopes, scope)
			}
		}
	}
	return scopes
}

// Match says which of the claims that are wanted c has not. A list has each of its
// elements. nil wants a claim with any value.
func Match(c, want map[string]any) error {
	for name, value := range want {
		has, ok := c[name]
		if !ok || has == nil {
			return fmt.Errorf("the token has no claim %q", name)
		}
		if value == nil {
			continue
		}
		value, err := decoded(value)
		if err != nil {
			return gate.Misconfigured(fmt.Errorf("the claim %q to be wanted: %w", name, err))
		}
		list, _ := has.([]any)
		if !reflect.DeepEqual(has, value) && !slices.ContainsFunc(list, func(each any) bool { return reflect.DeepEqual(each, value) }) {
			return fmt.Errorf("the token's claim %q is not what it should be", name)
		}
	}
	return nil
}

// decoded is v as it would come out of JSON: []string{"a"} as []any{"a"}.
func decoded(v any) (out any, err error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return out, json.Unmarshal(text, &out)
}

// Package auth says where the ways to log in are that need more than package server
// has. It is empty; its directories are a module of their own, so that programs which
// do without them need none of the packages below.
//
//   - jwt: JSON Web Tokens, verified by servers and issued by clients;
//   - oauth: tokens that an authorization server knows, and how clients get them;
//   - ldap: names and passwords that a directory knows.
//
// What they give a server is a function for server.Bearer or server.Basic, and a
// client one for client.BearerFrom. A server that cannot tell, because it cannot
// reach whom it has to ask, answers 503, not 401.
package auth

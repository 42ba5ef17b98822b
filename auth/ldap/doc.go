// Package ldap is for names and passwords that a directory knows, over LDAP
// (RFC 4511).
//
// A Directory tells a server who has logged in:
//
//	server.Basic(realm, directory.Login)
//
// It looks the name up, and then tries the password as that user would: who a user
// is, and whether they may log in, stays with the directory.
package ldap

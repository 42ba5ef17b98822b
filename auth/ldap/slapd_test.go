package ldap_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/swan-ws/websocket/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// config is that of a directory that takes no password without TLS, lets everybody
// see its users and only the service its groups. An empty password makes anybody
// welcome, as it does in others.
const config = `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {dir}/pid
allow bind_anon_cred bind_anon_dn
{tls}
database mdb
suffix "dc=swan"
directory {dir}/data
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=groups,dc=swan" by dn.exact="cn=service,dc=swan" read by * none
access to * by * read
`

const withTLS = `
TLSCertificateFile {dir}/cert.pem
TLSCertificateKeyFile {dir}/key.pem
security simple_bind=64`

// A slapd is a real directory server.
type slapd struct {
	ldap, ldaps, ldapi string // its URLs
	tls                *tls.Config
	process            *exec.Cmd
	ended              chan struct{} // closed when its log has been read

	mu  sync.Mutex
	log []string
}

// startSlapd starts a directory, with TLS or without, that ends with the test. Where
// it is not installed the test is skipped, but not under CI.
func startSlapd(t *testing.T, tlsConfig string) *slapd {
	t.Helper()
	binary, add := find(t, "slapd"), find(t, "slapadd")
	// A socket's path is short.
	dir := must(os.MkdirTemp("", "slapd"))
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &slapd{tls: certify(t, dir)}
	text := strings.NewReplacer("{dir}", dir).Replace(strings.ReplaceAll(config, "{tls}", tlsConfig))
	conf := filepath.Join(dir, "slapd.conf")
	for name, content := range map[string]string{"slapd.conf": text, "data.ldif": entries} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(add, "-f", conf, "-l", filepath.Join(dir, "data.ldif")).CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v\n%s", err, out)
	}
	for range 5 { // somebody else may take the ports
		if s.start(t, binary, conf, dir) {
			return s
		}
	}
	t.Fatalf("slapd does not start:\n%s", strings.Join(s.log, "\n"))
	return nil
}

func find(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("there is no %s: apt-get install slapd", name)
	}
	t.Skipf("there is no %s: apt-get install slapd", name)
	return ""
}

func (s *slapd) start(t *testing.T, binary, conf, dir string) bool {
	socket := filepath.Join(dir, "socket")
	s.ldap, s.ldaps, s.ldapi = "ldap://"+freeAddr(), "ldaps://"+freeAddr(), "ldapi://"+socket
	addrs := []string{strings.TrimPrefix(s.ldap, "ldap://")}
	listen := s.ldap + " ldapi://" + url.PathEscape(socket)
	if strings.Contains(string(must(os.ReadFile(conf))), "TLSCertificateFile") {
		listen += " " + s.ldaps
		addrs = append(addrs, strings.TrimPrefix(s.ldaps, "ldaps://"))
	}
	s.process = exec.Command(binary, "-f", conf, "-h", listen, "-d", "stats")
	stderr := must(s.process.StderrPipe())
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	s.ended = make(chan struct{})
	up := make(chan bool, 1)
	go s.read(stderr, up)
	if !<-up {
		s.kill()
		return false
	}
	t.Cleanup(s.kill)
	for _, addr := range addrs {
		knock(t, addr)
	}
	s.heard(t, len(addrs))
	return true
}

// read keeps the log, and says whether the directory is up.
func (s *slapd) read(log io.Reader, up chan<- bool) {
	defer close(s.ended)
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		s.mu.Lock()
		s.log = append(s.log, lines.Text())
		s.mu.Unlock()
		if strings.HasSuffix(lines.Text(), "slapd starting") {
			up <- true
		}
	}
	select {
	case up <- false:
	default:
	}
}

func (s *slapd) kill() {
	s.process.Process.Kill()
	<-s.ended
	s.process.Wait()
}

// knock connects once: it says that it has started before it takes connections.
func knock(t *testing.T, addr string) {
	t.Helper()
	for range 5000 {
		if nc, err := net.Dial("tcp", addr); err == nil {
			nc.Close()
			return
		}
		<-time.After(time.Millisecond)
	}
	t.Fatalf("nobody takes connections at %s", addr)
}

func freeAddr() string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	return l.Addr().String()
}

var operation = regexp.MustCompile(`conn=\d+ op=\d+ (BIND dn="[^"]*" method|SRCH base="[^"]*" .*filter="[^"]*"|EXT oid=\S+|UNBIND)`)

// heard returns what the directory was asked since the last time, once so many have
// hung up.
func (s *slapd) heard(t *testing.T, connections int) (operations []string) {
	t.Helper()
	s.waitFor(t, connections)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.log {
		if found := operation.FindStringSubmatch(line); found != nil {
			operations = append(operations, found[1])
		}
	}
	s.log = nil
	return operations
}

// waitFor waits until the log says that so many connections have been closed.
func (s *slapd) waitFor(t *testing.T, connections int) {
	t.Helper()
	for range 5000 {
		closed := 0
		s.mu.Lock()
		for _, line := range s.log {
			closed += strings.Count(line, " closed")
		}
		s.mu.Unlock()
		if closed == connections {
			return
		}
		<-time.After(time.Millisecond)
	}
	t.Fatalf("the directory does not close %d connections", connections)
}

// certify writes a certificate for 127.0.0.1, and returns how to trust it.
func certify(t *testing.T, dir string) *tls.Config {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AddCert(must(x509.ParseCertificate(der)))
	return &tls.Config{RootCAs: roots}
}

const servicePassword = "service-secret"

// entries are the people and groups of the directory. All passwords are "of NAME".
var entries = `
dn: dc=swan
objectClass: dcObject
objectClass: organization
o: swan
dc: swan

dn: cn=service,dc=swan
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: service
userPassword: ` + servicePassword + `

dn: ou=people,dc=swan
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=swan
objectClass: organizationalUnit
ou: groups

dn: ou=more groups,dc=swan
objectClass: organizationalUnit
ou: more groups
` + person("ada", "mail: ada@swan.test", "mail: countess@swan.test", "seeAlso: cn=Old\\2C Timers,ou=groups,dc=swan") +
	person("bob", "mail: shared@swan.test") +
	person("zoë", "mail: shared@swan.test") +
	person("o'neill, (pat) *", "seeAlso: cn=x,dc=swan") + `
dn: cn=nologin,ou=people,dc=swan
objectClass: inetOrgPerson
cn: nologin
uid: nologin
sn: nologin

dn: cn=nouid,ou=people,dc=swan
objectClass: inetOrgPerson
cn: nouid
sn: nouid
mail: nouid@swan.test
userPassword: of nouid

dn: cn=chat,ou=groups,dc=swan
objectClass: groupOfNames
cn: chat
member: cn=ada,ou=people,dc=swan
member: cn=o'neill\2C (pat) *,ou=people,dc=swan

dn: cn=admin,ou=groups,dc=swan
objectClass: groupOfUniqueNames
cn: admin
uniqueMember: cn=ada,ou=people,dc=swan

dn: cn=unix,ou=more groups,dc=swan
objectClass: posixGroup
cn: unix
gidNumber: 1
memberUid: ada
memberUid: bob

dn: cn=secret,ou=groups,dc=swan
objectClass: groupOfNames
cn: secret
member: cn=somebody,ou=people,dc=swan
`

func person(name string, more ...string) string {
	dn := strings.ReplaceAll(name, ",", `\2C`)
	return fmt.Sprintf("\ndn: cn=%s,ou=people,dc=swan\nobjectClass: inetOrgPerson\ncn: %[2]s\nuid: %[2]s\nsn: %[2]s\nuserPassword: of %[2]s\n%s\n",
		dn, name, strings.Join(more, "\n"))
}

package server

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// TLSFiles are the PEM files that a TLS server needs. They are read again when they
// have changed, by the next handshake a second later or more, so that a renewed
// certificate needs no restart; connections that are open do not notice. When they
// cannot be read then, or do not belong together, what was read before stays in
// use, and Logger gets the reason, once.
type TLSFiles struct {
	// Cert holds the server's certificate, followed by those of the authorities
	// between it and the root. Key is its private key, which is not encrypted.
	Cert, Key string
	// ClientCAs holds the certificates of the authorities whose clients may
	// connect: each must show a certificate (mutual TLS), unless Base.ClientAuth
	// says otherwise. ClientCertificate tells who it is. "": clients need none.
	ClientCAs string
	// Base is the configuration otherwise: versions, ciphers, ClientAuth. It is not
	// changed. nil: that of crypto/tls, which begins with TLS 1.2.
	Base *tls.Config
	// Logger gets what happens to the files. nil: slog.Default.
	Logger *slog.Logger
}

// Config reads the files and returns the configuration for Server.TLSConfig, or
// for any other TLS server. The error says which file is at fault. The
// configuration has the certificates of the moment; later ones come by its
// GetConfigForClient, after Base's, if it has one.
func (f TLSFiles) Config() (*tls.Config, error) {
	if f.Cert == "" || f.Key == "" {
		return nil, errors.New("websocket: TLS: no certificate: name the files of one and of its key, or set TLSConfig")
	}
	files := &reloading[*tls.Config]{names: []string{f.Cert, f.Key}, parse: f.parse, log: f.Logger}
	if f.ClientCAs != "" {
		files.names = append(files.names, f.ClientCAs)
	}
	if _, err := files.load(); err != nil {
		return nil, fmt.Errorf("websocket: TLS: %w", err)
	}
	config := files.get().Clone()
	first := config.GetConfigForClient
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if first != nil {
			if c, err := first(hello); c != nil || err != nil {
				return c, err
			}
		}
		return files.get(), nil
	}
	return config, nil
}

func (f TLSFiles) parse(contents [][]byte) (*tls.Config, error) {
	config := withProtocols(f.Base)
	pair, err := keyPair(contents[0], contents[1])
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", f.Cert, f.Key, err)
	}
	config.Certificates, config.GetCertificate = []tls.Certificate{pair}, nil
	if f.ClientCAs == "" {
		return config, nil
	}
	if config.ClientCAs, err = authorities(contents[2]); err != nil {
		return nil, fmt.Errorf("%s: %w", f.ClientCAs, err)
	}
	if config.ClientAuth == tls.NoClientCert {
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, nil
}

func keyPair(cert, key []byte) (tls.Certificate, error) {
	if _, err := blocks(cert); err != nil {
		return tls.Certificate{}, err
	}
	keys, err := blocks(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	for _, b := range keys {
		if b.Type == "ENCRYPTED PRIVATE KEY" || b.Headers["DEK-Info"] != "" {
			return tls.Certificate{}, errors.New("the key is encrypted: decrypt it with openssl pkey, and let nobody else read it")
		}
	}
	return tls.X509KeyPair(cert, key)
}

func authorities(text []byte) (*x509.CertPool, error) {
	list, err := blocks(text)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for _, b := range list {
		if b.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, err
		}
		pool.AddCert(cert)
	}
	if pool.Equal(x509.NewCertPool()) {
		return nil, errors.New("no certificate in it")
	}
	return pool, nil
}

// blocks splits PEM. A file that somebody is writing at the moment shows by its
// last block, which the functions of crypto would pass over.
func blocks(text []byte) (list []*pem.Block, err error) {
	for {
		b, rest := pem.Decode(text)
		if b == nil {
			break
		}
		list, text = append(list, b), rest
	}
	switch {
	case bytes.Contains(text, []byte("-----BEGIN ")):
		return nil, errors.New("the last PEM block is cut off")
	case len(list) == 0:
		return nil, errors.New("no PEM in it, which would begin with -----BEGIN")
	}
	return list, nil
}

// withProtocols returns a copy of base that offers the protocols of net/http,
// unless it says which.
func withProtocols(base *tls.Config) *tls.Config {
	if base == nil {
		base = &tls.Config{}
	}
	config := base.Clone()
	if len(config.NextProtos) == 0 {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	return config
}

// tlsConfig is what ServeTLS serves with.
func (s *Server) tlsConfig(certFile, keyFile string) (config *tls.Config, err error) {
	base := s.TLSConfig
	if base == nil || certFile != "" || keyFile != "" ||
		len(base.Certificates) == 0 && base.GetCertificate == nil && base.GetConfigForClient == nil {
		config, err = TLSFiles{Cert: certFile, Key: keyFile, Base: base, Logger: s.Logger}.Config()
	} else {
		config = withProtocols(base)
	}
	if err != nil {
		return nil, err
	}
	next := config.GetConfigForClient
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (c *tls.Config, err error) {
		if next != nil {
			c, err = next(hello)
		}
		if _, ok := s.http.TLSNextProto["h2"]; !ok && err == nil {
			// GODEBUG=http2server=0: what net/http does not speak is not offered.
			if c == nil {
				c = config
			}
			c = c.Clone()
			c.NextProtos = slices.DeleteFunc(slices.Clone(c.NextProtos), func(p string) bool { return p == "h2" })
		}
		return c, err
	}
	return config, nil
}

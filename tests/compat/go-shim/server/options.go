// Package server has the names of github.com/nats-io/nats-server/v2/server that nats.go's tests use. Its servers are processes:
// the program named by NATS_SERVER_BIN, with a configuration written from Options.
package server

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// Options that a configuration can express; what has no key there is accepted and left out.
type Options struct {
	ConfigFile            string
	ServerName            string
	Host                  string
	Port                  int
	ClientAdvertise       string
	HTTPHost              string
	HTTPPort              int
	HTTPSPort             int
	PidFile               string
	PortsFileDir          string
	Trace                 bool
	Debug                 bool
	NoLog                 bool
	NoSigs                bool
	NoHeaderSupport       bool
	DisableShortFirstPing bool
	MaxConn               int
	MaxSubs               int
	MaxControlLine        int32
	MaxPayload            int32
	MaxPending            int64
	PingInterval          time.Duration
	MaxPingsOut           int
	WriteDeadline         time.Duration
	Username              string
	Password              string
	Authorization         string
	AuthTimeout           float64
	Users                 []*User
	Nkeys                 []*NkeyUser
	NoAuthUser            string
	TrustedKeys           []string
	TLS                   bool
	TLSVerify             bool
	TLSTimeout            float64
	TLSConfig             *tls.Config
	TLSCert               string
	TLSKey                string
	TLSCaCert             string
	TLSPinnedCerts        PinnedCertSet
	NoSystemAccount       bool
	Cluster               ClusterOpts
	Routes                []*url.URL
	Tags                  []string
	JetStream             bool

	fileUsername string // as the ConfigFile has them
	filePassword string

	// Of features that no test here may need: accepted, so that test files compile.
	ProfPort  int
	Accounts  []*Account
	Websocket WebsocketOpts
	Gateway   GatewayOpts
}

// Clone copies what a test changes for its next server.
func (o *Options) Clone() *Options {
	clone := *o
	return &clone
}

// PinnedCertSet has the SHA-256 of public keys, in hex.
type PinnedCertSet map[string]struct{}

type ClusterOpts struct {
	Name       string
	Host       string
	Port       int
	Username   string
	Password   string
	TLSMap     bool
	TLSTimeout float64
}

type WebsocketOpts struct {
	Host      string
	Port      int
	NoTLS     bool
	TLSConfig *tls.Config
}

type GatewayOpts struct {
	Name     string
	Host     string
	Port     int
	TLSMap   bool
	Gateways []*RemoteGatewayOpts
}

type RemoteGatewayOpts struct {
	Name      string
	URLs      []*url.URL
	TLSConfig *tls.Config
}

type User struct {
	Username    string
	Password    string
	Permissions *Permissions
	Account     *Account
}

type NkeyUser struct {
	Nkey        string
	Permissions *Permissions
}

type Permissions struct {
	Publish   *SubjectPermission
	Subscribe *SubjectPermission
	Response  *ResponsePermission
}

type SubjectPermission struct {
	Allow []string
	Deny  []string
}

type ResponsePermission struct {
	MaxMsgs int
	Expires time.Duration
}

// TLSConfigOpts are the files from which GenTLSConfig makes a configuration, and from which the server's is written.
type TLSConfigOpts struct {
	CertFile string
	KeyFile  string
	CaFile   string
	Verify   bool
	Insecure bool
	Timeout  float64
}

var (
	tlsFilesLock sync.Mutex
	tlsFiles     = map[*tls.Config]TLSConfigOpts{}
)

// GenTLSConfig remembers the files that the result stands for: a process can be told nothing else.
func GenTLSConfig(files *TLSConfigOpts) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if files.CaFile != "" {
		pem, err := os.ReadFile(files.CaFile)
		if err != nil {
			return nil, err
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("no certificates in %s", files.CaFile)
		}
	}
	if files.Verify {
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	tlsFilesLock.Lock()
	defer tlsFilesLock.Unlock()
	tlsFiles[config] = *files
	return config, nil
}

// RoutesFromStr parses URLs separated by commas; what is not a URL is left out.
func RoutesFromStr(text string) []*url.URL {
	var routes []*url.URL
	for _, each := range strings.Split(text, ",") {
		if route, err := url.Parse(strings.TrimSpace(each)); err == nil {
			routes = append(routes, route)
		}
	}
	return routes
}

// MemAccResolver keeps account JWTs until SetAccountResolver gives them to the process.
type MemAccResolver struct {
	accounts map[string]string
}

func (r *MemAccResolver) Store(name, jwt string) error {
	if r.accounts == nil {
		r.accounts = map[string]string{}
	}
	r.accounts[name] = jwt
	return nil
}

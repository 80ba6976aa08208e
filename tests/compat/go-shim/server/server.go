package server

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"regexp"
	"sync"
	"syscall"
)

// Server is a running process; its methods are safe from several goroutines.
type Server struct {
	lock       sync.Mutex
	options    Options
	configFile string
	ownsConfig bool
	process    *process
}

// Start runs a server with these options and writes the ports that it took back into them.
func Start(options *Options) (*Server, error) {
	s := &Server{options: *options, ownsConfig: true}
	file, err := os.CreateTemp("", "options-*.conf")
	if err != nil {
		return nil, err
	}
	file.Close()
	s.configFile = file.Name()
	if err := s.run(nil); err != nil {
		os.Remove(s.configFile)
		return nil, err
	}
	options.Port, options.Cluster.Port = s.options.Port, s.options.Cluster.Port
	return s, nil
}

// StartWithConfig runs a server with a configuration file. Of its options only host, port, the single user and TLS are known.
func StartWithConfig(path string) (*Server, *Options, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	s := &Server{options: Options{ConfigFile: path}, configFile: path}
	if s.process, err = start(path); err != nil {
		return nil, nil, err
	}
	s.options.Host, s.options.Port = hostPort(s.process.ports.Nats)
	if match := regexp.MustCompile(`(?m)^\s*(?:net|host|listen)\s*[:=]\s*"?([\w.]*[A-Za-z][\w.]*)`).FindSubmatch(text); match != nil {
		s.options.Host = string(match[1]) // a name, which certificates are for
	}
	if match := regexp.MustCompile(`(?s)\buser\s*[:=]\s*"?([\w.-]+)"?.*?\bpass(?:word)?\s*[:=]\s*"?([\w.-]+)`).FindSubmatch(text); match != nil {
		s.options.Username, s.options.Password = string(match[1]), string(match[2])
	}
	options := s.options
	options.TLSConfig, err = tlsOf(string(text))
	return s, &options, err
}

// tlsOf reads the files of a configuration's tls block, so that a test can start a server from the options.
func tlsOf(text string) (*tls.Config, error) {
	file := func(key string) string {
		if match := regexp.MustCompile(key + `\s*[:=]\s*"?([^",\s]+)`).FindStringSubmatch(text); match != nil {
			return match[1]
		}
		return ""
	}
	files := TLSConfigOpts{CertFile: file("cert_file"), KeyFile: file("key_file"), CaFile: file("ca_file")}
	if files.CertFile == "" {
		return nil, nil
	}
	files.Verify = regexp.MustCompile(`verify\s*[:=]\s*true`).MatchString(text)
	return GenTLSConfig(&files)
}

// run writes the configuration and starts the process, on the ports that an earlier one had.
func (s *Server) run(resolver *MemAccResolver) error {
	if err := s.write(resolver); err != nil {
		return err
	}
	var err error
	if s.process, err = start(s.configFile); err != nil {
		return err
	}
	_, s.options.Port = hostPort(s.process.ports.Nats)
	if s.options.Cluster.Port != 0 {
		_, s.options.Cluster.Port = hostPort(s.process.ports.Cluster)
	}
	return nil
}

func (s *Server) write(resolver *MemAccResolver) error {
	text, err := configuration(&s.options, resolver)
	if err != nil {
		return err
	}
	return os.WriteFile(s.configFile, []byte(text), 0o600)
}

func (s *Server) Shutdown() {
	if s == nil {
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.process.stop(syscall.SIGINT)
	if s.ownsConfig {
		os.Remove(s.configFile)
	}
}

func (s *Server) WaitForShutdown() {
	<-s.process.ended
}

// LameDuckShutdown asks for it and returns when the server is gone.
func (s *Server) LameDuckShutdown() {
	s.process.command.Process.Signal(syscall.SIGUSR2)
	<-s.process.ended
}

func (s *Server) ClientURL() string {
	scheme := "nats"
	if s.options.TLSConfig != nil {
		scheme = "tls"
	}
	return fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(s.options.Host, fmt.Sprint(s.options.Port)))
}

func (s *Server) Addr() net.Addr {
	return tcpAddr(s.process.ports.Nats)
}

func (s *Server) ClusterAddr() *net.TCPAddr {
	return tcpAddr(s.process.ports.Cluster)
}

// InProcessConn is a TCP connection: the server is another process.
func (s *Server) InProcessConn() (net.Conn, error) {
	return net.Dial("tcp", s.Addr().String())
}

func (s *Server) NumClients() int {
	answer, _ := s.process.varz()
	return answer.Connections
}

func (s *Server) NumRoutes() int {
	answer, _ := s.process.varz()
	return answer.Routes
}

func (s *Server) NumSubscriptions() uint32 {
	answer, _ := s.process.varz()
	return answer.Subscriptions
}

// Reload takes up the configuration file as it is now.
func (s *Server) Reload() error {
	return s.process.reload()
}

// ReloadOptions takes up other options; ports stay.
func (s *Server) ReloadOptions(options *Options) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	port, clusterPort := s.options.Port, s.options.Cluster.Port
	s.options = *options
	s.options.Port, s.options.Cluster.Port = port, clusterPort
	if err := s.write(nil); err != nil {
		return err
	}
	return s.process.reload()
}

// SetAccountResolver starts the process anew, on its port, with these accounts known.
func (s *Server) SetAccountResolver(resolver *MemAccResolver) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.process.stop(syscall.SIGINT)
	return s.run(resolver)
}

package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Server is a running process; its methods are safe from several goroutines.
type Server struct {
	lock       sync.Mutex
	options    Options
	configFile string
	ownsConfig bool
	process    *process
}

// The ways in which an account can import from itself, by nats-server's texts.
var (
	ErrImportFormsCycle = errors.New("import forms a cycle")
	ErrCycleSearchDepth = errors.New("search cycle depth exhausted")
)

const (
	AUTH_TIMEOUT                              = 2 * time.Second
	DEFAULT_PORT                              = 4222
	RANDOM_PORT                               = -1
	DEFAULT_PING_MAX_OUT                      = 2
	DEFAULT_SERVICE_EXPORT_RESPONSE_THRESHOLD = 2 * time.Minute
	DefaultConnListSize                       = 1024
	MAX_CONTROL_LINE_SIZE                     = 4096
	MAX_PAYLOAD_SIZE                          = 1024 * 1024
	MAX_PENDING_SIZE                          = 64 * 1024 * 1024
	DEFAULT_FLUSH_DEADLINE                    = 10 * time.Second
	MaxAccountCycleSearchDepth                = 1024
)

// NewServer runs a server with these options, and writes the ports that it took back into them. With a ConfigFile that is its
// configuration, and of the options only host and ports count.
func NewServer(options *Options) (*Server, error) {
	s := &Server{options: *options, configFile: options.ConfigFile}
	if s.configFile != "" && (options.Username != options.fileUsername || options.Password != options.filePassword) {
		s.configFile = "" // the test has taken the file's user away: what is left of it is in the options
	}
	if s.configFile != "" {
		var err error
		if s.process, err = start(s.configFile, options); err != nil {
			return nil, err
		}
	} else {
		s.ownsConfig = true
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
	}
	_, s.options.Port = hostPort(s.process.ports.Nats)
	options.Port, options.Cluster.Port = s.options.Port, s.options.Cluster.Port
	return s, nil
}

func New(options *Options) *Server {
	s, err := NewServer(options)
	if err != nil {
		panic(err)
	}
	return s
}

// Start has nothing left to do: NewServer's process serves.
func (s *Server) Start() {}

func (s *Server) StartMonitoring() error                   { return nil }
func (s *Server) ConfigureLogger()                         {}
func (s *Server) ReadyForConnections(_ time.Duration) bool { return true }

// ProcessConfigFile lets the program test the file, and knows of its options only host, port, the single user and TLS.
func ProcessConfigFile(path string) (*Options, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if output, err := exec.Command(binary(), "-t", "-c", path).CombinedOutput(); err != nil {
		return nil, errors.New(string(output))
	}
	options := &Options{ConfigFile: path, Host: "0.0.0.0", Port: DEFAULT_PORT}
	value := func(expression string) string {
		if match := regexp.MustCompile(expression).FindSubmatch(text); match != nil {
			return string(match[1])
		}
		return ""
	}
	if host := value(`(?m)^\s*(?:net|host|listen)\s*[:=]?\s*"?([\w.-]*[\w-])(?:[":\s,]|$)`); host != "" {
		if _, err := strconv.Atoi(host); err != nil { // `listen: 4222` has a port alone
			options.Host = host
		}
	}
	if port := value(`(?m)^\s*(?:port\s*[:=]?\s*|listen\s*[:=]?\s*"?(?:[\w.]*:)?)(-?\d+)"?\s*(?:#.*)?(?:,|$)`); port != "" {
		options.Port, _ = strconv.Atoi(port)
	}
	options.Username = value(`(?s)\buser\s*[:=]?\s*"?([\w.-]+)"?.*?\bpass(?:word)?\s*[:=]`)
	options.Password = value(`(?s)\buser\s*[:=]?\s*"?[\w.-]+"?.*?\bpass(?:word)?\s*[:=]?\s*"?([\w.$/-]+)`)
	options.fileUsername, options.filePassword = options.Username, options.Password
	options.TLSConfig, err = tlsOf(string(text))
	return options, err
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
	if s.process, err = start(s.configFile, &s.options); err != nil {
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

func (s *Server) NumSlowConsumers() int64 {
	answer, _ := s.process.varz()
	return answer.SlowConsumers
}

func (s *Server) Varz(*VarzOptions) (*Varz, error) {
	answer, err := s.process.varz()
	return &answer, err
}

func (s *Server) ID() string {
	answer, _ := s.process.varz()
	return answer.ID
}

func (s *Server) PortsInfo(time.Duration) *Ports {
	return &s.process.ports
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

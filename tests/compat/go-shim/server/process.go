package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	startDeadline  = 10 * time.Second
	stopDeadline   = 10 * time.Second
	reloadDeadline = 10 * time.Second
	pollInterval   = 5 * time.Millisecond
)

// VERSION is the program's own, without a leading v.
var VERSION = askVersion()

func binary() string {
	if path := os.Getenv("NATS_SERVER_BIN"); path != "" {
		return path
	}
	return "nats-server"
}

func askVersion() string {
	output, _ := exec.Command(binary(), "--version").CombinedOutput()
	if match := regexp.MustCompile(`v(\d+\.\d+\.\d+\S*)`).FindSubmatch(output); match != nil {
		return string(match[1])
	}
	return "0.0.0"
}

// process is one run of the program. It ends with the test program at the latest.
type process struct {
	command *exec.Cmd
	ended   chan struct{}
	output  *bytes.Buffer // read after the end only
	ports   Ports
}

func hostPort(urls []string) (string, int) {
	if len(urls) == 0 {
		return "", 0
	}
	parsed, err := url.Parse(urls[0])
	if err != nil {
		return "", 0
	}
	port, _ := strconv.Atoi(parsed.Port())
	return parsed.Hostname(), port
}

// start returns once the program has written the ports that it listens on.
func start(configFile string, options *Options) (*process, error) {
	directory, err := os.MkdirTemp("", "ports")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(directory)
	arguments := []string{"-c", configFile, "--ports_file_dir", directory}
	if options.Host != "" {
		arguments = append(arguments, "-a", options.Host)
	}
	if options.Port != 0 {
		arguments = append(arguments, "-p", strconv.Itoa(options.Port))
	}
	text, _ := os.ReadFile(configFile)
	if !bytes.Contains(text, []byte("https")) { // one of the two is all there may be
		port := options.HTTPPort
		if port == 0 {
			port = -1 // for the questions that Server answers by it
		}
		arguments = append(arguments, "-m", strconv.Itoa(port))
	}
	p := &process{ended: make(chan struct{}), output: &bytes.Buffer{}}
	p.command = exec.Command(binary(), arguments...)
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.command.Stdout, p.command.Stderr = p.output, p.output
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.command.Wait()
		close(p.ended)
	}()
	for deadline := time.Now().Add(startDeadline); time.Now().Before(deadline); time.Sleep(pollInterval) {
		select {
		case <-p.ended:
			return nil, fmt.Errorf("the server ended: %s", p.output)
		default:
		}
		files, _ := filepath.Glob(filepath.Join(directory, "*.ports"))
		if len(files) == 1 {
			text, _ := os.ReadFile(files[0])
			if json.Unmarshal(text, &p.ports) == nil && len(p.ports.Nats) != 0 {
				return p, nil
			}
		}
	}
	p.stop(syscall.SIGKILL)
	return nil, fmt.Errorf("the server did not write its ports: %s", p.output)
}

func (p *process) stop(with syscall.Signal) {
	select {
	case <-p.ended:
		return
	default:
	}
	p.command.Process.Signal(with)
	select {
	case <-p.ended:
	case <-time.After(stopDeadline):
		p.command.Process.Kill()
		<-p.ended
	}
	if os.Getenv("NATS_SERVER_OUTPUT") != "" {
		os.Stderr.Write(p.output.Bytes())
	}
}

func (p *process) varz() (Varz, error) {
	var answer Varz
	if len(p.ports.Monitoring) == 0 {
		return answer, fmt.Errorf("no monitoring")
	}
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get(strings.TrimRight(p.ports.Monitoring[0], "/") + "/varz")
	if err != nil {
		return answer, err
	}
	defer response.Body.Close()
	return answer, json.NewDecoder(response.Body).Decode(&answer)
}

// reload returns once the configuration was taken up.
func (p *process) reload() error {
	before, err := p.varz()
	if err != nil {
		return err
	}
	p.command.Process.Signal(syscall.SIGHUP)
	for deadline := time.Now().Add(reloadDeadline); time.Now().Before(deadline); time.Sleep(pollInterval) {
		if now, err := p.varz(); err == nil && now.ConfigLoadTime != before.ConfigLoadTime {
			return nil
		}
	}
	return fmt.Errorf("the server did not take up its configuration")
}

func tcpAddr(urls []string) *net.TCPAddr {
	host, port := hostPort(urls)
	return &net.TCPAddr{IP: net.ParseIP(host), Port: port}
}

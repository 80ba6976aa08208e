// Package test has the names of github.com/nats-io/nats-server/v2/test that nats.go's tests use.
package test

import (
	"fmt"

	"github.com/nats-io/nats-server/v2/server"
)

var DefaultTestOptions = server.Options{
	Host:                  "127.0.0.1",
	Port:                  4222,
	NoLog:                 true,
	NoSigs:                true,
	MaxControlLine:        4096,
	DisableShortFirstPing: true,
}

// RunServer panics if there is no server, as the tests expect it to.
func RunServer(options *server.Options) *server.Server {
	if options == nil {
		defaults := DefaultTestOptions
		options = &defaults
	}
	s, err := server.NewServer(options)
	if err != nil {
		panic(fmt.Sprintf("unable to start the server: %v", err))
	}
	return s
}

func RunDefaultServer() *server.Server {
	return RunServer(nil)
}

func RunServerWithConfig(path string) (*server.Server, *server.Options) {
	options, err := server.ProcessConfigFile(path)
	if err != nil {
		panic(fmt.Sprintf("the configuration is not right: %v", err))
	}
	return RunServer(options), options
}

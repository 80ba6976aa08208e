// A worker with nats.go, as services are: it reads its certificate once, takes work from a queue group, writes down the number of each
// piece, and drains when it is asked to end.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/nats-io/nats.go"
)

var (
	url     = flag.String("url", "", "the server")
	name    = flag.String("name", "worker", "of the connection")
	subject = flag.String("subject", "work", "where work comes from")
	cert    = flag.String("cert", "", "client certificate")
	key     = flag.String("key", "", "its key")
	ca      = flag.String("ca", "", "whom to trust")
	out     = flag.String("out", "", "file for the numbers of what was done")
)

func run() error {
	done, err := os.OpenFile(*out, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	closed := make(chan struct{})
	connection, err := nats.Connect(*url, nats.Name(*name), nats.ClientCert(*cert, *key), nats.RootCAs(*ca), nats.MaxReconnects(-1),
		nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	if err != nil {
		return err
	}
	_, err = connection.QueueSubscribe(*subject, "workers", func(message *nats.Msg) {
		var piece struct {
			Seq int64 `json:"seq"`
		}
		if err := json.Unmarshal(message.Data, &piece); err == nil {
			fmt.Fprintln(done, piece.Seq)
		}
	})
	if err == nil {
		err = connection.Flush()
	}
	if err != nil {
		return err
	}
	fmt.Println("ready")
	<-stop
	if err := connection.Drain(); err != nil {
		return err
	}
	<-closed
	fmt.Println("drained")
	return done.Close()
}

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

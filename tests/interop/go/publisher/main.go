// The publisher of ../../README.md with nats.go.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

var (
	url       = flag.String("url", "nats://127.0.0.1:4222", "the agent, or a server")
	client    = flag.String("client", "go", "name in every message")
	subject   = flag.String("subject", "numbers.go", "where to")
	count     = flag.Int64("count", 0, "messages; 0: until SIGTERM")
	every     = flag.Int64("every", 50, "messages a flush")
	size      = flag.Int("size", 128, "bytes of a payload, at least")
	rate      = flag.Float64("rate", 0, "messages a second; 0: as fast as it goes")
	flushWait = flag.Duration("flush-wait", 30*time.Second, "after which a flush has failed")
	lastWait  = flag.Duration("last-wait", 60*time.Second, "for what is unconfirmed at the end")
)

var out = bufio.NewWriter(os.Stdout)

func say(format string, arguments ...any) {
	fmt.Fprintf(out, format+"\n", arguments...)
	out.Flush()
}

type message struct {
	Client string `json:"client"`
	Seq    int64  `json:"seq"`
	N      int64  `json:"n"`
	Pad    string `json:"pad"`
}

type publisher struct {
	connection *nats.Conn
	errors     atomic.Int64
	n          int64 // calls of Publish
}

// open connects for ever; a connection that the library gave up is replaced.
func (p *publisher) open() {
	for {
		connection, err := nats.Connect(*url, nats.Name(*client), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond),
			nats.ReconnectJitter(10*time.Millisecond, 10*time.Millisecond), nats.ReconnectBufSize(-1), nats.Timeout(5*time.Second),
			nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { p.errors.Add(1) }))
		if err == nil {
			p.connection = connection
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// incidents changes when something happened after which nothing unconfirmed can be relied on.
type incidents struct {
	reconnects uint64
	errors     int64
	last       error
}

func (p *publisher) incidents() incidents {
	return incidents{p.connection.Stats().Reconnects, p.errors.Load(), p.connection.LastError()}
}

// batch publishes first…last and flushes; nil: all of it is confirmed.
func (p *publisher) batch(first, last int64, pad string, wait time.Duration) error {
	before := p.incidents()
	for seq := first; seq <= last; seq++ {
		p.n++
		payload, err := json.Marshal(message{*client, seq, p.n, pad})
		if err != nil {
			return err
		}
		if err := p.connection.Publish(*subject, payload); err != nil {
			return err
		}
	}
	if err := p.connection.FlushTimeout(wait); err != nil {
		return err
	}
	if after := p.incidents(); after != before {
		return fmt.Errorf("in between: %d reconnects, last error %v", after.reconnects-before.reconnects, after.last)
	}
	return nil
}

func main() {
	flag.Parse()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	p := &publisher{}
	p.open()
	say("ready")

	var confirmed int64
	var deadline time.Time
	pad := strings.Repeat("x", max(0, *size-50))
	due := time.Now()
	last := int64(0) // of the batch under way
	for *count == 0 || confirmed < *count {
		select {
		case <-stop:
			deadline = time.Now().Add(*lastWait)
		default:
		}
		if !deadline.IsZero() && (confirmed == last || time.Now().After(deadline)) {
			break
		}
		if confirmed == last {
			last = confirmed + *every
			if *count > 0 && last > *count {
				last = *count
			}
		}
		wait := *flushWait
		if !deadline.IsZero() {
			wait = time.Until(deadline)
		}
		if err := p.batch(confirmed+1, last, pad, wait); err != nil {
			say("again %d %v", confirmed+1, err)
			for !p.connection.IsConnected() && !p.connection.IsClosed() {
				time.Sleep(2 * time.Millisecond)
			}
			if p.connection.IsClosed() {
				say("reopened")
				p.open()
			}
			time.Sleep(5 * time.Millisecond)
			continue
		}
		confirmed = last
		say("confirmed %d", confirmed)
		if *rate > 0 {
			due = due.Add(time.Duration(float64(*every) / *rate * float64(time.Second)))
			if late := time.Since(due); late > 0 {
				due = time.Now()
			} else {
				time.Sleep(-late)
			}
		}
	}
	say("done %d %d", confirmed, last)
	p.connection.Close()
	if confirmed < last {
		os.Exit(1)
	}
}

func max(a, b int) int {
	if a > b {
		return a
	}
	return b
}

// The checks of ../README.md with nats.go.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const limit = 10 * time.Second

var url string

func connect(options ...nats.Option) (*nats.Conn, error) {
	return nats.Connect(url, append(options, nats.Name("interop-go"), nats.Timeout(limit))...)
}

// next returns the subscription's next message with this payload, or fails.
func next(sub *nats.Subscription, want string) (*nats.Msg, error) {
	msg, err := sub.NextMsg(limit)
	if err != nil {
		return nil, err
	}
	if string(msg.Data) != want {
		return nil, fmt.Errorf("got %q, not %q", msg.Data, want)
	}
	return msg, nil
}

func publishAndSubscribe(c *nats.Conn) error {
	sub, err := c.SubscribeSync("go.plain.*")
	if err != nil {
		return err
	}
	for i := 0; i < 100; i++ {
		if err := c.Publish("go.plain.x", []byte(fmt.Sprint(i))); err != nil {
			return err
		}
	}
	for i := 0; i < 100; i++ {
		if _, err := next(sub, fmt.Sprint(i)); err != nil {
			return err
		}
	}
	return sub.Unsubscribe()
}

func betweenConnections(c *nats.Conn) error {
	other, err := connect()
	if err != nil {
		return err
	}
	defer other.Close()
	sub, err := other.SubscribeSync("go.between.>")
	if err != nil {
		return err
	}
	if err := other.FlushTimeout(limit); err != nil {
		return err
	}
	if err := c.Publish("go.between.a.b", []byte("across")); err != nil {
		return err
	}
	msg, err := next(sub, "across")
	if err == nil && msg.Subject != "go.between.a.b" {
		err = fmt.Errorf("subject %q", msg.Subject)
	}
	return err
}

func queueGroup(c *nats.Conn) error {
	var mutex sync.Mutex
	seen := map[string]int{}
	all := make(chan struct{})
	for i := 0; i < 3; i++ {
		member, err := connect()
		if err != nil {
			return err
		}
		defer member.Close()
		if _, err := member.QueueSubscribe("go.work", "group", func(m *nats.Msg) {
			mutex.Lock()
			defer mutex.Unlock()
			seen[string(m.Data)]++
			if len(seen) == 300 {
				close(all)
			}
		}); err != nil {
			return err
		}
		if err := member.FlushTimeout(limit); err != nil {
			return err
		}
	}
	for i := 0; i < 300; i++ {
		if err := c.Publish("go.work", []byte(fmt.Sprint(i))); err != nil {
			return err
		}
	}
	select {
	case <-all:
	case <-time.After(limit):
	}
	if err := c.FlushTimeout(limit); err != nil {
		return err
	}
	mutex.Lock()
	defer mutex.Unlock()
	for i := 0; i < 300; i++ {
		if n := seen[fmt.Sprint(i)]; n != 1 {
			return fmt.Errorf("message %d came %d times", i, n)
		}
	}
	return nil
}

func headers(c *nats.Conn) error {
	sub, err := c.SubscribeSync("go.headers")
	if err != nil {
		return err
	}
	out := nats.NewMsg("go.headers")
	out.Header.Add("Kind", "first")
	out.Header.Add("Kind", "second")
	out.Header.Set("Trace-Id", "4711")
	out.Data = []byte("with headers")
	if err := c.PublishMsg(out); err != nil {
		return err
	}
	in, err := next(sub, "with headers")
	if err != nil {
		return err
	}
	if v := in.Header.Values("Kind"); len(v) != 2 || v[0] != "first" || v[1] != "second" || in.Header.Get("Trace-Id") != "4711" {
		return fmt.Errorf("headers %v", in.Header)
	}
	return nil
}

func requestAndReply(c *nats.Conn) error {
	server, err := connect()
	if err != nil {
		return err
	}
	defer server.Close()
	if _, err := server.Subscribe("go.echo", func(m *nats.Msg) { m.Respond(append([]byte("re: "), m.Data...)) }); err != nil {
		return err
	}
	if err := server.FlushTimeout(limit); err != nil {
		return err
	}
	for i := 0; i < 50; i++ {
		reply, err := c.Request("go.echo", []byte(fmt.Sprint(i)), limit)
		if err != nil {
			return err
		}
		if string(reply.Data) != fmt.Sprint("re: ", i) {
			return fmt.Errorf("reply %q", reply.Data)
		}
	}
	return nil
}

func noResponders(c *nats.Conn) error {
	began := time.Now()
	_, err := c.Request("go.nobody.listens", nil, limit)
	if !errors.Is(err, nats.ErrNoResponders) {
		return fmt.Errorf("got %v after %v", err, time.Since(began))
	}
	return nil
}

func largePayload(c *nats.Conn) error {
	sub, err := c.SubscribeSync("go.large")
	if err != nil {
		return err
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), int(c.MaxPayload())/16)
	if err := c.Publish("go.large", data); err != nil {
		return err
	}
	msg, err := sub.NextMsg(limit)
	if err != nil {
		return err
	}
	if !bytes.Equal(msg.Data, data) {
		return fmt.Errorf("%d bytes came back changed", len(msg.Data))
	}
	return nil
}

func unsubscribeAfterMaximum(c *nats.Conn) error {
	sub, err := c.SubscribeSync("go.max")
	if err != nil {
		return err
	}
	if err := sub.AutoUnsubscribe(3); err != nil {
		return err
	}
	for i := 0; i < 5; i++ {
		if err := c.Publish("go.max", []byte(fmt.Sprint(i))); err != nil {
			return err
		}
	}
	if err := c.FlushTimeout(limit); err != nil {
		return err
	}
	for i := 0; i < 3; i++ {
		if _, err := next(sub, fmt.Sprint(i)); err != nil {
			return err
		}
	}
	if _, err := sub.NextMsg(limit); !errors.Is(err, nats.ErrMaxMessages) && !errors.Is(err, nats.ErrBadSubscription) {
		return fmt.Errorf("a fourth message: %v", err)
	}
	return nil
}

func noEcho(*nats.Conn) error {
	c, err := connect(nats.NoEcho())
	if err != nil {
		return err
	}
	defer c.Close()
	own, err := c.SubscribeSync("go.noecho")
	if err != nil {
		return err
	}
	if err := c.Publish("go.noecho", []byte("own")); err != nil {
		return err
	}
	if err := c.FlushTimeout(limit); err != nil {
		return err
	}
	if n, _, _ := own.Pending(); n != 0 {
		return fmt.Errorf("%d of its own messages", n)
	}
	return nil
}

func drain(c *nats.Conn) error {
	closed := make(chan struct{})
	draining, err := connect(nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	if err != nil {
		return err
	}
	var mutex sync.Mutex
	got := 0
	if _, err := draining.Subscribe("go.drain", func(*nats.Msg) {
		mutex.Lock()
		got++
		mutex.Unlock()
	}); err != nil {
		return err
	}
	if err := draining.FlushTimeout(limit); err != nil {
		return err
	}
	for i := 0; i < 500; i++ {
		if err := c.Publish("go.drain", nil); err != nil {
			return err
		}
	}
	if err := c.FlushTimeout(limit); err != nil {
		return err
	}
	if err := draining.Drain(); err != nil {
		return err
	}
	select {
	case <-closed:
	case <-time.After(limit):
		return errors.New("not closed")
	}
	mutex.Lock()
	defer mutex.Unlock()
	if got != 500 {
		return fmt.Errorf("%d of 500 before it closed", got)
	}
	return nil
}

func main() {
	url = os.Args[1]
	c, err := connect()
	if err != nil {
		fmt.Println("not ok connect:", err)
		os.Exit(1)
	}
	defer c.Close()
	checks := []struct {
		name string
		run  func(*nats.Conn) error
	}{
		{"publish and subscribe", publishAndSubscribe},
		{"between connections", betweenConnections},
		{"queue group", queueGroup},
		{"headers", headers},
		{"request and reply", requestAndReply},
		{"no responders", noResponders},
		{"large payload", largePayload},
		{"unsubscribe after a maximum", unsubscribeAfterMaximum},
		{"no echo", noEcho},
		{"drain", drain},
	}
	failed := 0
	for _, check := range checks {
		if err := check.run(c); err != nil {
			fmt.Printf("not ok %s: %v\n", check.name, err)
			failed = 1
		} else {
			fmt.Printf("ok %s\n", check.name)
		}
	}
	os.Exit(failed)
}

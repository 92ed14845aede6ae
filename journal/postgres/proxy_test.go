package postgres

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
)

// cutting is where the proxy cuts a connection.
type cutting int32

const (
	notCut       cutting = iota
	beforeCommit         // the server does not get the COMMIT
	afterCommit          // the COMMIT is executed, and its answer is lost
	duringCommit         // the server gets it, and the client is gone at once
)

// proxy stands between journals and a server. It cuts the connection of the next COMMIT when it is asked to.
type proxy struct {
	l      net.Listener
	server atomic.Value // a string
	next   atomic.Int32 // a cutting, for one COMMIT
	cuts   atomic.Int64
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{l: l}
	p.server.Store(server)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *proxy) url() string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Host: p.l.Addr().String(), Path: "/postgres", RawQuery: "sslmode=disable"}
	return u.String()
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server.Load().(string))
	if err != nil {
		return
	}
	defer server.Close()
	var drop atomic.Bool // what the server says
	answered := make(chan struct{}, 1)
	go func() {
		defer client.Close()
		buffer := make([]byte, 32<<10)
		for {
			n, err := server.Read(buffer)
			if drop.Load() {
				answered <- struct{}{}
				return
			}
			if err != nil {
				return
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	for first := true; ; first = false {
		message, err := readMessage(client, first)
		if err != nil {
			return
		}
		if bytes.Equal(message, []byte("Q\x00\x00\x00\x0bCOMMIT\x00")) {
			switch cutting(p.next.Swap(int32(notCut))) {
			case beforeCommit:
				p.cuts.Add(1)
				return
			case afterCommit:
				drop.Store(true)
				if _, err := server.Write(message); err == nil {
					<-answered
					p.cuts.Add(1)
				}
				return
			case duringCommit:
				p.cuts.Add(1)
				client.Close()
				_, _ = server.Write(message)
				return
			case notCut:
			}
		}
		if _, err := server.Write(message); err != nil {
			return
		}
	}
}

// readMessage reads one message of the client. The first one has no type.
func readMessage(c io.Reader, first bool) ([]byte, error) {
	head := make([]byte, 5)
	if first {
		head = head[:4]
	}
	if _, err := io.ReadFull(c, head); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[len(head)-4:])
	message := make([]byte, len(head)+int(length)-4)
	_, err := io.ReadFull(c, message[copy(message, head):])
	return message, err
}

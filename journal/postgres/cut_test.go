package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
)

// newByteProxy passes a number of bytes to the server, and then cuts the connection. With answers it counts the
// bytes of the server instead. After the cut it passes everything.
func newByteProxy(t *testing.T) (address string, left *atomic.Int64, answers *atomic.Bool) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	left, answers = new(atomic.Int64), new(atomic.Bool)
	pass := func(to, from net.Conn, counted func() bool) {
		defer to.Close()
		defer from.Close()
		buffer := make([]byte, 32<<10)
		for {
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			if at := left.Load(); at > 0 && counted() {
				if n >= int(at) {
					left.Store(0)
					_, _ = to.Write(buffer[:at-1])
					return
				}
				left.Store(at - int64(n))
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", server.Address())
			if err != nil {
				client.Close()
				continue
			}
			go pass(server, client, func() bool { return !answers.Load() })
			go pass(client, server, answers.Load)
		}
	}()
	return l.Addr().String(), left, answers
}

// The connection is cut after each number of bytes that a put sends, and that it gets. Each row is stored once, and
// whoever put it knows.
func TestAConnectionThatIsCutAnywhere(t *testing.T) {
	ctx := context.Background()
	address, left, answers := newByteProxy(t)
	schema := newSchema()
	closed(t, opened(t, Options{Schema: schema}))
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Host: address, Path: "/postgres", RawQuery: "sslmode=disable"}
	j, err := Open(ctx, u.String(), &Options{Schema: schema, Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, j)
	r := row("1")
	put(t, j, r)
	cuts := 0
	for _, of := range []bool{false, true} {
		answers.Store(of)
		for at := int64(1); at < 3000; at += int64(testkit.Size(97, 61, 7)) {
			left.Store(at)
			r = next(r)
			r.State = fmt.Appendf(nil, "after a cut at %d", at)
			if err := j.Put(ctx, r, journal.Synced); err != nil {
				t.Fatalf("cut at byte %d (of the answers: %t): %v", at, of, err)
			}
			if left.Swap(0) == 0 {
				cuts++
			}
			if got, err := j.Get(ctx, "1"); err != nil || got.Version != r.Version || string(got.State) != string(r.State) {
				t.Fatalf("cut at byte %d: version %d %q, %v, want %d", at, got.Version, got.State, err, r.Version)
			}
			if err := j.Put(ctx, r, journal.Synced); !errors.Is(err, journal.ErrConflict) {
				t.Fatalf("the same row once more: %v", err)
			}
		}
	}
	t.Logf("%d cuts", cuts)
}

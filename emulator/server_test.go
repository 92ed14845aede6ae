package emulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// wire is a listener in memory, which virtual time understands.
type wire struct {
	calls  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newWire() *wire { return &wire{calls: make(chan net.Conn), closed: make(chan struct{})} }

func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.calls:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *wire) Close() error   { w.once.Do(func() { close(w.closed) }); return nil }
func (w *wire) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (w *wire) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case w.calls <- theirs:
		return ours, nil
	case <-w.closed:
		return nil, errors.New("connection refused")
	}
}

func (w *wire) client(patience time.Duration) *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: w.dial, DisableKeepAlives: true}}
}

// served runs a test against a provider behind HTTP, in virtual time. When it returns
// nothing of the server may run any more, or the bubble deadlocks.
func served(t *testing.T, provider, doc string, o *emulator.ServerOptions, test func(t *testing.T, c *http.Client, p *emulator.Provider)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := emulator.NewProvider(catalog(t, provider), &emulator.Options{Plan: plan(t, doc), Seed: 5})
		l := newWire()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- emulator.NewServer(p, o).Serve(ctx, l) }()
		c := l.client(30 * time.Second)
		test(t, c, p)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

const base = "http://127.0.0.1:1"

func post(c *http.Client, path, body string) (status int, said string, err error) {
	r, err := c.Post(base+path, "application/json", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	raw, err := io.ReadAll(r.Body)
	return r.StatusCode, string(raw), err
}

const payPath = "/v2/gateway/api/tokenization/pay"

func paying(order, request string) string {
	return fmt.Sprintf(`{"orderId":%q,"requestId":%q,"amount":120000}`, order, request)
}

// What each fault looks like over HTTP.
func TestFaultsOverHTTP(t *testing.T) {
	broken := func(err error) bool {
		return err != nil && !errors.Is(err, context.DeadlineExceeded) && (errors.Is(err, io.EOF) || strings.Contains(err.Error(), "reset") || strings.Contains(err.Error(), "closed"))
	}
	silent := func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
	for _, tt := range []struct {
		kind, lines string
		status      int
		failed      func(error) bool
		after       time.Duration
		moved       int
		later       int
	}{
		{"refuse", "", 0, broken, 5 * time.Millisecond, 0, 0},
		{"drop_request", "", 0, silent, 30 * time.Second, 0, 0},
		{"delay", "for = \"7s\"\n", 200, nil, 7 * time.Second, 1, 1},
		{"delay", "for = \"70s\"\n", 0, silent, 30 * time.Second, 1, 1},
		{"drop_response", "", 0, silent, 30 * time.Second, 1, 1},
		{"reset", "", 0, broken, 0, 1, 1},
		{"execute_late", "for = \"40s\"\n", 0, silent, 30 * time.Second, 0, 1},
		{"error_after", "status = 504\n", 504, nil, 0, 1, 1},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			doc := "[[fault]]\nnth = 1\nphase = \"send\"\nkind = \"" + tt.kind + "\"\n" + tt.lines
			served(t, "momo", doc, nil, func(t *testing.T, c *http.Client, p *emulator.Provider) {
				began := time.Now()
				status, said, err := post(c, payPath, paying("o-1", "r-1"))
				if status != tt.status || (err != nil) != (tt.failed != nil) || err != nil && !tt.failed(err) {
					t.Errorf("%d %s (%v)", status, said, err)
				}
				if took := time.Since(began); took != tt.after {
					t.Errorf("it took %s, want %s", took, tt.after)
				}
				if moved := len(p.Ledger(time.Now())); moved != tt.moved {
					t.Errorf("%d executed, want %d", moved, tt.moved)
				}
				time.Sleep(time.Hour) // virtual
				if later := len(p.Account(time.Now()).Executions); later != tt.later {
					t.Errorf("%d executed at last, want %d", later, tt.later)
				}
				if status, said, err := post(c, payPath, paying("o-2", "r-2")); tt.later == 0 && status != 0 && status != 200 {
					t.Errorf("the next call: %d %s (%v)", status, said, err)
				}
			})
		})
	}
}

func TestRefusalsOverHTTP(t *testing.T) {
	for _, tt := range []struct {
		provider, doc string
		path          string
		status        int
		after         string
	}{
		{"momo", "[[maintenance]]\nfor = \"90500ms\"\n", payPath, 200, "91"},
		{"shopline", "[rate_limit]\ncalls = 1\nper = \"24h\"\n", "/api/v1/trade/payment/create", 429, ""},
	} {
		served(t, tt.provider, tt.doc, nil, func(t *testing.T, c *http.Client, p *emulator.Provider) {
			var r *http.Response
			for range 2 {
				q, _ := http.NewRequest("POST", base+tt.path, strings.NewReader(`{"orderId":"o","referenceOrderId":"o","requestId":"r","amount":500}`))
				q.Header.Set("requestId", "h-1")
				var err error
				if r, err = c.Do(q); err != nil {
					t.Fatal(err)
				}
				r.Body.Close()
			}
			again := r.Header.Get("Retry-After")
			if r.StatusCode != tt.status || again == "" || tt.after != "" && again != tt.after {
				t.Errorf("%s: %d, Retry-After %q", tt.provider, r.StatusCode, again)
			}
		})
	}
}

// What cannot be read is refused in the provider's words, where it has any.
func TestUnreadableRequestsAreRefused(t *testing.T) {
	served(t, "momo", "", nil, func(t *testing.T, c *http.Client, p *emulator.Provider) {
		for _, tt := range []struct {
			name, path, body string
			status           int
			says             string
		}{
			{"a path", "/v2/gateway/api/pay", "{}", 404, "no endpoint POST /v2/gateway/api/pay"},
			{"no JSON", payPath, "orderId=1", 200, `"message":"invalid request"`},
			{"no order", payPath, `{"requestId":"r-1","amount":1}`, 200, `"message":"invalid request"`},
			{"no request id", payPath, `{"orderId":"o-1","amount":1}`, 200, `"message":"invalid request"`},
			{"no amount", payPath, `{"orderId":"o-1","requestId":"r-1"}`, 200, `"message":"invalid amount"`},
			{"an amount that is none", payPath, `{"orderId":"o-1","requestId":"r-1","amount":-5}`, 200, `"message":"invalid amount"`},
			{"a query of nothing", "/v2/gateway/api/query", `{}`, 0, ``},
			{"much too long", payPath, `{"orderId":"` + strings.Repeat("o", 1<<20), 413, "1 MiB"},
		} {
			status, said, err := post(c, tt.path, tt.body)
			if err != nil || tt.status != 0 && status != tt.status || !strings.Contains(said, tt.says) {
				t.Errorf("%s: %d %s (%v)", tt.name, status, said, err)
			}
		}
		r, err := c.Get(base + payPath)
		if err != nil || r.StatusCode != 405 {
			t.Fatalf("another method: %+v (%v)", r, err)
		}
		r.Body.Close()
		if n := len(p.Ledger(time.Now())); n != 0 {
			t.Errorf("%d executed", n)
		}
	})
}

func TestAdminPaths(t *testing.T) {
	served(t, "momo", "", nil, func(t *testing.T, c *http.Client, _ *emulator.Provider) {
		if status, said, err := post(c, payPath, paying("o/1", "r-1")); status != 200 {
			t.Fatalf("%d %s (%v)", status, said, err)
		}
		for path, want := range map[string]string{
			"ledger": `"order_id": "o/1"`, "orders/o/1": `"executes": true`, "orders/none": `no call named this order`,
			"endpoints": payPath, "": "/_emulator/ledger",
		} {
			r, err := c.Get(base + "/_emulator/" + path)
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := io.ReadAll(r.Body)
			r.Body.Close()
			if !strings.Contains(string(raw), want) || !json.Valid(raw) || (r.StatusCode == 200) != (path != "" && path != "orders/none") {
				t.Errorf("%s: %d %s", path, r.StatusCode, raw)
			}
		}
	})
}

// Ten thousand clients at once, some of whom wait in vain: every call is answered or held,
// the ledger is whole, and nothing is left running.
func TestTenThousandConcurrentClients(t *testing.T) {
	clients := testkit.Size(500, 10_000, 10_000)
	doc := "[[fault]]\nkind = \"drop_response\"\norders = [\"*7\"]\n"
	served(t, "momo", doc, nil, func(t *testing.T, c *http.Client, p *emulator.Provider) {
		var all sync.WaitGroup
		var answered, silent atomic.Int64
		for i := range clients {
			all.Go(func() {
				name := fmt.Sprint(i)
				if status, _, err := post(c, payPath, paying(name, name)); err != nil {
					silent.Add(1)
				} else if status == 200 {
					answered.Add(1)
				}
			})
		}
		all.Wait()
		if answered.Load() != int64(clients*9/10) || silent.Load() != int64(clients/10) || len(p.Ledger(time.Now())) != clients {
			t.Errorf("%d answered, %d silent, %d executed", answered.Load(), silent.Load(), len(p.Ledger(time.Now())))
		}
	})
}

// Calls that wait for nothing do not keep the server from stopping.
func TestServeStopsDespiteWaitingClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		doc := "[[fault]]\nkind = \"drop_request\"\nnth = 1\n[[fault]]\nkind = \"delay\"\nnth = 2\nfor = \"1h\"\n"
		p := emulator.NewProvider(catalog(t, "momo"), &emulator.Options{Plan: plan(t, doc)})
		l := newWire()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- emulator.NewServer(p, nil).Serve(ctx, l) }()
		failed := make(chan error, 2)
		for range 2 {
			go func() {
				_, _, err := post(l.client(0), payPath, paying("o-1", "r-1"))
				failed <- err
			}()
			synctest.Wait()
		}
		began := time.Now()
		stop()
		for range 2 {
			if err := <-failed; err == nil {
				t.Error("a call was answered after all")
			}
		}
		if err := <-ended; err != nil || time.Since(began) > time.Second {
			t.Errorf("it took %s (%v)", time.Since(began), err)
		}
	})
}

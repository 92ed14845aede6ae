package emulator_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/emulator"
)

func TestListenRefusesPublicAddresses(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0"} {
		if _, err := emulator.Listen(address, false); !errors.Is(err, emulator.ErrPublic) {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"127.0.0.1:0", "localhost:0"} {
		l, err := emulator.Listen(address, false)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
	if _, err := emulator.Listen("nonsense", false); err == nil {
		t.Error("an address without a port")
	}
}

// A connection over TCP is reset, not closed.
func TestResetFaultResetsTheConnection(t *testing.T) {
	l, err := emulator.Listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	p := emulator.NewProvider(catalog(t, "momo"), &emulator.Options{Plan: plan(t, "[[fault]]\nkind = \"reset\"\nnth = 1\n")})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- emulator.NewServer(p, nil).Serve(ctx, l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	body := paying("o-1", "r-1")
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", payPath, len(body), body)
	if _, err = bufio.NewReader(conn).ReadString('\n'); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("the client sees %v", err)
	}
	conn.Close()
	stop()
	if err := <-ended; err != nil || len(p.Ledger(time.Now())) != 1 {
		t.Errorf("%v, %d executed", err, len(p.Ledger(time.Now())))
	}
}

// Whoever reaches a public emulator must not reach with it what only the machine reaches.
func TestAPublicEmulatorCallsNoOneElse(t *testing.T) {
	var called atomic.Int64
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	defer inner.Close()
	_, port, _ := net.SplitHostPort(inner.Listener.Addr().String())
	for name, c := range map[string]struct {
		public        bool
		webhook, asks string
		want          int64
	}{
		"on loopback":                   {false, "", inner.URL + "/x", 1},
		"public":                        {true, "", inner.URL + "/x", 0},
		"public, by name":               {true, "", "http://localhost:" + port + "/x", 0},
		"public, another port of his":   {true, "http://127.0.0.1:1/hook", inner.URL + "/x", 0},
		"public, another scheme":        {true, "https://127.0.0.1:" + port, inner.URL + "/x", 0},
		"public, a user name in it":     {true, "http://example.com", "http://example.com@127.0.0.1:" + port, 0},
		"public, link-local":            {true, "", "http://169.254.169.254/latest", 0},
		"public, as the operator named": {true, inner.URL + "/other", inner.URL + "/x", 1},
	} {
		t.Run(name, func(t *testing.T) {
			called.Store(0)
			address := "127.0.0.1:0"
			if c.public {
				address = "0.0.0.0:0"
			}
			l, err := emulator.Listen(address, c.public)
			if err != nil {
				t.Fatal(err)
			}
			said := make(chan emulator.Delivered, 10)
			p := emulator.NewProvider(catalog(t, "momo"), &emulator.Options{Plan: plan(t, strings.Replace(pendingPlan, "60s", "10ms", 1))})
			s := emulator.NewServer(p, &emulator.ServerOptions{Webhook: c.webhook, Attempts: 1, Delivered: func(d emulator.Delivered) { said <- d }})
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- s.Serve(ctx, l) }()
			_, own, _ := net.SplitHostPort(l.Addr().String())
			body := strings.Replace(paying("o-1", "r-1"), "{", `{"ipnUrl":"`+c.asks+`",`, 1)
			resp, err := http.Post("http://127.0.0.1:"+own+payPath, "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			d := <-said
			if refused := d.Err != nil && strings.Contains(d.Err.Error(), c.asks); called.Load() != c.want || refused != (c.want == 0) {
				t.Errorf("%d calls, want %d; %v", called.Load(), c.want, d.Err)
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/recourse-pay/recourse/internal/loopback"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// The scripts of testdata/emulate run the command beside a client. $ADDR is an address that
// no other process uses; post PATH BODY posts to it once the command listens there, and get PATH
// reads from it.
func TestEmulateScripts(t *testing.T) {
	repo, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "emulate"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       testkit.Update(),
		Setup: func(e *testscript.Env) error {
			e.Setenv("ADDR", freeAddress(t))
			e.Setenv("REPO", repo)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "post": post, "get": get},
	})
}

// freeAddress is an address that is free, for a server that another process starts.
func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := loopback.Port()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// post sends a request: post PATH BODY [HEADER=VALUE ...]. With ! there must be no answer.
func post(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: post PATH BODY [HEADER=VALUE ...]")
	}
	show(ts, neg, func() (*http.Response, error) {
		q, err := http.NewRequest(http.MethodPost, reach(ts)+args[0], strings.NewReader(args[1]))
		if err != nil {
			return nil, err
		}
		for _, h := range args[2:] {
			name, value, _ := strings.Cut(h, "=")
			q.Header.Set(name, value)
		}
		return http.DefaultClient.Do(q)
	})
}

// get reads a path: get PATH.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: get PATH")
	}
	show(ts, neg, func() (*http.Response, error) { return http.Get(reach(ts) + args[0]) })
}

func show(ts *testscript.TestScript, neg bool, call func() (*http.Response, error)) {
	r, err := call()
	if neg {
		if err == nil {
			r.Body.Close()
			ts.Fatalf("there is an answer: %s", r.Status)
		}
		return
	}
	ts.Check(err)
	defer r.Body.Close()
	_, _ = ts.Stdout().Write([]byte(r.Status + "\n"))
	_, err = io.Copy(ts.Stdout(), r.Body)
	ts.Check(err)
}

// reach waits until a server listens at $ADDR.
func reach(ts *testscript.TestScript) string {
	for until := time.Now().Add(time.Minute); time.Now().Before(until); {
		c, err := net.DialTimeout("tcp", ts.Getenv("ADDR"), time.Second)
		if err == nil {
			ts.Check(c.Close())
			return "http://" + ts.Getenv("ADDR")
		}
	}
	ts.Fatalf("no server listens at %s", ts.Getenv("ADDR"))
	return ""
}

// With port 0 the first line says where it listens; the end of the context is Ctrl-C.
func TestEmulateOnAFreePort(t *testing.T) {
	out, in := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var errs bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"emulate", "--provider", "opi", "--listen", "127.0.0.1:0"}, strings.NewReader(""), in, &errs)
		_ = in.Close()
	}()
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("it says nothing: %s", errs.String())
	}
	url, ok := strings.CutPrefix(lines.Text(), "opi listens on ")
	if !ok || strings.HasSuffix(url, ":0") {
		t.Fatalf("it says %q", lines.Text())
	}
	r, err := http.Post(url+"/open-api/disbursement/transfer", "application/json",
		strings.NewReader(`{"param":"{\"mchOrderId\":\"o-1\",\"idempotencyId\":\"r-1\",\"amount\":5735,\"currency\":\"PHP\"}"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	stop()
	var rest []string
	for lines.Scan() {
		rest = append(rest, strings.TrimSpace(lines.Text()))
	}
	want := "|1 calls, 1 orders, 1 executed, 0 still pending|payout  1  57.35 PHP"
	if code := <-ended; code != exitHolds || strings.Join(rest, "|") != want {
		t.Errorf("exit code %d, %q\n%s", code, rest, errs.String())
	}
}

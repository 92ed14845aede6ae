//go:build unix

// Command cluster shows two workers that share one PostgreSQL. It starts a server of its own where no URL is given, an
// emulated provider that drops requests and answers, and two processes that pay through it. One is killed in the
// middle, the other takes its payments over, and the provider's ledger is printed beside the journal's.
//
//	go run ./examples/cluster
//	go run ./examples/cluster -url postgres://shop@db/shop -flows 500
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	_ "embed"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/internal/pgserver"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/postgres"
	"github.com/recourse-pay/recourse/providers"
)

//go:embed faults.toml
var faults []byte

func main() {
	if text, is := os.LookupEnv(workerVar); is {
		fmt.Fprintln(os.Stderr, "worker:", work(text)) // it pays until it is killed, or fails
		os.Exit(1)
	}
	url := flag.String("url", "", "the database; empty: a server of its own, which is removed at the end")
	flows := flag.Int("flows", 200, "payments to make")
	flag.Parse()
	if err := run(os.Stdout, *url, *flows); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, url string, flows int) (err error) {
	if url == "" {
		fmt.Fprintln(out, "starting PostgreSQL")
		server, err := pgserver.Start()
		if err != nil {
			return err
		}
		defer server.Close()
		url = server.URL()
	}
	ctx := context.Background()
	schema := fmt.Sprintf("cluster_%d", time.Now().Unix()) // a run leaves the journals of others alone
	j, err := postgres.Open(ctx, url, &postgres.Options{Schema: schema, Migrate: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	provider, at, stop, err := startProvider(ctx)
	if err != nil {
		return err
	}
	defer stop()

	c := workerConfig{Database: url, Schema: schema, Provider: at, Flows: flows}
	var workers []*exec.Cmd
	for i := range 2 {
		c.Index = i
		cmd, err := startWorker(out, c)
		if err != nil {
			return err
		}
		workers = append(workers, cmd)
		defer kill(cmd)
	}
	if err := waitForFlows(ctx, j, func(stored, _ int) bool { return stored >= flows/2 }); err != nil {
		return err
	}
	fmt.Fprintf(out, "killing worker 1, process %d, in the middle; a new one starts\n", workers[1].Process.Pid)
	kill(workers[1])
	c.Index = 1
	again, err := startWorker(out, c)
	if err != nil {
		return err
	}
	defer kill(again)
	// A cart whose payment failed is paid by a second flow when another worker is asked for it after that.
	if err := waitForFlows(ctx, j, func(stored, open int) bool { return stored >= flows && open == 0 }); err != nil {
		return err
	}
	return printLedger(ctx, out, j, provider)
}

// kill ends a worker as a crash would, and waits until it is gone.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill() // it may be gone already
	_ = cmd.Wait()
}

func startProvider(ctx context.Context) (p *emulator.Provider, url string, stop func(), err error) {
	plan, err := emulator.ReadPlan("faults.toml", faults)
	if err != nil {
		return nil, "", nil, err
	}
	catalogs, err := providers.Builtin()
	if err != nil {
		return nil, "", nil, err
	}
	momo, err := catalogs.Get("momo")
	if err != nil {
		return nil, "", nil, err
	}
	p = emulator.NewProvider(momo, &emulator.Options{Plan: plan, Seed: 17})
	l, err := emulator.Listen("127.0.0.1:0", false)
	if err != nil {
		return nil, "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	server := emulator.NewServer(p, &emulator.ServerOptions{Attempts: 3, Backoff: 100 * time.Millisecond})
	go func() {
		defer close(over)
		_ = server.Serve(ctx, l) // ends when it is stopped
	}()
	return p, "http://" + l.Addr().String(), func() { cancel(); <-over }, nil
}

func startWorker(out io.Writer, c workerConfig) (*exec.Cmd, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), workerVar+"="+string(text))
	cmd.Stderr = os.Stderr
	said, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ready := bufio.NewScanner(said)
	if !ready.Scan() {
		return nil, errors.New("a worker did not start")
	}
	fmt.Fprintf(out, "worker %d, process %d: %s\n", c.Index, cmd.Process.Pid, ready.Text())
	go func() { _, _ = io.Copy(io.Discard, said) }()
	return cmd, nil
}

// waitForFlows waits until the journal has so many flows, of which so many are open.
func waitForFlows(ctx context.Context, j *postgres.Journal, enough func(stored, open int) bool) error {
	for limit := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		all, err := j.Count(ctx, journal.Filter{})
		if err != nil {
			return err
		}
		stored, open := 0, 0
		for _, t := range all {
			stored += t.Count
			if t.Standing == "open" || t.Standing == "in_doubt" {
				open += t.Count
			}
		}
		if enough(stored, open) {
			return nil
		}
		if time.Now().After(limit) {
			return fmt.Errorf("after two minutes %d flows are stored, and %d of them open", stored, open)
		}
	}
}

func printLedger(ctx context.Context, out io.Writer, j *postgres.Journal, p *emulator.Provider) error {
	account := p.Account(time.Now().AddDate(1, 0, 0))
	executed, twice := map[string]int{}, 0
	for _, e := range account.Executions {
		cart, _, _ := strings.Cut(e.OrderID, ".")
		if executed[cart]++; executed[cart] == 2 {
			twice++
		}
	}
	fmt.Fprintf(out, "\nthe provider was called %d times, with these faults: %v\n", account.Calls, account.Faults)
	all, err := j.Count(ctx, journal.Filter{})
	if err != nil {
		return err
	}
	for _, t := range all {
		fmt.Fprintf(out, "%-10s %d\n", t.Standing, t.Count)
	}
	fmt.Fprintf(out, "executed   %d, of them twice: %d\n", len(executed), twice)
	if twice > 0 {
		return fmt.Errorf("%d payments were executed twice", twice)
	}
	return nil
}

// listen takes a free port for webhooks.
func listen(handle http.HandlerFunc) (url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { _ = http.Serve(l, handle) }() // until the process ends
	return "http://" + l.Addr().String(), nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal/sqlite"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/recording"
)

// day is a shop and its provider while they run.
type day struct {
	options
	dir      string // temporary
	log      *slog.Logger
	shop     *shop
	provider *emulator.Provider
	results  []*executor.Result
	closers  []func() error // the last one first
}

// carts are the day's purchases. Their names choose their faults in faults.toml.
func carts() []*cart {
	var all []*cart
	add := func(op policy.Operation, n int, name string) {
		for i := range n {
			all = append(all, &cart{
				name: fmt.Sprintf("%s-%d", name, i+1), operation: op, amount: int64(60_000 + 15_000*len(all)), clicks: 1,
			})
		}
	}
	add(policy.Checkout, 4, "link")
	add(policy.Checkout, 1, "no-webhook")
	add(policy.Checkout, 1, "forged")
	add(policy.Checkout, 1, "two-webhooks")
	add(policy.Pay, 4, "token")
	add(policy.Pay, 1, "silence")
	add(policy.Pay, 3, "echo")
	add(policy.Pay, 2, "late")
	add(policy.Pay, 1, "reset")
	add(policy.Pay, 1, "gateway")
	add(policy.Pay, 1, "no-answer")
	add(policy.Pay, 1, "double-click")
	all[len(all)-1].clicks = 2 // the same key: the same flow
	return all
}

// open starts the provider, the shop's web server and the executor.
func (d *day) open(ctx context.Context) error {
	rules, err := d.rules()
	if err != nil {
		return err
	}
	if err := d.openProvider(ctx, rules); err != nil {
		return err
	}
	if d.journal == "" {
		d.journal = filepath.Join(d.dir, "journal")
	} else if _, err := os.Stat(d.journal); err == nil {
		return fmt.Errorf("%s is there already", d.journal)
	}
	journal, err := sqlite.Open(d.journal, nil)
	if err != nil {
		return err
	}
	d.closers = append(d.closers, journal.Close)
	if d.recording == "" {
		d.recording = filepath.Join(d.dir, "recording")
	}
	recorder, err := recording.NewFolder(d.recording, nil)
	if err != nil {
		return err
	}
	d.closers = append(d.closers, recorder.Close)
	s := d.shop
	s.x, err = executor.New(rules, &executor.Config{
		Journal:    journal,
		Clients:    map[string]executor.Client{"momo": s.momo},
		NewOrder:   s.newOrder,
		OnEscalate: s.escalate,
		OnAlert:    s.alert,
		OnError:    func(err error) { d.log.Error("executor", "error", err) },
		Observers:  []executor.Observer{recorder, executor.Log(d.log)},
		// Many calls fail here on purpose; the default breaker would stop all of them.
		Breaker: executor.Breaker{Failures: 20, Open: 100 * time.Millisecond},
	})
	if err != nil {
		return err
	}
	d.closers = append(d.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return s.x.Close(ctx)
	})
	_, err = s.x.Resume(ctx) // flows of an earlier process; here there are none
	return err
}

// rules opens the defaults with the shop's own rules over them, from a folder.
func (d *day) rules() (*engine.Engine, error) {
	if err := os.CopyFS(d.dir, files); err != nil {
		return nil, err
	}
	return engine.Open(filepath.Join(d.dir, "rules"))
}

func (d *day) openProvider(ctx context.Context, rules *engine.Engine) error {
	catalog, err := rules.Catalogs.Get("momo")
	if err != nil {
		return err
	}
	var signed bool
	if d.shop.hooks, signed = catalog.Webhook(); !signed {
		return errors.New("the catalogue does not say how webhooks are signed")
	}
	faults, err := files.ReadFile("faults.toml")
	if err != nil {
		return err
	}
	plan, err := emulator.ReadPlan("faults.toml", faults)
	if err != nil {
		return err
	}
	d.provider = emulator.NewProvider(catalog, &emulator.Options{Plan: plan, Seed: d.seed})
	provider, err := emulator.Listen("127.0.0.1:0", false)
	if err != nil {
		return err
	}
	shop, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, provider.Close())
	}
	d.shop.momo = &momo{
		http: &http.Client{Transport: &http.Transport{}}, url: "http://" + provider.Addr().String(),
		ipn: "http://" + shop.Addr().String() + "/momo/ipn",
	}
	d.serve(ctx, provider, shop)
	return nil
}

// serve runs both web servers until they are closed. They ignore the end of ctx, because the
// shop's work must end before them.
func (d *day) serve(ctx context.Context, provider, shop net.Listener) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() {
		ended <- emulator.NewServer(d.provider, &emulator.ServerOptions{Secret: d.shop.secret}).Serve(ctx, provider)
	}()
	routes := http.NewServeMux()
	routes.Handle("POST /momo/ipn", d.shop.webhooks())
	server := &http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(shop) }() // ends with Close
	d.closers = append(d.closers, func() error {
		stop()
		d.shop.momo.http.CloseIdleConnections()
		closed := server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			closed = errors.Join(closed, err)
		}
		return errors.Join(<-ended, closed)
	})
}

// sell sells every cart, all at the same time.
func (d *day) sell(ctx context.Context) error {
	var all sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, c := range carts() {
		for click := range c.clicks {
			all.Go(func() {
				start := time.Now()
				r, err := d.shop.sell(ctx, c)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
				case click > 0:
					d.shop.out.printf("%-14s  click %d was the same flow, %s\n", c.name, click+1, r.Flow)
				default:
					d.shop.out.end(r, time.Since(start))
					d.results = append(d.results, r)
				}
			})
		}
	}
	all.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	errs = append(errs, d.afterwards(ctx))
	return errors.Join(errs...)
}

// afterwards settles what was escalated, and lets one shopper press the button again.
func (d *day) afterwards(ctx context.Context) error {
	for i, r := range d.results {
		if r.Outcome != policy.Escalated {
			continue
		}
		settled, err := d.shop.backOffice(ctx, d.provider, r)
		if err != nil {
			return err
		}
		d.results[i] = settled
	}
	all := carts()
	last := all[len(all)-1] // its shopper returns to the page and presses the button again
	r, err := d.shop.sell(ctx, last)
	if err != nil {
		return err
	}
	d.shop.out.printf("%-14s  once more: %s, repeated: %t\n", last.name, r.Outcome, r.Repeated)
	return nil
}

func (d *day) close() error {
	var errs []error
	for _, end := range slices.Backward(d.closers) {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}

// compare compares the results with the provider's executions, after every request has arrived.
func (d *day) compare() reconciliation {
	return compare(d.results, d.provider.Ledger(time.Now().Add(time.Hour)))
}

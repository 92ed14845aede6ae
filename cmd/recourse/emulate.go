package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/internal/source"
)

func emulateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "emulate --provider NAME",
		Short: "Play a provider on loopback, with faults and a ledger",
		Long: `Answers as a provider does: on its paths, in its envelopes, by its contract about repeated
requests, with signed webhooks. A fault file says what becomes of payments and what goes
wrong on the way; /_emulator/ledger tells what really executed. Ctrl-C ends it and prints
the ledger in short. docs/emulate.md describes all of it.

Exit codes: 0 it was ended by Ctrl-C, 2 could not run.`,
		Example: `  recourse emulate --provider momo
  recourse emulate --provider momo --listen 127.0.0.1:0 --faults testdata/faults/rough-day.toml -v
  curl -s 127.0.0.1:8080/_emulator/ledger`,
		Args: cobra.NoArgs,
	}
	var q emulation
	cmd.Flags().StringVar(&q.provider, "provider", "", "the provider to play (see recourse codes)")
	cmd.Flags().StringVar(&q.deployment, "deployment", "", "the provider's deployment to play, a [deployment] of its catalogue")
	cmd.Flags().StringVar(&q.listen, "listen", "127.0.0.1:8080", "address; port 0 takes a free one")
	cmd.Flags().BoolVar(&q.public, "public", false, "allow an address that other machines can reach")
	cmd.Flags().StringVar(&q.faults, "faults", "", "fault file (TOML); without one nothing goes wrong")
	cmd.Flags().StringVar(&q.webhook, "webhook", "", "URL for webhooks whose request named none")
	cmd.Flags().StringVar(&q.secret, "secret", "secret", "secret of the webhooks' signatures")
	cmd.Flags().Uint64Var(&q.seed, "seed", 1, "seed of all randomness")
	cmd.Flags().BoolVarP(&q.verbose, "verbose", "v", false, "print a line for each call and each delivery of a webhook")
	_ = cmd.MarkFlagRequired("provider")
	_ = cmd.MarkFlagFilename("faults", "toml")
	q.rules = rulesFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return q.run(cmd) }
	return cmd
}

// emulation holds the flags of the command.
type emulation struct {
	provider, deployment, listen, faults, webhook, secret string
	seed                                                  uint64
	public, verbose                                       bool
	rules                                                 *string
}

func (q *emulation) run(cmd *cobra.Command) error {
	provider, err := q.make(cmd)
	if err != nil {
		return err
	}
	if q.webhook != "" {
		if to, err := url.Parse(q.webhook); err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
			return fmt.Errorf("--webhook %q is no HTTP URL", q.webhook)
		}
	}
	l, err := emulator.Listen(q.listen, q.public)
	if errors.Is(err, emulator.ErrPublic) {
		return fmt.Errorf("%w (--public)", err)
	}
	if err != nil {
		return err
	}
	out := &lines{w: cmd.OutOrStdout()}
	o := &emulator.ServerOptions{Webhook: q.webhook, Secret: q.secret}
	if q.verbose {
		o.Called = func(c emulator.Called) { out.print(callLine(time.Now(), &c)) }
		o.Delivered = func(d emulator.Delivered) { out.print(deliveryLine(time.Now(), &d)) }
	}
	server := emulator.NewServer(provider, o)
	// Ctrl-C is the normal end of this command, so it prints the account and is no error.
	out.print(fmt.Sprintf("%s listens on http://%s", q.provider, l.Addr()))
	if err := server.Serve(cmd.Context(), l); err != nil {
		return err
	}
	writeAccount(out.w, provider.Account(time.Now()))
	return nil
}

// make loads the catalogue and the fault file.
func (q *emulation) make(cmd *cobra.Command) (*emulator.Provider, error) {
	e, err := open(cmd, *q.rules)
	if err != nil {
		return nil, err
	}
	catalog, err := e.Catalogs.Get(q.provider)
	if err != nil {
		return nil, err
	}
	if q.deployment != "" {
		d, ok := catalog.Deployment(q.deployment)
		if !ok {
			return nil, fmt.Errorf("--deployment %q: the catalogue of %s has %q", q.deployment, q.provider, catalog.Deployments())
		}
		catalog = d
	}
	if len(catalog.Endpoints()) == 0 {
		return nil, fmt.Errorf("the catalogue of %s has no [[endpoint]]", q.provider)
	}
	o := &emulator.Options{Seed: q.seed, Start: time.Now()}
	if q.faults != "" {
		data, err := source.ReadPath(q.faults)
		if err != nil {
			return nil, err
		}
		if o.Plan, err = emulator.ReadPlan(q.faults, data); err != nil {
			return nil, err
		}
	}
	return emulator.NewProvider(catalog, o), nil
}

// lines writes whole lines from several goroutines.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) print(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(l.w, line)
}

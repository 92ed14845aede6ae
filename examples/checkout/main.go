// Command checkout is a shop that takes payments by MoMo, with many faults. The provider is
// emulated in the same process; momo.go and shop.go are what a real shop would have.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

//go:embed rules faults.toml
var files embed.FS

type options struct {
	journal   string // path; empty: in a temporary folder
	recording string // folder; empty: the same
	seed      uint64
	verbose   bool
}

func main() { os.Exit(command()) }

func command() int {
	var o options
	flag.StringVar(&o.journal, "journal", "", "keep the journal in this file, which must be new: the emulated provider forgets between runs")
	flag.StringVar(&o.recording, "recording", "", "keep the recording in this folder")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of all randomness: it decides how the payments end")
	flag.BoolVar(&o.verbose, "v", false, "log every call and decision to stderr")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	reconciliation, err := run(ctx, o, os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "checkout: interrupted; open flows are in the journal, which is kept if -journal is set")
		return 130
	case err != nil:
		fmt.Fprintln(os.Stderr, "checkout:", err)
		return 2
	case !reconciliation.agrees():
		return 1
	}
	return 0
}

// run runs one day of the shop.
func run(ctx context.Context, o options, out, log io.Writer) (reconciliation, error) {
	dir, err := os.MkdirTemp("", "checkout-")
	if err != nil {
		return reconciliation{}, err
	}
	defer os.RemoveAll(dir)
	level := slog.LevelError
	if o.verbose {
		level = slog.LevelDebug
	}
	d := &day{
		options: o, dir: dir,
		log:  slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: level})),
		shop: &shop{secret: "shared with MoMo", out: &printer{w: out}},
	}
	if err = d.open(ctx); err == nil {
		err = d.sell(ctx)
	}
	if err = errors.Join(err, d.close()); err != nil {
		return reconciliation{}, err
	}
	b := d.compare()
	d.shop.out.printf("%s", b.String())
	return b, nil
}

// Command checkout is a shop that sells by MoMo, on a day on which much goes wrong. The
// provider is emulated in the same process; momo.go and shop.go are what a shop would have.
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
	flag.Uint64Var(&o.seed, "seed", 1, "what becomes of the payments follows from it")
	flag.BoolVar(&o.verbose, "v", false, "log every call and decision to stderr")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	books, err := run(ctx, o, os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "checkout: interrupted; what is open stands in the journal, which is kept if -journal names it")
		return 130
	case err != nil:
		fmt.Fprintln(os.Stderr, "checkout:", err)
		return 2
	case !books.good():
		return 1
	}
	return 0
}

// run is a day of the shop.
func run(ctx context.Context, o options, out, log io.Writer) (books, error) {
	dir, err := os.MkdirTemp("", "checkout-")
	if err != nil {
		return books{}, err
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
		return books{}, err
	}
	b := d.compare()
	d.shop.out.printf("%s", b.String())
	return b, nil
}

// Command generate makes the recordings in testdata/recordings: payments at emulated
// providers, with faults. A naive client follows the providers' tables; a careful one is our
// own state machine. The truth lines are the executions of the emulated providers.
//
//	go run ./internal/generate                           writes testdata/recordings anew
//	go run ./internal/generate -flows 1000000 -out big.jsonl
//	go run ./internal/generate -flows 300000 -days 30 -differ -out big.jsonl   no two bodies are the same
//
// The same seed gives the same recordings.
package main

import (
	"bufio"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/ruleset"
)

func main() {
	var (
		seed   = flag.Uint64("seed", 20261121, "seed of all randomness")
		flows  = flag.Int("flows", 3200, "number of payments")
		days   = flag.Int("days", 9, "days over which they are spread")
		out    = flag.String("out", filepath.Join("testdata", "recordings"), "a folder (a file a provider, gzipped), or one file")
		differ = flag.Bool("differ", false, "put a trace id into each message, and a signature into each body: no two are the same")
		stdout = flag.Bool("stdout", false, "write one stream to standard output")
	)
	flag.Parse()
	if err := run(*seed, *flows, *days, *out, *stdout, *differ); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(seed uint64, flows, days int, out string, stdout, differ bool) error {
	e, err := ruleset.Open("")
	if err != nil {
		return err
	}
	g, err := newGenerator(e, seed, flows, time.Duration(days)*24*time.Hour)
	if err != nil {
		return err
	}
	g.differ = differ
	switch {
	case stdout:
		return g.write(map[string]io.Writer{"": os.Stdout})
	case strings.Contains(filepath.Base(out), ".jsonl"):
		return g.writeFile(out)
	}
	return g.writeFolder(out)
}

func (g *generator) writeFile(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	var w io.Writer = f
	var zip *gzip.Writer
	if strings.HasSuffix(name, ".gz") {
		zip = gzip.NewWriter(f)
		w = zip
	}
	if err := g.write(map[string]io.Writer{"": w}); err != nil {
		return err
	}
	if zip != nil {
		if err := zip.Close(); err != nil {
			return err
		}
	}
	return f.Close()
}

// writeFolder writes one gzipped file a provider.
func (g *generator) writeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	writers := map[string]io.Writer{}
	var closers []func() error
	for _, p := range recordedProviders() {
		f, err := os.Create(filepath.Join(dir, p+".jsonl.gz"))
		if err != nil {
			return err
		}
		zip, err := gzip.NewWriterLevel(f, gzip.BestCompression)
		if err != nil {
			return err
		}
		buf := bufio.NewWriter(zip)
		writers[p] = buf
		closers = append(closers, buf.Flush, zip.Close, f.Close)
	}
	if err := g.write(writers); err != nil {
		return err
	}
	for _, c := range closers {
		if err := c(); err != nil {
			return err
		}
	}
	return nil
}

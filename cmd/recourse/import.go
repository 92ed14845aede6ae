package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/imports"
	"github.com/recourse-pay/recourse/cmd/recourse/internal/traffic"
	"github.com/recourse-pay/recourse/internal/outfile"
	"github.com/recourse-pay/recourse/internal/source"
)

func importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Make a recording of HAR files, cassettes, stubs or logs",
		Long: `Reads what other tools recorded (files, folders, or - for standard input; plain or gzipped) and
writes a recording that simulate and audit read. The catalogues' endpoints say which URL is which
call of which provider, and where identifiers and amounts stand. Secrets and card numbers are taken
out before anything is written. Rows of CSV and JSON lines are read by a mapping; docs/import.md has
the formats, what each cannot hold, and the mapping.

Every entry that is left out is named on stderr with its file and line, and counted.

Exit codes: 0 a recording was written, 2 could not run, or no call of a provider is in the files.`,
		Example: `  recourse import shop.har -o shop.jsonl
  recourse import --provider momo --merchant acme cassettes/ | recourse simulate -
  recourse import --map bank.toml june.csv july.csv -o bank.jsonl.gz`,
		Args: cobra.MinimumNArgs(1),
	}
	dir := rulesFlag(cmd)
	var chosen selection
	providerFlag(cmd, &chosen.providers)
	merchant := cmd.Flags().String("merchant", "", "whose calls these are, where the files do not say")
	mapping := cmd.Flags().String("map", "", "TOML file that says what the fields of rows mean, and where calls carry merchant and payment key")
	redacted := cmd.Flags().StringSlice("redact", nil, "names of fields to cut though the catalogue reads them")
	strict := cmd.Flags().Bool("strict", false, "an entry that cannot be read is an error")
	out := shortOutputFile(cmd, "output", "o", "jsonl", "file to write the recording to, gzipped where it ends in .gz (default: standard output)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		e, err := open(cmd, *dir)
		if err != nil {
			return err
		}
		if err := chosen.check(e); err != nil {
			return err
		}
		o := &imports.Options{
			Catalogs: e.Catalogs, Catalog: e.Catalog, Provider: chosen.providers, Merchant: *merchant, Redact: *redacted, Stdin: cmd.InOrStdin(),
			LeftOut: func(p *traffic.PlaceError) { fmt.Fprintln(cmd.ErrOrStderr(), plain(p.Error())) },
		}
		if err := readAndWritten(*out, append(args, *mapping)); err != nil {
			return err
		}
		if *mapping != "" {
			data, err := source.ReadPath(*mapping)
			if err != nil {
				return err
			}
			if o.Mapping, err = imports.ReadMapping(*mapping, data); err != nil {
				return err
			}
		}
		return importInto(cmd, o, *out, *strict, args)
	}
	return cmd
}

// readAndWritten refuses an output that is one of the inputs: what a tool recorded cannot be made again.
func readAndWritten(out string, inputs []string) error {
	to, err := os.Stat(out)
	if out == "" || err != nil || !to.Mode().IsRegular() {
		return nil //nolint:nilerr // what is not there is no input
	}
	for _, in := range inputs {
		if from, err := os.Stat(in); err == nil && os.SameFile(from, to) {
			return fmt.Errorf("--output: %s is read too; another name keeps it", out)
		}
	}
	return nil
}

// importInto writes to standard output, or to a file that takes its name only when it is whole.
func importInto(cmd *cobra.Command, o *imports.Options, name string, strict bool, args []string) error {
	var sum *imports.Summary
	write := func(to io.Writer) error {
		buffered := bufio.NewWriterSize(to, 1<<16)
		var lines io.Writer = buffered
		var zip *gzip.Writer
		if strings.HasSuffix(name, ".gz") {
			zip = gzip.NewWriter(buffered)
			lines = zip
		}
		var err error
		if sum, err = imports.Run(cmd.Context(), o, lines, args...); err != nil {
			return err
		}
		if zip != nil {
			if err := zip.Close(); err != nil {
				return err
			}
		}
		if err := buffered.Flush(); err != nil {
			return err
		}
		refused := importRefused(sum, strict)
		if refused != nil {
			writeImported(cmd.ErrOrStderr(), sum)
		}
		return refused
	}
	var err error
	if name == "" {
		err = write(cmd.OutOrStdout())
	} else {
		err = outfile.Stream(cmd.Context(), name, write)
	}
	if err == nil {
		writeImported(cmd.ErrOrStderr(), sum)
	}
	return err
}

// importRefused says why an import that ran is none.
func importRefused(sum *imports.Summary, strict bool) error {
	switch {
	case sum.Sends == 0 && sum.Truths == 0:
		return fmt.Errorf("no payment was found: %d entries in %d files, and none is a call that a catalogue lists as a send; --provider narrows, DIR/providers/*.toml adds a provider, `recourse codes` lists what is known",
			sum.Entries, len(sum.Files))
	case strict && sum.Broken > 0:
		return fmt.Errorf("%d entries cannot be read", sum.Broken)
	}
	return nil
}

// lackWords says what a recording lacks, for people.
var lackWords = map[string]string{
	traffic.Faults:  "calls that got no answer are not in it: the calls in doubt, which matter most, are missing",
	traffic.Times:   "when calls were made is not known, or to a second only: waiting times mean nothing",
	traffic.Repeats: "equal calls after the first may be missing: a second send may not be in it",
	traffic.Numbers: "numbers are not as they were sent: identifiers above 2^53 and decimals are changed",
}

func lackWord(what string) string {
	if words := lackWords[what]; words != "" {
		return words
	}
	return what + " is missing"
}

func writeImported(w io.Writer, sum *imports.Summary) {
	for _, f := range sum.Files {
		fmt.Fprintln(w, plain(f))
	}
	fmt.Fprintf(w, "%s entries; written: %s lines of %s flows (%s sends, %s queries, %s webhooks, %s ends, %s truths)\n", count(sum.Entries), count(sum.Lines), count(sum.Flows),
		count(sum.Sends), count(sum.Queries), count(sum.Webhooks), count(sum.Ends), count(sum.Truths))
	for _, c := range sum.LeftOut {
		fmt.Fprintf(w, "left out: %s, %s\n", count(c.N), plain(c.Name))
	}
	if sum.Cards > 0 {
		fmt.Fprintf(w, "card numbers stood where names are, in %s lines: each is card-… now, the same in all of this recording; another import gives it another name\n", count(sum.Cards))
	}
	for _, what := range sum.Lacks {
		fmt.Fprintf(w, "lacks %s: %s\n", what, lackWord(what))
	}
}

// Command foreign converts a retry table into a rules folder: a catalogue and a file of rules
// for each connector. The table has one row for each connector, flow, code and message. Foreign
// copies the table with all its mistakes; `recourse check` and `recourse verify` find them.
//
//	go run ./examples/foreign -table table.csv -facts facts.csv -out DIR
//
// See docs/foreign-tables.md. Exit codes: 0 written, 2 not.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

type options struct {
	table   string
	facts   string // empty: there are no facts
	out     string
	careful bool
	force   bool
}

func main() { os.Exit(command(os.Args[1:], os.Stdout, os.Stderr)) }

func command(args []string, out, errs io.Writer) int {
	var o options
	flags := flag.NewFlagSet("foreign", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.StringVar(&o.table, "table", "", "the table: CSV with the columns connector, flow, code, message, decision, step_up")
	flags.StringVar(&o.facts, "facts", "", "what codes prove: CSV with the columns connector, code, flow, effect, class, stage, because")
	flags.StringVar(&o.out, "out", "", "the rules folder to write")
	flags.BoolVar(&o.careful, "careful", false, "where nothing proves that no money moved, ask for the status, whatever the table decides")
	flags.BoolVar(&o.force, "force", false, "write over files that exist")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if o.table == "" || o.out == "" || flags.NArg() > 0 {
		fmt.Fprintln(errs, "foreign: -table and -out are needed, and nothing else")
		flags.Usage()
		return 2
	}
	if err := convert(o, out); err != nil {
		fmt.Fprintln(errs, err)
		return 2
	}
	return 0
}

// convert reads everything before it writes anything.
func convert(o options, out io.Writer) error {
	rows, err := readTable(o.table)
	facts := facts{}
	if o.facts != "" {
		var more error
		facts, more = readFacts(o.facts)
		err = errors.Join(err, more)
	}
	if err == nil {
		err = facts.checkConnectors(rows)
	}
	if err != nil {
		return err
	}
	tables := split(rows, facts)
	files := map[string][]byte{}
	for _, b := range tables {
		files[filepath.Join("providers", b.connector+".toml")] = b.catalogue(o)
		files[b.connector+".toml"] = b.rules(o)
	}
	if err := write(o, files); err != nil {
		return err
	}
	for _, b := range tables {
		fmt.Fprintf(out, "%s: %d rows, %d codes, %d rows on which nothing is proved%s\n", b.connector, len(b.rows), len(b.codes), b.unproved(), b.stepUps())
	}
	return nil
}

// write puts the files into the folder, none if one is there already.
func write(o options, files map[string][]byte) error {
	var errs []error
	for name := range files {
		if _, err := os.Stat(filepath.Join(o.out, name)); !o.force && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("foreign: %s exists; -force writes over it", filepath.Join(o.out, name)))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if err := os.MkdirAll(filepath.Join(o.out, "providers"), 0o755); err != nil {
		return err
	}
	for name, data := range files {
		errs = append(errs, os.WriteFile(filepath.Join(o.out, name), data, 0o644))
	}
	return errors.Join(errs...)
}

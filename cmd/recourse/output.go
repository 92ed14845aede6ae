package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// jsonFlag adds --json to a command that prints a report.
func jsonFlag(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("json", false, "print all of it as one JSON object")
}

// printJSON prints a value for programs.
func printJSON(w io.Writer, what any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(what)
}

// writeFile writes a file, and removes it when writing fails.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// concluded prints a report, as JSON or as text, and returns the error that ends the command.
// cutShort, the error of interrupted work, comes before errDoesNotHold.
func concluded(cmd *cobra.Command, asJSON bool, report any, write func(io.Writer), cutShort error, holds bool) error {
	if asJSON {
		if err := printJSON(cmd.OutOrStdout(), report); err != nil {
			return errors.Join(cutShort, err)
		}
	} else {
		write(cmd.OutOrStdout())
	}
	switch {
	case cutShort != nil:
		return cutShort
	case !holds:
		return errDoesNotHold
	}
	return nil
}

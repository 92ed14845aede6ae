package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/outfile"
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

// outputFile adds a flag that names a file to write. The file is looked at before the command's work, which may be long.
func outputFile(cmd *cobra.Command, flag, extension, usage string) *string {
	name := cmd.Flags().String(flag, "", usage)
	_ = cmd.MarkFlagFilename(flag, extension)
	before := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if cmd.Flags().Changed(flag) {
			if err := outfile.Check(*name); err != nil {
				return fmt.Errorf("--%s: %w", flag, err)
			}
		}
		if before != nil {
			return before(cmd, args)
		}
		return nil
	}
	return name
}

// writeFile writes a report to a file that a flag names.
func writeFile(cmd *cobra.Command, name string, write func(io.Writer) error) error {
	var text bytes.Buffer
	if err := write(&text); err != nil {
		return err
	}
	return outfile.Write(cmd.Context(), name, text.Bytes())
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

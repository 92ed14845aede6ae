package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/outfile"
)

// jsonFlag adds --json to a command that prints a report.
func jsonFlag(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("json", false, "print all of it as one JSON object")
}

// printJSON prints a value for programs. A report is printed list by list and item by item, since a json.Encoder
// holds the whole text, and a comparison of a thousand merchants has hundreds of megabytes of it.
func printJSON(w io.Writer, what any) error {
	v := reflect.Indirect(reflect.ValueOf(what))
	if !byField(what, v) {
		return encode(w, what, "")
	}
	out := bufio.NewWriterSize(w, 1<<16)
	if err := printFields(out, v); err != nil {
		return err
	}
	return out.Flush()
}

// byField reports whether printFields prints a value as an encoder does.
func byField(what any, v reflect.Value) bool {
	if _, own := what.(json.Marshaler); own || v.Kind() != reflect.Struct || v.NumField() == 0 {
		return false
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || !f.IsExported() || name == "" || name == "-" || options != "" && options != "omitempty" || i == 0 && options != "" {
			return false
		}
	}
	return true
}

// printFields prints a struct without embedded fields as a json.Encoder would.
func printFields(out *bufio.Writer, v reflect.Value) error {
	before := "{\n  "
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if options == "omitempty" && isEmpty(v.Field(i)) {
			continue
		}
		fmt.Fprintf(out, "%s%q: ", before, name)
		before = ",\n  "
		if err := printField(out, v.Field(i)); err != nil {
			return err
		}
	}
	_, err := out.WriteString("\n}\n")
	return err
}

func printField(out *bufio.Writer, f reflect.Value) error {
	if f.Kind() != reflect.Slice || f.Len() == 0 || f.Type().Elem().Kind() == reflect.Uint8 || f.Type().Implements(reflect.TypeFor[json.Marshaler]()) {
		return encode(trimmed{out}, f.Interface(), "  ")
	}
	for i := range f.Len() {
		before := ",\n    "
		if i == 0 {
			before = "[\n    "
		}
		if _, err := out.WriteString(before); err != nil {
			return err
		}
		if err := encode(trimmed{out}, f.Index(i).Interface(), "    "); err != nil {
			return err
		}
	}
	_, err := out.WriteString("\n  ]")
	return err
}

// isEmpty is what omitempty leaves out.
func isEmpty(f reflect.Value) bool {
	switch f.Kind() {
	case reflect.Slice, reflect.Map, reflect.String, reflect.Array:
		return f.Len() == 0
	case reflect.Struct:
		return false
	default:
		return f.IsZero()
	}
}

func encode(w io.Writer, what any, prefix string) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, "  ")
	return enc.Encode(what)
}

// trimmed drops the line's end that an encoder writes after a value.
type trimmed struct{ w io.Writer }

func (t trimmed) Write(p []byte) (int, error) {
	_, err := t.w.Write(bytes.TrimSuffix(p, []byte("\n")))
	return len(p), err
}

// outputFile adds a flag that names a file to write. The file is looked at before the command's work, which may be long.
func outputFile(cmd *cobra.Command, flag, extension, usage string) *string {
	return shortOutputFile(cmd, flag, "", extension, usage)
}

// shortOutputFile is outputFile with a short name beside the long one.
func shortOutputFile(cmd *cobra.Command, flag, short, extension, usage string) *string {
	name := cmd.Flags().StringP(flag, short, "", usage)
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

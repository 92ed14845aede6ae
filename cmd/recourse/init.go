package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/schema"
)

//go:embed starter
var starter embed.FS

// skeleton is a catalogue to begin with, and its tests.
//
//go:embed provider
var skeleton embed.FS

// merchantName matches the names that a merchant's file may have.
var merchantName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`) })

func initCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init DIR",
		Short: "Start a folder of rules: a merchant, a rule, and tests that pass",
		Long: `Writes a rules folder with one merchant, a rule of its own and tests of it, and the JSON
Schemas by which editors complete and check its TOML files, without a network. A file that
exists already is never overwritten: then nothing is written at all, and neither where one
of the files cannot be written.

With --provider it writes a catalogue of that provider to begin with, and tests of it that
pass, into a folder of rules that may be there already: every part of the language of
catalogues with a comment. See docs/catalogue.md.

Exit codes: 0 written, 2 could not run.`,
		Example: `  recourse init myrules
  recourse init myrules --merchant evergreen-box
  recourse init myrules --provider acmepay
  recourse test myrules`,
		Args: cobra.ExactArgs(1),
	}
	merchant := cmd.Flags().String("merchant", "acme", "the merchant's name")
	provider := cmd.Flags().String("provider", "", "write a catalogue of this provider, and nothing of a merchant")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if cmd.Flags().Changed("provider") {
			return initProvider(cmd.OutOrStdout(), args[0], *provider)
		}
		if !merchantName().MatchString(*merchant) {
			return fmt.Errorf("--merchant %q: a merchant's name has small letters, digits and dashes", *merchant)
		}
		files, err := starterFiles(*merchant)
		if err != nil {
			return err
		}
		if err := writeNew(args[0], files); err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		for _, name := range sortedNames(files) {
			fmt.Fprintln(out, filepath.Join(args[0], filepath.FromSlash(name)))
		}
		return whatNext(out, args[0], *merchant)
	}
	return cmd
}

// initProvider writes a catalogue to begin with.
func initProvider(out io.Writer, dir, name string) error {
	shipped, err := providers.Builtin()
	if err != nil {
		return err
	}
	if !merchantName().MatchString(name) {
		return fmt.Errorf("--provider %q: a provider's name has small letters, digits and dashes", name)
	}
	if slices.Contains(shipped.Names(), name) {
		return fmt.Errorf("--provider %q: its catalogue ships with the program; to add to it write providers/%s.toml with its name and only the new rows", name, name)
	}
	files := map[string][]byte{}
	for _, kind := range []string{".toml", ".test.toml"} {
		data, err := skeleton.ReadFile("provider/providers/acmepay" + kind)
		if err != nil {
			return err
		}
		files["providers/"+name+kind] = bytes.ReplaceAll(data, []byte("acmepay"), []byte(name))
	}
	if err := writeNew(dir, files); err != nil {
		return err
	}
	for _, written := range sortedNames(files) {
		fmt.Fprintln(out, filepath.Join(dir, filepath.FromSlash(written)))
	}
	fmt.Fprintf(out, "\nnext\n")
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "  recourse test %s\tthe tests pass\n", dir)
	fmt.Fprintf(tw, "  recourse check --rules %s --provider %s\twhat the catalogue leaves open, with the line to add\n", dir, name)
	fmt.Fprintf(tw, "  recourse verify --rules %s --provider %s\tproves the rules at this provider\n", dir, name)
	return tw.Flush()
}

// whatNext describes the next steps for a new folder.
func whatNext(w io.Writer, dir, merchant string) error {
	fmt.Fprintf(w, "\nnext\n")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "  recourse test %s\tthe tests pass\n", dir)
	fmt.Fprintf(tw, "  recourse test %s --cover --mutate\twhat the tests do not look at\n", dir)
	fmt.Fprintf(tw, "  recourse verify --rules %s\tproves that the rules cannot charge twice\n", dir)
	fmt.Fprintf(tw, "  recourse explain --rules %s --provider momo --merchant %s --operation pay --code 1001\n", dir, merchant)
	fmt.Fprintf(tw, "\nChange fired < 2 to fired < 1 in %s.toml, and test again: a test fails, and says why.\n", filepath.Join(dir, "merchants", merchant))
	return tw.Flush()
}

// starterFiles are the files of a new folder, by their names in it.
func starterFiles(merchant string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(starter, "starter", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := starter.ReadFile(name)
		target := strings.TrimPrefix(name, "starter/")
		files[path.Join(path.Dir(target), strings.Replace(path.Base(target), "acme", merchant, 1))] = data
		return err
	})
	for _, name := range schema.OfRules() {
		data, readErr := schema.Read(name)
		files["schema/"+name] = data
		err = errors.Join(err, readErr)
	}
	return files, err
}

func sortedNames(files map[string][]byte) []string {
	names := make([]string, 0, len(files))
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// writeNew writes new files, all or none: if one of them exists it writes none, and if one cannot be
// written it removes those that it wrote.
func writeNew(dir string, files map[string][]byte) error {
	var clashes []error
	for _, name := range sortedNames(files) {
		target := filepath.Join(dir, filepath.FromSlash(name))
		if _, err := os.Lstat(target); err == nil {
			clashes = append(clashes, fmt.Errorf("%s exists already", target))
		} else if !errors.Is(err, fs.ErrNotExist) { // a file in the place of a folder, a folder that may not be read
			clashes = append(clashes, err)
		}
	}
	if len(clashes) > 0 {
		return fmt.Errorf("%w\nnothing was written", errors.Join(clashes...))
	}
	var made []string // files and folders, in the order in which they were made
	for _, name := range sortedNames(files) {
		target := filepath.Join(dir, filepath.FromSlash(name))
		err := makeFolders(filepath.Dir(target), &made)
		if err == nil {
			err = makeFile(target, files[name], &made)
		}
		if err != nil {
			return fmt.Errorf("%w\n%s", err, unmake(made))
		}
	}
	return nil
}

// makeFolders makes a folder and those above it that do not exist, and adds each that it made to made.
func makeFolders(dir string, made *[]string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := makeFolders(parent, made); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		return err
	}
	*made = append(*made, dir)
	return nil
}

// makeFile writes a new file, and adds it to made.
func makeFile(name string, data []byte, made *[]string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	*made = append(*made, name)
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// unmake removes what was made, the last first, and says what is left. A folder that holds a file of
// another program by now is not empty and stays.
func unmake(made []string) string {
	var left []string
	for _, name := range slices.Backward(made) {
		if err := os.Remove(name); err != nil {
			left = append(left, err.Error())
		}
	}
	if len(left) == 0 {
		return "nothing was written"
	}
	return "not removed again:\n" + strings.Join(left, "\n")
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/bundle"
	"github.com/recourse-pay/recourse/internal/outfile"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

func bundleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bundle DIR -o FILE",
		Short: "Put a folder of rules into one file",
		Long: `Writes the rules, catalogues, merchants' files and tests of a folder into one file (a zip), which every command
takes in place of the folder. The same folder makes the same file, byte by byte.

It prints the digest of the rules and catalogues, those that are built in among them. --digest holds a command to
it, serve too when it reads the rules anew; each decision in a log says it.

Exit codes: 0 written, 2 could not run: the rules have mistakes, or the file cannot be written.`,
		Example: `  recourse bundle rules -o rules.zip
  recourse serve --rules rules.zip --digest "$(recourse bundle rules -o rules.zip)" --watch
  recourse replay --rules rules.zip decisions`,
		Args: cobra.ExactArgs(1),
	}
	out := shortOutputFile(cmd, "output", "o", "zip", "the file, which is replaced in one step")
	_ = cmd.MarkFlagRequired("output")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		dir := args[0]
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return errors.Join(err, notAFolder(dir, err))
		}
		if _, err := open(cmd, dir); err != nil {
			return err
		}
		data, err := bundle.Make(os.DirFS(dir))
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		files, err := bundle.Read(data)
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		e, err := ruleset.OpenFS(files) // the digest is that of what is written
		if err != nil {
			return err
		}
		if err := outfile.Write(cmd.Context(), *out, data); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), e.Digest())
		return nil
	}
	return cmd
}

func notAFolder(dir string, err error) error {
	if err != nil {
		return nil
	}
	return fmt.Errorf("%s: not a folder", dir)
}

// digests are as [ruleset.Engine.Digest] writes them.
var digests = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^sha256:[0-9a-f]{64}$`) })

// openPinned loads rules, which must have the digest of --digest.
func openPinned(cmd *cobra.Command, load func(dir string) (*ruleset.Engine, error), dir string) (*ruleset.Engine, error) {
	want := ""
	if f := cmd.Flags().Lookup("digest"); f != nil && f.Changed {
		if want = f.Value.String(); !digests().MatchString(want) {
			return nil, fmt.Errorf("--digest %q: a digest is sha256: and 64 digits and letters a to f, as recourse bundle prints it", want)
		}
	}
	e, err := load(dir)
	if err != nil || want == "" {
		return e, err
	}
	if have := e.Digest(); have != want {
		return nil, fmt.Errorf("--digest: these rules, with the catalogues of this program (version %s), have the digest %s, not %s", buildVersion(), have, want)
	}
	return e, nil
}

// filesOf are the files of a folder of rules, or of a bundle of it.
func filesOf(dir string) fs.FS {
	if bundle.Is(dir) {
		if files, err := bundle.Open(dir); err == nil {
			return files
		}
	}
	return os.DirFS(filepath.Clean(dir))
}

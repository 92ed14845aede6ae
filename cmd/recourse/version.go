package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and a digest of the embedded rules and catalogues",
		Long: `Version prints the version of the command, the commit if the build knows it, the Go
version, and a digest of the embedded rules and catalogues. Two builds with the same digest
decide by the same data as long as no --rules folder is given.

Exit code: 0.`,
		Example: "  recourse version",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printVersion(cmd.OutOrStdout())
		},
	}
}

// addVersionFlag adds --version to the root command; it prints what the version command prints.
func addVersionFlag(root *cobra.Command) {
	cobra.AddTemplateFunc("versionText", func() (string, error) {
		var text strings.Builder
		err := printVersion(&text)
		return text.String(), err
	})
	root.Version = buildVersion()
	root.SetVersionTemplate("{{versionText}}")
}

func printVersion(w io.Writer) error {
	digest, err := dataDigest()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "recourse %s\n", buildVersion())
	if commit := buildCommit(); commit != "" {
		fmt.Fprintf(w, "commit   %s\n", commit)
	}
	fmt.Fprintf(w, "go       %s %s/%s\n", strings.TrimPrefix(runtime.Version(), "go"), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(w, "data     %s\n", digest)
	return nil
}

// buildVersion is the version of the module that was installed, or "(devel)" for a build from
// a checkout.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// buildCommit is the commit that the build was made from, if the Go command recorded it.
func buildCommit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var revision, changed string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " with changes"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + changed
}

// dataDigest returns one hash of the embedded catalogues and rules, without the rules' tests.
func dataDigest() (string, error) {
	catalogs, err := providers.Builtin()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, name := range catalogs.Names() {
		c, err := catalogs.Get(name)
		if err != nil {
			return "", err
		}
		digest := c.Digest()
		h.Write(digest[:])
	}
	err = fs.WalkDir(rules.Builtin(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".test.toml") {
			return err
		}
		text, err := fs.ReadFile(rules.Builtin(), name)
		fmt.Fprintf(h, "%s %d\n%s", name, len(text), text)
		return err
	})
	return fmt.Sprintf("sha256:%x", h.Sum(nil)[:12]), err
}

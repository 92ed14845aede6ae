package main

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

func verifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that rules cannot charge twice, or tell the shortest story in which they do",
		Long: `Explores every story that a merchant's rules and a provider that keeps its contract can
bring about: requests and answers that are lost, late or repeated, requests that are
executed although the answer was lost, webhooks in any order, processes that die, and
every code of the catalogue. Proves for each merchant that has a file (with --rules: in
that folder) and for all others, for each provider and operation, whatever the schedules,
that no payment is executed twice (S1), none is failed while money moved or still can
(S2), none succeeded without proof (S3), every flow ends (S4), and the rules never have to
be corrected (S5). The verdict is relative to what it prints as taken on trust. See
docs/verify.md.

Exit codes: 0 proved, 1 not proved, 2 could not run.`,
		Example: `  recourse verify
  recourse verify --rules ./rules --merchant acme
  recourse verify --rules ./rules --save ./stories
  recourse verify --rules ./rules --known ./.proved.json`,
		Args: cobra.NoArgs,
	}
	dir := rulesFlag(cmd)
	var o verify.Options
	var operations []string
	flags := cmd.Flags()
	flags.StringSliceVar(&o.Providers, "provider", nil, "only these providers")
	flags.StringArrayVar(&o.Merchants, "merchant", nil, `only these merchants ("" is every merchant without a file)`)
	flags.StringSliceVar(&operations, "operation", nil, "only these operations")
	distrust := flags.String("distrust", "", `"inferred": facts that rest on inference are treated as unknown`)
	flags.IntVar(&o.MaxStates, "max-states", verify.DefaultMaxStates, "give up on an operation that has more states")
	asJSON := jsonFlag(cmd)
	verbose := flags.BoolP("verbose", "v", false, "name everything that was proved, and how much was looked at")
	known := flags.String("known", "", "a file that remembers what was proved; what this program proved before, of the same rules, is not proved again")
	save := flags.String("save", "", "write each story to this folder, as a recording and as a rule test")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch *distrust {
		case "", "inferred":
			o.DistrustInferred = *distrust != ""
		default:
			return fmt.Errorf("--distrust %q: there is only inferred", *distrust)
		}
		for _, name := range operations {
			var op policy.Operation
			if err := op.UnmarshalText([]byte(name)); err != nil {
				return err
			}
			o.Operations = append(o.Operations, op)
		}
		e, err := open(cmd, *dir)
		if err != nil {
			return err
		}
		for _, m := range o.Merchants {
			if m != "" && !slices.Contains(e.Rules.MerchantNames(), m) {
				return fmt.Errorf("--merchant %q has no file (there are: %s)", m, strings.Join(e.Rules.MerchantNames(), ", "))
			}
		}
		// States come and go by the million; they are small, and memory is there.
		defer debug.SetGCPercent(debug.SetGCPercent(1000))
		bar := newCounter(cmd.ErrOrStderr(), "verifying")
		o.Progress = bar.count
		if *known != "" {
			if o.Known, err = verify.OpenKnown(*known); err != nil {
				return err
			}
		}
		report, err := verify.Run(cmd.Context(), e, &o)
		bar.clear()
		if report == nil {
			return err
		}
		if *known != "" {
			err = errors.Join(err, o.Known.Save()) // also of a run that was interrupted
		}
		if *save != "" {
			names, failed := report.Save(*save, e)
			for _, name := range names {
				fmt.Fprintln(cmd.ErrOrStderr(), "written:", name)
			}
			if failed != nil {
				return errors.Join(err, failed)
			}
		}
		return concluded(cmd, *asJSON, report, func(w io.Writer) { printVerify(w, report, *verbose) }, err, report.Holds)
	}
	return cmd
}

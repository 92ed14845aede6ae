package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

func verifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that rules cannot charge twice, or show the shortest story in which they do",
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
	q := verifyRun{rules: rulesFlag(cmd), asJSON: jsonFlag(cmd)}
	flags := cmd.Flags()
	providerFlag(cmd, &q.options.Providers)
	flags.StringArrayVar(&q.options.Merchants, "merchant", nil, `only these merchants ("" is every merchant without a file)`)
	flags.StringSliceVar(&q.operations, "operation", nil, "only these operations")
	flags.StringVar(&q.distrust, "distrust", "", `"inferred": facts that rest on inference are treated as unknown`)
	flags.IntVar(&q.options.MaxStates, "max-states", verify.DefaultMaxStates, "give up on an operation that has more states")
	flags.BoolVarP(&q.verbose, "verbose", "v", false, "name everything that was proved, and how much was looked at")
	q.known = outputFile(cmd, "known", "json", "a file that remembers what was proved; what this program proved before, of the same rules, is not proved again")
	q.promela = outputFile(cmd, "promela", "pml", "verify nothing: write the one operation, provider and merchant that is chosen as a model for Spin")
	q.certificate = outputFile(cmd, "certificate", "zip", "a file for the certificate of the proof, which recourse certify checks")
	flags.StringVar(&q.save, "save", "", "write each story to this folder, as a recording and as a rule test")
	cmd.RunE = q.run
	return cmd
}

// mostStates is more than the memory of a machine holds.
const mostStates = 100_000_000

// verifyCollectAt is the garbage collector's target in percent during verify, unless the user set
// GOGC. The search makes much short-lived memory, millions of small states, so collecting less
// often is faster; the target is bounded because memory in use may grow to five times what lives.
const verifyCollectAt = 400

// verifyMemory is from where on the garbage is collected more often, unless the user set GOMEMLIMIT.
const verifyMemory = 600 << 20

// verifyRun is one run of the command: its flags, and the options that they fill.
type verifyRun struct {
	rules          *string
	asJSON         *bool
	verbose        bool
	operations     []string
	distrust, save string
	known, promela *string
	certificate    *string
	options        verify.Options
}

func (q *verifyRun) run(cmd *cobra.Command, _ []string) error {
	if err := q.parse(); err != nil {
		return err
	}
	e, err := open(cmd, *q.rules)
	if err != nil {
		return err
	}
	chosen := selection{q.options.Providers, q.options.Merchants, q.options.Operations}
	if err := chosen.check(e); err != nil {
		return err
	}
	if *q.promela != "" {
		return exportPromela(cmd.Context(), e, &q.options, *q.promela)
	}
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(verifyCollectAt))
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(verifyMemory))
	}
	bar := newCounter(cmd.ErrOrStderr(), "verifying")
	q.options.Progress = bar.count
	if *q.known != "" {
		if info, err := os.Stat(*q.known); err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("--known: %s is no regular file", *q.known)
		}
		if q.options.Known, err = verify.OpenKnown(*q.known); err != nil {
			return err
		}
	}
	proof := q.collect()
	report, err := verify.Run(cmd.Context(), e, &q.options)
	bar.clear()
	if report == nil {
		return err
	}
	if len(report.Products) == 0 && err == nil {
		return errors.New("nothing was verified: no merchant's rules for these providers and operations are there")
	}
	if *q.known != "" {
		err = errors.Join(err, q.options.Known.Save()) // also after an interrupted run
	}
	if q.save != "" {
		names, unwritten, failed := report.Save(q.save, e)
		for _, name := range names {
			fmt.Fprintln(cmd.ErrOrStderr(), "written:", name)
		}
		for _, why := range unwritten {
			fmt.Fprintln(cmd.ErrOrStderr(), "not written:", why)
		}
		if failed != nil {
			return errors.Join(err, failed)
		}
	}
	if proof != nil && !report.Interrupted {
		err = errors.Join(err, q.leaveOutRefused(cmd, e, proof), q.writeCertificate(cmd, proof, report))
	}
	return concluded(cmd, *q.asJSON, report, func(w io.Writer) { printVerify(w, report, q.verbose) }, err, report.Holds)
}

// parse fills the options from the flags that take fixed words.
func (q *verifyRun) parse() error {
	if q.distrust != "" && q.distrust != "inferred" {
		return fmt.Errorf("--distrust %q: there is only inferred", q.distrust)
	}
	if q.options.MaxStates < 1 || q.options.MaxStates > mostStates {
		return fmt.Errorf("--max-states %d: it must be from 1 to %d; without it, it is %d", q.options.MaxStates, mostStates, verify.DefaultMaxStates)
	}
	if info, err := os.Stat(q.save); err == nil && !info.IsDir() {
		return fmt.Errorf("--save: %s is no folder", q.save)
	}
	if *q.certificate != "" && (*q.known != "" || q.distrust != "") {
		return errors.New("--certificate does not go with --known, which proves nothing again, nor with --distrust")
	}
	q.options.DistrustInferred = q.distrust != ""
	for _, name := range q.operations {
		var op policy.Operation
		if err := op.UnmarshalText([]byte(name)); err != nil {
			return fmt.Errorf("--operation: unknown operation %q%s", name, source.Suggest(name, names(policy.Operations())))
		}
		q.options.Operations = append(q.options.Operations, op)
	}
	return nil
}

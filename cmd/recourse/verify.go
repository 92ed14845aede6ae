package main

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/verify"
)

func verifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that rules cannot charge twice, or tell the shortest story in which they do",
		Long: `Explores every story that a merchant's rules and a provider that keeps its contract can
bring about: requests and answers that are lost, late or repeated, requests that are
executed although the answer was lost, webhooks in any order, processes that die, and
every code of the catalogue. Proves for each merchant, provider and operation, whatever
the schedules, that no payment is executed twice (S1), none is failed while money moved
or still can (S2), none succeeded without proof (S3), every flow ends (S4), and the rules
never have to be corrected (S5). The verdict is relative to what it prints as taken on
trust. See docs/verify.md.

Exit codes: 0 proved, 1 not proved, 2 could not run.`,
		Example: `  recourse verify
  recourse verify --rules ./rules --merchant acme
  recourse verify --rules ./rules --save ./stories`,
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
	asJSON := flags.Bool("json", false, "print all of it as one JSON object")
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
		defer debug.SetGCPercent(debug.SetGCPercent(400))
		bar := newCounter(cmd.ErrOrStderr(), "verifying")
		o.Progress = bar.count
		report, err := verify.Run(cmd.Context(), e, &o)
		bar.clear()
		if report == nil {
			return err
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
		if *asJSON {
			if failed := printJSON(cmd.OutOrStdout(), report); failed != nil {
				return failed
			}
		} else {
			printVerify(cmd.OutOrStdout(), report)
		}
		switch {
		case err != nil:
			return err // what is known was printed
		case !report.Holds:
			return errDoesNotHold
		}
		return nil
	}
	return cmd
}

func printVerify(w io.Writer, r *verify.Report) {
	for i := range r.Products {
		printProduct(w, &r.Products[i])
	}
	printTrust(w, r)
	proved, states, steps := 0, 0, 0
	for i := range r.Products {
		p := &r.Products[i]
		states, steps = states+p.Covered.States, steps+p.Covered.Steps
		if p.Holds {
			proved++
		}
	}
	fmt.Fprintf(w, "\n%d of %d proved: %s states, %s steps\n", proved, len(r.Products), count(states), count(steps))
	if r.Interrupted {
		fmt.Fprintln(w, "interrupted: the rest was not looked at")
	}
}

func printProduct(w io.Writer, p *verify.Product) {
	verdict := "holds"
	if !p.Holds {
		verdict = "DOES NOT HOLD"
	}
	c := &p.Covered
	fmt.Fprintf(w, "%s %s: %s  [%s]\n", p.Provider, p.Operation, verdict, merchantsOf(p.Merchants))
	fmt.Fprintf(w, "    %s states, %s steps, depth %d; %s codes in %s answers of %d classes; %d facts, %d of them inferred\n",
		count(c.States), count(c.Steps), c.Depth, count(c.Codes), count(c.Answers), c.Classes, c.Facts, c.Inferred)
	for _, o := range p.Opaque {
		fmt.Fprintf(w, "    taken for true and for false: %s\n", o)
	}
	if p.Unfinished != "" {
		fmt.Fprintf(w, "    %s\n", p.Unfinished)
	}
	for i := range p.Violations {
		fmt.Fprintln(w)
		p.Violations[i].Write(w)
		fmt.Fprintln(w)
	}
}

func merchantsOf(names []string) string {
	list := make([]string, len(names))
	for i, n := range names {
		if list[i] = n; n == "" {
			list[i] = "any other merchant"
		}
	}
	const shown = 4
	if len(list) > shown {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:shown], ", "), len(list)-shown)
	}
	return strings.Join(list, ", ")
}

// printTrust says what the verdict is relative to, each thing once.
func printTrust(w io.Writer, r *verify.Report) {
	var order []string
	of := map[string][]string{}
	for i := range r.Products {
		p := &r.Products[i]
		name := p.Provider + " " + p.Operation.String()
		for _, a := range p.Assumptions {
			if of[a] == nil {
				order = append(order, a)
			}
			if !slices.Contains(of[a], name) {
				of[a] = append(of[a], name)
			}
		}
	}
	everything := map[string]bool{}
	for i := range r.Products {
		everything[r.Products[i].Provider+" "+r.Products[i].Operation.String()] = true
	}
	fmt.Fprintln(w, "\nTaken on trust:")
	for _, a := range order {
		if len(of[a]) == len(everything) {
			fmt.Fprintf(w, "  - %s\n", a)
			continue
		}
		fmt.Fprintf(w, "  - %s: %s\n", strings.Join(of[a], ", "), a)
	}
}

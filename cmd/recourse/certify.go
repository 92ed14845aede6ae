package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/internal/certify"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// certified is what the command reports.
type certified struct {
	V        int                `json:"v"`
	Holds    bool               `json:"holds"`
	Bytes    int                `json:"bytes"`
	Refused  string             `json:"refused,omitempty"` // why, for all of it
	Without  []certificate.Part `json:"without,omitempty"` // what the rules hold, and it is not about
	Products []certifiedProduct `json:"products"`
}

// certifiedProduct is one proof that was checked.
type certifiedProduct struct {
	Provider  string               `json:"provider"`
	Operation policy.Operation     `json:"operation"`
	Capture   policy.CaptureMode   `json:"capture"`
	Captures  []policy.CaptureMode `json:"captures"` // that it is for
	Merchants []string             `json:"merchants"`
	Holds     bool                 `json:"holds"`
	States    int                  `json:"states"`
	Worlds    int                  `json:"worlds"` // what can be true of the money, summed over the states
	Uses      []certificate.Use    `json:"uses"`
	Refused   string               `json:"refused,omitempty"`
}

func certifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "certify FILE",
		Short: "Check the certificate of a proof, without the program that found the proof",
		Long: `Checks a file that recourse verify --certificate has written. The checker is a program of its
own: it shares with verify only the machine of package flow, and what decides by the rules. For each
product it checks that the start is in the set of states, that every step of the machine
from a state in the set stays in it, that no state breaks S1 to S6, and that every promise
of the provider that a step needs is listed with the rule that relies on it, for both capture
modes. See docs/using-verify.md.

The rules are those in the file. With --rules it also checks that the folder holds the same.

Exit codes: 0 it holds, 1 it is refused, 2 it could not be read.`,
		Example: `  recourse verify --certificate proof.zip
  recourse certify proof.zip
  recourse certify proof.zip --rules ./rules`,
		Args: cobra.ExactArgs(1),
	}
	dir := cmd.Flags().String("rules", "", "the folder whose rules it has to be about")
	_ = cmd.MarkFlagDirname("rules")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		report, err := certifyFile(cmd, args[0], *dir)
		if report == nil {
			return err
		}
		return concluded(cmd, *asJSON, report, func(w io.Writer) { printCertified(w, report) }, err, report.Holds)
	}
	return cmd
}

func certifyFile(cmd *cobra.Command, name, dir string) (*certified, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	c, err := certificate.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	report := &certified{V: 1, Bytes: len(data), Products: []certifiedProduct{}}
	if dir != "" {
		e, err := ruleset.Open(dir)
		if err != nil {
			return nil, err
		}
		if report.Refused = otherRules(c.Rules, ruleTexts(e, dir)); report.Refused != "" {
			return report, nil
		}
	}
	e, err := engine.OpenFS(c.FS())
	if err != nil {
		report.Refused = "its rules cannot be read: " + err.Error()
		return report, nil
	}
	if report.Refused = outOfForce(c); report.Refused != "" {
		return report, nil
	}
	if err := covers(e, merchantsIn(c), c); err != nil {
		report.Refused = err.Error()
		return report, nil
	}
	report.Without = c.Without
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(verifyCollectAt))
	}
	report.Products, err = certifyAll(cmd, e, c)
	report.Holds = err == nil && !slices.ContainsFunc(report.Products, func(p certifiedProduct) bool { return !p.Holds })
	return report, err
}

// certifyAll checks the products, on every processor.
func certifyAll(cmd *cobra.Command, e *engine.Engine, c *certificate.Certificate) ([]certifiedProduct, error) {
	ctx, bar := cmd.Context(), newCounter(cmd.ErrOrStderr(), "checking")
	defer bar.clear()
	all := make([]certifiedProduct, len(c.Products))
	checker, next := certify.NewChecker(e, c.Rules), make(chan int)
	var mu sync.Mutex
	var wait sync.WaitGroup
	done := 0
	for range min(runtime.GOMAXPROCS(0), len(all)) {
		wait.Go(func() {
			for i := range next {
				all[i] = certifyOne(ctx, checker, &c.Products[i])
				mu.Lock()
				done++
				bar.count(done, len(all))
				mu.Unlock()
			}
		})
	}
	for i := range all {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	if ctx.Err() != nil {
		all = slices.DeleteFunc(all, func(p certifiedProduct) bool { return !p.Holds && p.Refused == "" })
	}
	return all, ctx.Err()
}

func certifyOne(ctx context.Context, c *certify.Checker, p *certificate.Product) certifiedProduct {
	one := certifiedProduct{Provider: p.Payment.Provider, Operation: p.Payment.Operation, Capture: p.Payment.Capture, Captures: p.Captures, Merchants: p.Merchants, States: len(p.Closed), Uses: p.Uses}
	for i := range p.Closed {
		one.Worlds += len(p.Closed[i].Worlds)
	}
	err := c.Check(ctx, p)
	one.Holds = err == nil
	if err != nil && ctx.Err() == nil {
		one.Refused = err.Error()
	}
	return one
}

// otherRules says how the rules of a certificate differ from others. Empty: they do not.
func otherRules(is, want []certificate.Text) string {
	for _, t := range want {
		k := slices.IndexFunc(is, func(o certificate.Text) bool { return o.Name == t.Name })
		switch {
		case k < 0:
			return "it is about other rules: it has no " + t.Name
		case string(is[k].Data) != string(t.Data):
			return "it is about other rules: " + t.Name + " differs"
		}
	}
	if len(is) != len(want) {
		return "it is about other rules: it has more files"
	}
	return ""
}

// printWithout prints what a certificate is not about: the operations of a provider, by merchants.
func printWithout(w io.Writer, all []certificate.Part) {
	for i := 0; i < len(all); {
		one, ops := all[i], []string{}
		for ; i < len(all) && all[i].Provider == one.Provider && slices.Equal(all[i].Merchants, one.Merchants); i++ {
			ops = append(ops, all[i].Operation.String())
		}
		fmt.Fprintf(w, "not in it: %s %s of %s\n", one.Provider, strings.Join(ops, ", "), merchantsOf(one.Merchants))
	}
}

func printCertified(w io.Writer, r *certified) {
	if r.Refused != "" {
		fmt.Fprintln(w, "refused:", r.Refused)
		return
	}
	states, worlds, held, products := 0, 0, 0, map[string]bool{}
	for i := range r.Products {
		p := &r.Products[i]
		states, worlds = states+p.States, worlds+p.Worlds
		if p.Refused != "" {
			fmt.Fprintf(w, "refused: %s %s (%s): %s\n", p.Provider, p.Operation, p.Capture, p.Refused)
		}
		for _, m := range p.Merchants {
			products[fmt.Sprint(p.Provider, p.Operation, m)] = true
		}
		if p.Holds {
			held++
		}
	}
	printUses(w, r)
	printWithout(w, r.Without)
	fmt.Fprintf(w, "%d of %d proofs hold, for %d products by merchant: %s states, %s worlds, %s bytes\n", held, len(r.Products), len(products), count(states), count(worlds), count(r.Bytes))
}

// printUses prints the promises of the providers that the proofs need, with the rules that rely on them.
func printUses(w io.Writer, r *certified) {
	for i := range r.Products {
		p := &r.Products[i]
		by := map[string][]string{}
		for _, u := range p.Uses {
			rule := u.Rule
			if rule == "" {
				rule = "the flow itself"
			}
			by[u.Promise] = append(by[u.Promise], rule)
		}
		names := make([]string, 0, len(by))
		for n := range by {
			names = append(names, n)
		}
		slices.Sort(names)
		for _, n := range names {
			fmt.Fprintf(w, "%s %s (%s) needs %s: %s\n", p.Provider, p.Operation, p.Capture, n, strings.Join(by[n], ", "))
		}
	}
}

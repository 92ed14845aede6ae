package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// selection is what flags select of all that a command could look at. A name that selects nothing is an error, with what there is:
// otherwise a misspelt name would be a report of nothing, which holds.
type selection struct {
	providers  []string // empty: every provider
	merchants  []string // empty: every merchant; "" stands for those without a file
	operations []policy.Operation
}

// providerFlag adds --provider to a command that looks at all providers.
func providerFlag(cmd *cobra.Command, into *[]string) {
	cmd.Flags().StringSliceVar(into, "provider", nil, "only this provider; may be given several times")
	completeProviders(cmd)
}

// check finds every name that selects nothing in the rules of one or two engines.
func (s *selection) check(engines ...*ruleset.Engine) error {
	var errs []error
	for _, p := range s.providers {
		errs = append(errs, known("--provider", p, gathered(engines, func(e *ruleset.Engine) []string { return e.Catalogs.Names() })))
	}
	for _, m := range s.merchants {
		if m != "" {
			errs = append(errs, known("--merchant", m, gathered(engines, func(e *ruleset.Engine) []string { return e.Rules.MerchantNames() })))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, e := range engines {
		errs = append(errs, s.operationsOffered(e), s.providersUsed(e))
	}
	return errors.Join(errs...)
}

func gathered(engines []*ruleset.Engine, names func(*ruleset.Engine) []string) []string {
	var all []string
	for _, e := range engines {
		all = append(all, names(e)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func known(flag, name string, names []string) error {
	if slices.Contains(names, name) {
		return nil
	}
	switch flag {
	case "--merchant":
		return fmt.Errorf("--merchant %q has no file%s", name, source.Suggest(name, names))
	default:
		return fmt.Errorf("%s: unknown provider %q%s", flag, name, source.Suggest(name, names))
	}
}

// catalogs are those of the selected providers.
func (s *selection) catalogs(e *ruleset.Engine) (all []*providers.Catalog) {
	for _, name := range e.Catalogs.Names() {
		if cat, err := e.Catalogs.Get(name); err == nil && (len(s.providers) == 0 || slices.Contains(s.providers, name)) {
			all = append(all, cat)
		}
	}
	return all
}

// operationsOffered refuses an operation that no selected provider offers, and a named provider that offers none of the operations.
func (s *selection) operationsOffered(e *ruleset.Engine) error {
	if len(s.operations) == 0 {
		return nil
	}
	var errs []error
	var all []policy.Operation
	for _, cat := range s.catalogs(e) {
		all = append(all, cat.Operations...)
		if len(s.providers) > 0 && !slices.ContainsFunc(s.operations, cat.Offers) {
			errs = append(errs, fmt.Errorf("--provider %s offers none of the operations that --operation names (it offers: %s)", cat.Name,
				strings.Join(names(cat.Operations), ", ")))
		}
	}
	for _, op := range s.operations {
		if !slices.Contains(all, op) {
			errs = append(errs, fmt.Errorf("--operation %s: none of these providers offers it", op))
		}
	}
	return errors.Join(errs...)
}

// providersUsed refuses a named provider that none of the named merchants uses, and the reverse.
func (s *selection) providersUsed(e *ruleset.Engine) error {
	if len(s.providers) == 0 || len(s.merchants) == 0 {
		return nil
	}
	var errs []error
	for _, p := range s.providers {
		if !slices.ContainsFunc(s.merchants, func(m string) bool { return e.Rules.Uses(m, p) }) {
			errs = append(errs, fmt.Errorf("--provider %s: none of these merchants uses it, by [merchant] providers of its file", p))
		}
	}
	for _, m := range s.merchants {
		if !slices.ContainsFunc(s.providers, func(p string) bool { return e.Rules.Uses(m, p) }) {
			errs = append(errs, fmt.Errorf("--merchant %s uses none of these providers, by [merchant] providers of its file (it uses: %s)", m,
				strings.Join(e.Rules.Merchants[m].Providers, ", ")))
		}
	}
	return errors.Join(errs...)
}

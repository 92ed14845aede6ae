package verify

import (
	"context"
	"fmt"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// proposeFixes looks for a change to each rule at fault. A change that fixed a rule once is tried
// first where the same rule is at fault again, so each rule gets one fix.
func (r *Report) proposeFixes(ctx context.Context, e *ruleset.Engine, o *Options) error {
	best := map[string][]edit{} // by FILE:LINE
	for i := range r.Products {
		for k := range r.Products[i].Violations {
			v := &r.Products[i].Violations[k]
			c, err := v.findFix(ctx, e, o, append(best[v.Source], candidateEdits(v.cause.wanted)...))
			if err != nil {
				return err
			}
			if c != nil {
				v.Fix = fmt.Sprintf("%s: %s", v.Source, c.text)
				best[v.Source] = []edit{*c}
			}
		}
	}
	return nil
}

// findFix returns the first change after which the rule does not depend on the interlock and still
// decides about new answers. It compiles the real rules with each change in turn, and verifies
// them. It returns nil if no change helps.
func (v *Violation) findFix(ctx context.Context, e *ruleset.Engine, o *Options, all []edit) (*edit, error) {
	if v.Property != S5 || v.Source == "" {
		return nil, nil
	}
	for i := range all {
		helps, err := editHelps(ctx, e, o, v.payment, v.cause, all[i])
		if err != nil || helps {
			return &all[i], err
		}
	}
	return nil, nil
}

// editHelps reports whether a rule with a change is safe and still decides about new answers.
func editHelps(ctx context.Context, e *ruleset.Engine, o *Options, p policy.Payment, f *finding, c edit) (bool, error) {
	changed, err := applyEdit(e, f.rule, c)
	if err != nil || changed == nil {
		return false, nil // the change changes nothing, or does not compile
	}
	m, err := newModel(changed, p, true, o.DistrustInferred)
	if err != nil {
		return false, err
	}
	s := newSearch(m)
	s.maxStates = exactStates
	s.follow = f.rule
	corrected := false
	s.stop = func(got *finding) bool {
		corrected = corrected || got.rule == f.rule
		return corrected
	}
	if err := s.run(ctx); err != nil {
		return false, ctx.Err() // a change with too many states does not help; that is no error
	}
	return !corrected && s.followed, nil
}

// edit is a change to a rule.
type edit struct {
	condition string         // added to the condition with &&
	action    *policy.Action // replaces the action
	text      string
}

// candidateEdits returns the changes that may fix a rule with an action, the smallest first.
func candidateEdits(a policy.Action) []edit {
	var all []edit
	and := func(text string) {
		all = append(all, edit{condition: text, text: fmt.Sprintf("add `&& %s` to its condition", text)})
	}
	switch a {
	case policy.MarkSucceeded:
		and(`effect == "executed"`)
	case policy.MarkFailed, policy.RetryNewRequest, policy.RetryNewOrder:
		and("!in_doubt")
		and(`effect == "not_executed"`)
		and(`effect == "not_executed" && !in_doubt`)
	case policy.RetrySame:
		and("!in_doubt")
	default:
	}
	query := policy.QueryStatus
	return append(all, edit{action: &query, text: "write `then = \"query_status\"`"})
}

// applyEdit compiles the rules again with one rule changed. It returns nil if no rule stands at
// source.
func applyEdit(e *ruleset.Engine, source string, c edit) (*ruleset.Engine, error) {
	set := *e.Rules
	found := false
	edited := func(f *rules.File) *rules.File {
		if f == nil {
			return nil
		}
		for i, r := range f.Rules {
			if r.Source() != source {
				continue
			}
			found = true
			rule := *r
			if c.condition != "" {
				rule.When = "(" + r.When + ") && " + c.condition
			}
			if c.action != nil {
				rule.Then, rule.Schedule = *c.action, ""
			}
			file := *f
			file.Rules = append([]*rules.Rule(nil), f.Rules...)
			file.Rules[i] = &rule
			return &file
		}
		return f
	}
	set.Baseline = edited(set.Baseline)
	set.Providers, set.Merchants = map[string]*rules.File{}, map[string]*rules.File{}
	for name, f := range e.Rules.Providers {
		set.Providers[name] = edited(f)
	}
	for name, f := range e.Rules.Merchants {
		set.Merchants[name] = edited(f)
	}
	if !found {
		return nil, nil
	}
	return ruleset.New(e.Catalogs, &set)
}

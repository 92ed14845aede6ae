package verify

import (
	"context"
	"fmt"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// fix looks for the smallest change to a rule after which it does not lean on the interlock:
// the real rules are compiled with each change in turn, and verified.
func (j *job) fix(ctx context.Context, e *engine.Engine, o *Options, p policy.Payment, f *finding) (string, error) {
	if f.property != S5 || f.rule == "" {
		return "", nil
	}
	for _, c := range changes(f.wanted) {
		changed, err := change(e, f.rule, c)
		if err != nil || changed == nil {
			continue // the rule says so already, or the change does not compile
		}
		m, err := newModel(changed, p, true, o.DistrustInferred)
		if err != nil {
			return "", err
		}
		s := newSearch(m)
		s.most, s.heeded = exactStates, map[string]bool{}
		leans := false
		s.stop = func(got *finding) bool {
			leans = leans || got.rule == f.rule
			return leans
		}
		if err := s.run(ctx); err != nil {
			if ctx.Err() != nil {
				return "", err
			}
			continue
		}
		if !leans && s.heeded[f.rule] { // and still says something
			return fmt.Sprintf("%s: %s", f.rule, c.say), nil
		}
	}
	return "", nil
}

// edit is a change to a rule.
type edit struct {
	and  string         // joined to the condition
	then *policy.Action // in place of the action
	say  string
}

// changes are those that may help a rule that wants an action, the smallest first.
func changes(a policy.Action) []edit {
	var all []edit
	and := func(text string) {
		all = append(all, edit{and: text, say: fmt.Sprintf("add `&& %s` to its condition", text)})
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
	return append(all, edit{then: &query, say: "let it query_status"})
}

// change compiles the rules anew with one rule changed.
func change(e *engine.Engine, source string, c edit) (*engine.Engine, error) {
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
			if c.and != "" {
				rule.When.Value = "(" + r.When.Value + ") && " + c.and
			}
			if c.then != nil {
				rule.Then, rule.Schedule = *c.then, ""
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
	return engine.New(e.Catalogs, &set)
}

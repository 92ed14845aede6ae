package verify

import (
	"context"
	"fmt"
	"sync"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// fixes remembers which change helped a rule, so that it is tried first where the rule is
// found at fault again: a rule is mended once.
type fixes struct {
	mu   sync.Mutex
	best map[string]edit // by FILE:LINE
}

// order puts the change that helped before at the head.
func (k *fixes) order(rule string, all []edit) []edit {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c, known := k.best[rule]; known {
		return append([]edit{c}, all...)
	}
	return all
}

func (k *fixes) helped(rule string, c edit) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.best == nil {
		k.best = map[string]edit{}
	}
	k.best[rule] = c
}

// fix looks for the smallest change to a rule after which it does not lean on the interlock,
// and still decides about answers that come: the real rules are compiled with each change in
// turn, and verified.
func (j *job) fix(ctx context.Context, e *engine.Engine, o *Options, p policy.Payment, f *finding) (string, error) {
	if f.property != S5 || f.rule == "" {
		return "", nil
	}
	for _, c := range j.fixes.order(f.rule, changes(f.wanted)) {
		helps, err := helps(ctx, e, o, p, f, c)
		if err != nil {
			return "", err
		}
		if helps {
			j.fixes.helped(f.rule, c)
			return fmt.Sprintf("%s: %s", f.rule, c.say), nil
		}
	}
	return "", nil
}

// helps reports whether a rule is safe with a change, and still good for something.
func helps(ctx context.Context, e *engine.Engine, o *Options, p policy.Payment, f *finding, c edit) (bool, error) {
	changed, err := change(e, f.rule, c)
	if err != nil || changed == nil {
		return false, nil // the rule says so already, or the change does not compile
	}
	m, err := newModel(changed, p, true, o.DistrustInferred)
	if err != nil {
		return false, err
	}
	s := newSearch(m)
	s.most = exactStates
	s.follow = f.rule
	leans := false
	s.stop = func(got *finding) bool {
		leans = leans || got.rule == f.rule
		return leans
	}
	if err := s.run(ctx); err != nil {
		return false, ctx.Err() // too many states is no help, and no mistake
	}
	return !leans && s.followed, nil
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
	return append(all, edit{then: &query, say: "write `then = \"query_status\"`"})
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

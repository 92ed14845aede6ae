package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// exactStates bounds the search for a story: what is found is short, and a search breadth
// first comes upon it early.
const exactStates = 60_000

// told is a step of a path with all that belongs to it.
type told struct {
	by       move
	from, to *node
	event    flow.Event // nil: nothing was brought to the flow
	commands []flow.Command
}

// script is a path from the beginning to a finding.
type script struct {
	m     *model
	steps []told
}

// story looks for the shortest story of what the coarse search found, where everything is
// counted. Of a rule that leans on the interlock it tells what it would have done.
func (j *job) story(ctx context.Context, e *engine.Engine, o *Options, p policy.Payment, coarse *search, f *finding) (*Violation, error) {
	v := &Violation{Property: f.property, Rule: f.id, Source: f.rule, Why: f.why, payment: p}
	if f.property == S5 {
		v.Wanted = f.wanted.String()
	}
	found, s, err := j.exact(ctx, e, o, p, f)
	if err != nil {
		return nil, err
	}
	if found == nil {
		v.Why += "; found only where counts and times are left out"
		sc := coarse.script(f)
		v.Story = sc.tell(v, f)
		return v, nil
	}
	if found.property != f.property {
		v.Harm = found.property
	}
	v.script = s.script(found)
	v.Story = v.script.tell(v, found)
	v.replay(e, o)
	v.Fix, err = j.fix(ctx, e, o, p, f)
	return v, err
}

func (j *job) exact(ctx context.Context, e *engine.Engine, o *Options, p policy.Payment, f *finding) (*finding, *search, error) {
	look := func(unguarded string, stop func(*finding) bool) (*finding, *search, error) {
		m, err := newModel(e, p, false, o.DistrustInferred)
		if err != nil {
			return nil, nil, err
		}
		m.unguarded = unguarded
		s := newSearch(m)
		s.most = exactStates
		var found *finding
		s.stop = func(f *finding) bool {
			if found == nil && stop(f) {
				found = f
			}
			return found != nil
		}
		err = s.run(ctx)
		if errors.As(err, &errTooMany{}) {
			err = nil
		}
		return found, s, err
	}
	if f.property == S5 {
		found, s, err := look(f.rule, func(got *finding) bool { return got.property != S5 && got.property != S4 })
		if found != nil || err != nil {
			return found, s, err
		}
	}
	return look("", func(got *finding) bool { return got.property == f.property && got.rule == f.rule })
}

// script is the path to a finding, each step taken again.
func (s *search) script(f *finding) script {
	var at []int32
	for n := f.node; n >= 0; n = s.parent[n] {
		at = append(at, n)
	}
	sc := script{m: s.m}
	for i := len(at) - 1; i >= 0; i-- {
		by, to := f.by, (*node)(nil)
		if i > 0 {
			by, to = s.by[at[i-1]], &s.nodes[at[i-1]]
		}
		sc.steps = append(sc.steps, s.again(&s.nodes[at[i]], by, to))
	}
	return sc
}

// again takes one step of the path once more, for what belongs to it.
func (s *search) again(from *node, by move, to *node) told {
	n := from.clone()
	t := told{by: by, from: from, to: to}
	plain := by
	if !from.unguarded {
		plain.bent = false
	}
	s.m.event = nil
	done := false
	s.m.moves(&n, func(mv move, next *node, commands []flow.Command) {
		if mv != plain || done {
			return
		}
		done = true
		t.event = s.m.event
		t.commands = kept(commands)
		if to == nil {
			end := next.clone()
			t.to = &end
		}
		s.m.event = nil
	})
	if by.kind == moveTime || from.unguarded {
		t.event = nil
	}
	return t
}

// kept copies commands, with the identities that they point to: the next step writes there.
func kept(commands []flow.Command) []flow.Command {
	all := make([]flow.Command, len(commands))
	for i, c := range commands {
		switch c := c.(type) {
		case flow.Send:
			id := *c.Identity
			c.Identity = &id
			all[i] = c
		case flow.Ask:
			id := *c.Identity
			c.Identity = &id
			all[i] = c
		case flow.Record, flow.Wait, flow.Finish, flow.Alert, flow.Decided:
			all[i] = c
		}
	}
	return all
}

// tell writes the story.
func (sc *script) tell(v *Violation, f *finding) []Step {
	var all []Step
	for i := range sc.steps {
		t := &sc.steps[i]
		if t.by.kind == moveTime {
			continue // the times say so
		}
		step := Step{Happens: sc.m.happens(t.from, t.by)}
		for _, c := range t.commands {
			if d, ok := c.(flow.Decided); ok {
				step.Decision, step.Rule, step.Source = decision(&d, t.by.bent), d.Decision.Rule, d.Decision.Source
				continue
			}
			if text := does(c); text != "" && !(t.by.bent && !t.from.unguarded) {
				step.Does = append(step.Does, text)
			}
		}
		if t.by.bent && !t.from.unguarded {
			step.Does = []string{"without the interlock: " + v.Wanted}
		}
		all = append(all, step)
	}
	if text := epilogue(f); text != "" {
		all = append(all, Step{Happens: text})
	}
	return all
}

func decision(d *flow.Decided, bent bool) string {
	doubt := ""
	if d.InDoubt {
		doubt = ", in doubt"
	}
	text := fmt.Sprintf("%s, %s%s: %s", d.Fact.Effect, d.Fact.Class, doubt, d.Decision.Action)
	switch {
	case d.Verdict.Property != "" && bent:
		text += fmt.Sprintf(" (the interlock would make it %s, for %s)", d.Verdict.Action, d.Verdict.Property)
	case d.Verdict.Property != "":
		text += fmt.Sprintf(", which %s forbids: %s", d.Verdict.Property, d.Verdict.Action)
	case d.Verdict.Limit != "":
		text += fmt.Sprintf(" (%s is spent: %s)", d.Verdict.Limit, d.Verdict.Action)
	}
	return text
}

func does(c flow.Command) string {
	switch c := c.(type) {
	case flow.Send:
		return fmt.Sprintf("sends %s under %s", plain(c.Identity.RequestID), plain(c.Identity.OrderID))
	case flow.Ask:
		return fmt.Sprintf("asks for the status by %s", c.By)
	case flow.Wait:
		if c.Via == flow.ByWebhook {
			return "waits for the webhook"
		}
		return "waits, then " + c.Action.String()
	case flow.Finish:
		return "ends: " + c.Outcome.String()
	case flow.Alert:
		return "alerts: " + c.Reason
	case flow.Record, flow.Decided:
	}
	return ""
}

func plain(id string) string { return strings.Replace(id, "-", " ", 1) }

func epilogue(f *finding) string {
	switch f.property {
	case flow.S1:
		return "both requests arrive and are executed: the customer is charged twice"
	case flow.S2:
		return "it was marked failed, and " + f.why
	case flow.S3:
		return "it was marked succeeded, and " + f.why
	default:
		return ""
	}
}

package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// exactStates and exactEdges bound the exact search for a trace. Traces are short, and a search breadth first
// finds them early.
const (
	exactStates = 20_000
	exactEdges  = 800_000
)

// traceStep is one transition of a path with its event and commands.
type traceStep struct {
	transition transition
	from, to   *node
	event      flow.Event // nil: no event was applied
	commands   []flow.Command
}

// trace is a path from the initial node to a finding.
type trace struct {
	model *model
	steps []traceStep
}

// buildViolation looks for the shortest exact trace of what the coarse search found. For a rule
// that depends on the interlock the trace shows what the rule would have done.
func buildViolation(ctx context.Context, g *ground, o *Options, coarse *search, f *finding) (*Violation, error) {
	tables := coarse.m.decider.tables
	v := &Violation{Property: f.property, Rule: f.id, Source: f.rule, Why: f.why}
	if f.property == S5 {
		v.Wanted = f.wanted.String()
	}
	if o.VerdictOnly {
		return v, nil
	}
	h := traceSearch{ctx: ctx, g: g, tables: tables, f: f}
	found, s := h.shortest()
	switch {
	case h.err != nil:
		return nil, h.err
	case found == nil:
		v.Why += "; found only where counts and times are left out"
		if coarse.uncounted != "" {
			v.Why += "; " + coarse.uncounted
		}
		found, s = f, coarse
	case found.property != f.property:
		v.Harm = found.property
	}
	v.trace = s.trace(found)
	v.payment = s.m.payment
	v.Story = v.trace.describe(found)
	if s != coarse {
		v.replay(g.engine, o)
	}
	v.cause = f
	if why := windowAdvice(g.engine, v); why != "" {
		v.Why += "; " + why
	}
	return v, nil
}

// traceSearch looks for the exact trace of a finding.
type traceSearch struct {
	ctx    context.Context
	g      *ground
	tables []*table
	f      *finding
	err    error
}

// shortest returns the shortest trace that does harm without the interlock, else the shortest to
// the finding. It prefers a trace without late or repeated events, unless one with them is
// shorter.
func (h *traceSearch) shortest() (*finding, *search) {
	harm := func(got *finding) bool { return got.bypassed && got.property != S5 && got.property != S4 }
	same := func(got *finding) bool { return got.property == h.f.property && got.rule == h.f.rule }
	for _, still := range []bool{true, false} {
		if h.f.property == S5 {
			if found, s := h.fewestSteps(h.f.rule, still, harm); found != nil {
				return found, s
			}
		}
		if found, s := h.fewestSteps("", still, same); found != nil {
			return found, s
		}
	}
	return nil, nil
}

// fewestSteps searches in order first, and then for a shorter trace with late and repeated events.
func (h *traceSearch) fewestSteps(unguarded string, still bool, stop func(*finding) bool) (*finding, *search) {
	found, s := h.search(unguarded, true, still, 0, stop)
	below := 0
	if found != nil {
		below = int(s.depth[found.node]) + 1
	}
	if shorter, other := h.search(unguarded, false, still, below, stop); shorter != nil {
		return shorter, other
	}
	return found, s
}

func (h *traceSearch) search(unguarded string, plain, still bool, below int, stop func(*finding) bool) (*finding, *search) {
	if h.err != nil {
		return nil, nil
	}
	m := h.g.model(h.tables, true, false)
	m.decider.plain = true
	m.unguarded, m.inOrder, m.noAging = unguarded, plain, still
	s := newSearch(m)
	s.maxStates, s.maxEdges, s.maxDepth = exactStates, exactEdges, below
	var found *finding
	s.stop = func(f *finding) bool {
		if found == nil && stop(f) {
			found = f
		}
		return found != nil
	}
	if err := s.run(h.ctx); err != nil && !errors.As(err, &errTooMany{}) {
		h.err = err
	}
	return found, s
}

// trace returns the path to a finding. It runs each transition again.
func (s *search) trace(f *finding) trace {
	var at []int32
	for n := f.node; n >= 0; n = s.parent[n] {
		at = append(at, n)
	}
	sc := trace{model: s.m}
	for i := len(at) - 1; i >= 0; i-- {
		by, to := f.via, (*node)(nil)
		if i > 0 {
			next := s.node(at[i-1])
			by, to = s.via[at[i-1]], &next
		}
		from := s.node(at[i])
		sc.steps = append(sc.steps, s.retrace(&from, by, to))
	}
	return sc
}

// retrace runs one transition of the path again, for its event and commands.
func (s *search) retrace(from *node, by transition, to *node) traceStep {
	n := from.clone()
	t := traceStep{transition: by, from: from, to: to}
	plain := by
	if !from.isForced {
		plain.bypass = false
	}
	s.m.event = nil
	done := false
	s.m.successors(&n, func(tr transition, next *node, o *outcome) {
		if tr != plain || done {
			return
		}
		done = true
		switch {
		case o == nil: // only time has passed
		case o.remarks != nil && o.commands != nil:
			t.commands = o.commands
		default:
			commands := s.m.stepApart(tr)
			t.event = s.m.witnessedEvent()
			t.commands = s.m.shownCommands(commands)
		}
		if to == nil {
			end := next.clone()
			end.s.Ledger = slices.Clone(end.s.Ledger)
			t.to = &end
		}
		s.m.event = nil
	})
	if by.kind == kindTime || from.isForced {
		t.event = nil
	}
	return t
}

// shownCommands copies commands, with the fact that the rules were shown.
func (m *model) shownCommands(commands []flow.Command) []flow.Command {
	all := cloneCommands(commands)
	for i, c := range all {
		if d, ok := c.(flow.Decided); ok && !d.Due && m.decider.chosen != nil {
			d.Fact = m.decider.chosen.at.fact
			all[i] = d
		}
	}
	return all
}

// witnessedEvent is the last event with an answer that gets the decision which was taken.
func (m *model) witnessedEvent() flow.Event {
	switch e := m.event.(type) {
	case flow.Answered:
		e.Answer = m.witness(e.Answer)
		return e
	case flow.Queried:
		e.Answer = m.witness(e.Answer)
		return e
	case flow.Received:
		e.Answer = m.witness(e.Answer)
		return e
	default:
		return m.event
	}
}

// answerOf returns the answer that an event brings; nil: it brings none.
func answerOf(e flow.Event) *policy.Answer {
	switch e := e.(type) {
	case flow.Answered:
		return &e.Answer
	case flow.Queried:
		return &e.Answer
	case flow.Received:
		return &e.Answer
	default:
		return nil
	}
}

// cloneCommands copies commands with the identities that they point to. Later transitions write to
// those identities.
func cloneCommands(commands []flow.Command) []flow.Command {
	all := slices.Clone(commands)
	for i, c := range all {
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
			_ = c
		}
	}
	return all
}

// describe writes the trace in words.
func (sc *trace) describe(f *finding) []Step {
	var all []Step
	for i := range sc.steps {
		t := &sc.steps[i]
		if t.transition.kind == kindTime {
			continue // the times of the steps show it
		}
		step := Step{Happens: sc.model.eventText(t)}
		wanted := ""
		for _, c := range t.commands {
			if d, ok := c.(flow.Decided); ok {
				wanted = d.Decision.Action.String()
				step.Decision, step.Rule, step.Source = decisionText(&d, t.transition.bypass), d.Decision.Rule, d.Decision.Source
				continue
			}
			if text := commandText(c); text != "" && !(t.transition.bypass && !t.from.isForced) {
				step.Does = append(step.Does, text)
			}
		}
		if t.transition.bypass && !t.from.isForced {
			step.Does = []string{"without the interlock: " + wanted}
		}
		all = append(all, step)
	}
	if text := consequence(f); text != "" {
		all = append(all, Step{Happens: text})
	}
	return all
}

// decisionText describes what the rules decided and what the interlock made of it.
func decisionText(d *flow.Decided, bypassed bool) string {
	doubt := ""
	if d.InDoubt {
		doubt = ", in doubt"
	}
	fact := d.Fact.Effect.String()
	if d.Fact.Class < ownClass {
		fact += ", " + d.Fact.Class.String()
	}
	text := fmt.Sprintf("%s%s: %s", fact, doubt, d.Decision.Action)
	switch {
	case d.Verdict.Property != "" && bypassed:
		text += fmt.Sprintf(" (the interlock would make it %s, for %s)", d.Verdict.Action, d.Verdict.Property)
	case d.Verdict.Property != "":
		text += fmt.Sprintf(", which %s forbids: %s", d.Verdict.Property, d.Verdict.Action)
	case d.Verdict.Limit != "":
		text += fmt.Sprintf(" (%s is spent: %s)", d.Verdict.Limit, d.Verdict.Action)
	}
	return text
}

// commandText describes a command; empty: it is not shown.
func commandText(c flow.Command) string {
	switch c := c.(type) {
	case flow.Send:
		return fmt.Sprintf("sends %s under %s", idText(c.Identity.RequestID), idText(c.Identity.OrderID))
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

// idText is an identifier in words.
func idText(id string) string { return strings.Replace(id, "-", " ", 1) }

// consequence describes what a violated property means for the customer.
func consequence(f *finding) string {
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

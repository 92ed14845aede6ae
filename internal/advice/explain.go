package advice

import (
	"fmt"
	"io"
	"strings"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// Explained is what `recourse explain --json` prints.
type Explained struct {
	Decision Decision             `json:"decision"`
	Fact     policy.Fact          `json:"fact"`
	InDoubt  bool                 `json:"in_doubt"`
	Rules    []ruleset.Considered `json:"rules"`
}

// Explain joins an advice with the trace of the rules that were looked at.
func Explain(a *Advice, t *ruleset.Trace) Explained {
	return Explained{Decision: a.Decision(), Fact: a.Situation.Fact, InDoubt: a.Situation.InDoubt, Rules: t.Rules}
}

// Write explains an advice to people: what was answered and what it proves, every rule with the
// parts of its condition, and what is done.
func Write(w io.Writer, e *ruleset.Engine, a *Advice, t *ruleset.Trace) {
	WriteBrief(w, e, a, t, func(string) bool { return true })
}

// WriteBrief is [Write] with a line for each rule that does not hold, unless its id is one of
// those that matter.
func WriteBrief(w io.Writer, e *ruleset.Engine, a *Advice, t *ruleset.Trace, matters func(id string) bool) {
	s := &a.Situation
	fmt.Fprintf(w, "%s %s, %s", s.Payment.Provider, s.Payment.Operation, s.Answer.Phase)
	if s.Payment.Merchant != "" {
		fmt.Fprintf(w, ", merchant %s", s.Payment.Merchant)
	}
	fmt.Fprintf(w, ": %s\n\n", said(s.Answer))
	fmt.Fprintf(w, "fact      %s, %s (stage %s, reach %s, %s, final %s)\n", s.Fact.Effect, s.Fact.Class, s.Fact.Stage, s.Fact.Reach, s.Fact.Basis, s.Fact.Final)
	if cat, err := e.Catalog(s.Payment); err == nil {
		for _, why := range cat.Because(s.Payment, s.Answer) {
			fmt.Fprintf(w, "          %s\n", why)
		}
	}
	if s.InDoubt {
		fmt.Fprintln(w, "in doubt  an identity already sent may still execute")
	}
	fmt.Fprintln(w, "\nrules")
	for i := range t.Rules {
		writeRule(w, &t.Rules[i], t.Rules[i].Held || matters(t.Rules[i].ID))
	}
	writeVerdict(w, a)
}

func said(a *policy.Answer) string {
	var parts []string
	for _, p := range []struct{ name, value string }{
		{"fault", a.Fault.String()}, {"status", a.Status}, {"sub_status", a.SubStatus}, {"code", a.Code}, {"sub_code", a.SubCode},
	} {
		if p.value != "" {
			parts = append(parts, p.name+" "+p.value)
		}
	}
	if a.HTTPStatus != 0 {
		parts = append(parts, fmt.Sprintf("HTTP %d", a.HTTPStatus))
	}
	if len(parts) == 0 {
		return "an answer that says nothing"
	}
	return strings.Join(parts, ", ")
}

func writeRule(w io.Writer, r *ruleset.Considered, whole bool) {
	mark := "no "
	switch {
	case r.Decided:
		mark = "=> "
	case r.Held:
		mark = "(+)"
	}
	fmt.Fprintf(w, "  %s %s  then %s  (%s)", mark, r.ID, r.Then, r.Source)
	if !whole {
		fmt.Fprintf(w, ": %s is false\n", strings.Join(Blame(&r.Condition), " is false, "))
		return
	}
	fmt.Fprintln(w)
	writePart(w, &r.Condition, "       ")
}

// Blame lists the parts of a condition for which it does not hold.
func Blame(p *ruleset.Part) []string {
	if len(p.Parts) < 2 {
		return []string{p.Text}
	}
	var all []string
	for i := range p.Parts {
		if !p.Parts[i].Held {
			all = append(all, Blame(&p.Parts[i])...)
		}
	}
	return all
}

func writePart(w io.Writer, p *ruleset.Part, indent string) {
	mark := "-"
	if p.Held {
		mark = "+"
	}
	fmt.Fprintf(w, "%s%s %s", indent, mark, p.Text)
	if p.Err != "" {
		fmt.Fprintf(w, "  (%s)", p.Err)
	}
	fmt.Fprintln(w)
	for i := range p.Parts {
		writePart(w, &p.Parts[i], indent+"    ")
	}
}

func writeVerdict(w io.Writer, a *Advice) {
	d, v := &a.Decided, &a.Decided.Verdict
	fmt.Fprintf(w, "\naction    %s", v.Action)
	switch {
	case v.Via != "":
		fmt.Fprintf(w, " by %s", v.Via)
	}
	if v.Delay > 0 {
		fmt.Fprintf(w, " in %s", v.Delay)
	}
	if v.Schedule != "" {
		fmt.Fprintf(w, " (schedule %s)", v.Schedule)
	}
	fmt.Fprintln(w)
	if d.Decision.Reason != "" {
		fmt.Fprintf(w, "reason    %s\n", d.Decision.Reason)
	}
	if v.Property != "" {
		fmt.Fprintf(w, "interlock the rules wanted %s, which %s forbids\n", d.Decision.Action, v.Property)
	}
	if v.Limit != "" {
		fmt.Fprintf(w, "limit     %s is spent\n", v.Limit)
	}
}

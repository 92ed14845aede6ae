package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Assumption is something that a verdict rests on and that the search cannot know.
type Assumption struct {
	// Promise is "dedupe", "first_result", "not_found_after" or "arrival_grace", of the contract; "facts", of the catalogue's rows; "amount"
	// and "signature", of the provider's messages; "journal" and "deadline", of the program that carries the flow out.
	Promise string   `json:"promise"`
	Text    string   `json:"text"`
	From    []string `json:"from"`             // FILE:LINE:COLUMN of lines of a contract, or FILE:LINE of a catalogue's rows
	Rules   []string `json:"rules"`            // that rely on it, as NAME (FILE:LINE); the flow itself may too
	Breaks  string   `json:"breaks,omitempty"` // the property that breaks without it; empty: it was not withdrawn, so the verdict may need less

	Inferred []string `json:"inferred,omitempty"` // of From, the rows that rest on inference
}

// describe writes down what the verdict depends on: assumptions, opaque conditions and facts.
func (b *batch) describe(j *job) {
	e, p := b.e, j.product
	for _, o := range j.looks.Opaque {
		p.Opaque = append(p.Opaque, fmt.Sprintf("%s (%s, %s)", o.Text, o.Rule, o.Source))
	}
	cat, err := e.Catalog(&j.payment)
	if err != nil {
		return
	}
	p.Covered.Codes = listedWords(cat)
	p.Covered.Facts, p.Covered.Inferred = 0, 0
	for _, r := range slices.Concat(cat.Codes, cat.Statuses, cat.Fallbacks) {
		for _, f := range r.Facts {
			if f.Operation != j.payment.Operation || f.Effect == policy.Unknown {
				continue
			}
			p.Covered.Facts++
			if f.Basis == policy.Inferred {
				p.Covered.Inferred++
			}
		}
	}
	p.Assumptions = j.assumptions(e, p, cat)
	for i := range p.Assumptions {
		a := &p.Assumptions[i]
		a.Text = b.same.text(a.Text)
		a.From, a.Rules, a.Inferred = b.same.list(a.From), b.same.list(a.Rules), b.same.list(a.Inferred)
	}
	p.needs, j.looks = nil, ruleset.Looks{} // a thousand merchants have them forty times each
}

// same keeps one of each text and list of texts: what products rest on is mostly the same.
type same struct {
	texts map[string]string
	lists map[string][]string
}

func (s *same) text(t string) string {
	if one, known := s.texts[t]; known {
		return one
	}
	s.texts[t] = t
	return t
}

func (s *same) list(l []string) []string {
	if len(l) == 0 {
		return l
	}
	key := strings.Join(l, "\x00")
	if one, known := s.lists[key]; known {
		return one
	}
	for i := range l {
		l[i] = s.text(l[i])
	}
	l = slices.Clip(slices.Clone(l))
	s.lists[key] = l
	return l
}

// assumptions are those of one product, with their places.
func (j *job) assumptions(e *ruleset.Engine, p *Product, cat *providers.Catalog) []Assumption {
	all := []Assumption{}
	places := map[string]string{}
	for _, r := range e.Rules.Layers(j.payment.Provider, j.payment.Merchant).Rules() {
		if places[r.ID] == "" {
			places[r.ID] = fmt.Sprintf("%s (%s)", r.ID, r.Source())
		}
	}
	named := func(ids []string) []string {
		list := make([]string, 0, len(ids))
		for _, id := range ids {
			list = append(list, places[id])
		}
		return list
	}
	c := &e.Terms(&j.payment).Contract
	for k := range kept {
		k := &kept[k]
		for i := range p.needs {
			if n := &p.needs[i]; n.Promise == k.name {
				one := Assumption{Promise: k.name, Text: k.text(c), Rules: named(n.Rules), Breaks: string(n.Breaks)}
				for _, key := range k.keys {
					one.From = append(one.From, key+" "+wherever(e, &j.payment, "contract", key))
				}
				all = append(all, one)
			}
		}
	}
	webhooks, amounts := false, false
	for _, f := range factsNeeded(cat, p.needs, j.payment.Operation) {
		f.Rules = named(f.Rules)
		all = append(all, f.Assumption)
		webhooks, amounts = webhooks || f.phase == policy.Webhook, amounts || f.effect == policy.Executed
	}
	if amounts {
		all = append(all, Assumption{Promise: "amount", Text: "an answer about a payment that was executed with another amount names that amount", From: []string{}, Rules: []string{}})
	}
	if webhooks {
		all = append(all, Assumption{Promise: "signature", Text: "a webhook whose signature was verified is the provider's; it may come late, twice, and in any order", From: []string{}, Rules: []string{}})
	}
	return append(all,
		Assumption{Promise: "journal", Text: "one flow at a time is open for a payment key, and a flow's row is stored before it sends (the journal)", From: []string{}, Rules: []string{}},
		Assumption{Promise: "deadline", Text: "a process that was paused does not send after its deadline", From: []string{}, Rules: []string{}})
}

// factsAssumed is the rows of a catalogue that prove the same in a phase.
type factsAssumed struct {
	Assumption
	phase  policy.Phase
	effect policy.Effect
}

// factsNeeded lists the facts of an operation in the phases in which answers came. A fact that no question of the search was about by itself (a
// word that proves something only beside another one) is listed too: with every rule of its phase.
func factsNeeded(cat *providers.Catalog, needs []need, op policy.Operation) (all []factsAssumed) {
	at := map[string]int{}
	for _, r := range slices.Concat(cat.Codes, cat.Statuses, cat.Fallbacks) {
		for _, f := range r.Facts {
			if f.Operation != op || f.Effect == policy.Unknown {
				continue
			}
			rules, came := rulesAbout(needs, f.Phase, keyOf(f.Fact))
			if !came {
				continue
			}
			text := fmt.Sprintf("a %s answer of these rows means %s, %s", f.Phase, f.Effect, f.Class)
			if f.Effect == policy.NotExecuted {
				text += ", " + f.Stage.String()
			}
			k, known := at[text]
			if !known {
				k, at[text] = len(all), len(all)
				all = append(all, factsAssumed{Assumption: Assumption{Promise: "facts", Text: text}, phase: f.Phase, effect: f.Effect})
			}
			one := &all[k]
			one.Rules = append(one.Rules, rules...)
			if !slices.Contains(one.From, r.Source) {
				one.From = append(one.From, r.Source)
			}
			if f.Basis == policy.Inferred && !slices.Contains(one.Inferred, r.Source) {
				one.Inferred = append(one.Inferred, r.Source)
			}
		}
	}
	for i := range all {
		slices.Sort(all[i].Rules)
		all[i].Rules = slices.Compact(all[i].Rules)
	}
	return all
}

// rulesAbout returns the rules that decided about a fact, and whether answers of its phase came.
func rulesAbout(needs []need, ph policy.Phase, fact factKey) (rules []string, came bool) {
	var every []string
	for i := range needs {
		n := &needs[i]
		if n.Promise != ph.String() {
			continue
		}
		if n.Fact != nil && *n.Fact == fact {
			return n.Rules, true
		}
		every, came = append(every, n.Rules...), true
	}
	return every, came
}

// text says what a promise of the contract means.
func (k *keptPromise) text(c *policy.Contract) string {
	switch k.name {
	case kept[dedupes].name:
		names := make([]string, len(c.Dedupe))
		for i, id := range c.Dedupe {
			names[i] = string(id)
		}
		return fmt.Sprintf("a second request with the same %s is not executed for %s (dedupe; a repeat gets %s)", strings.Join(names, " or "), short(c.DedupeWindow), c.Replay)
	case kept[answersFirst].name:
		return "a refusal of a repeat that is a stored result is the result of the first request (replay)"
	case kept[finds].name:
		all := ""
		if slices.Contains(c.QueryBy, policy.OrderID) {
			all = "; by the order it finds every request of the order"
		}
		return fmt.Sprintf("a query finds what arrived, %s after the last send (not_found_after)%s", short(c.NotFoundAfter), all)
	}
	return fmt.Sprintf("a request arrives within %s of its deadline or never (arrival_grace)", short(c.ArrivalGrace))
}

package verify

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Which promises of the provider does a proof need? The search notes each promise that kept the provider from anything: without one
// that it did not read, it is the same search. Those that it read are withdrawn one after another. The provider then breaks its
// word and the flow still relies on it. If nothing breaks, the promise stays withdrawn while the next one is tried. What is left is
// enough for a proof, all other promises withdrawn at once.

// promise is a line of a contract that the model's provider keeps.
type promise uint8

const (
	dedupes      promise = iota // a repeat is not executed
	answersFirst                // a repeat gets the first result
	finds                       // a query finds what arrived
	arrives                     // a request arrives in time, or never. It comes last: the others rest on it
	promises
)

// reads are what a search has read of the contract and of the catalogue.
type reads struct {
	promises [promises]bool
	phases   [3]bool // answers came in them
}

// keptPromise says how a promise is written and broken.
type keptPromise struct {
	name   string   // in reports
	keys   []string // of the contract
	breach func(*breaches)
}

var kept = [promises]keptPromise{
	dedupes:      {"dedupe", []string{"dedupe", "dedupe_window", "replay"}, func(b *breaches) { b.reexecutes = true }},
	answersFirst: {"first_result", []string{"replay"}, func(b *breaches) { b.answersAnew = true }},
	finds:        {"not_found_after", []string{"not_found_after"}, func(b *breaches) { b.queryMisses = true }},
	arrives:      {"arrival_grace", []string{"arrival_grace"}, func(b *breaches) { b.arrivesLate = true }},
}

// need is something that a proof rests on, as it is stored with what was proved.
type need struct {
	Promise string        `json:"promise"` // of kept, or the phase of answers whose facts are relied on
	Fact    *factKey      `json:"fact,omitempty"`
	Rules   []string      `json:"rules,omitempty"`  // that rely on it
	Breaks  flow.Property `json:"breaks,omitempty"` // without it; empty: it was read, and not withdrawn to the end
}

// factKey is what rows of a catalogue have in common that prove the same.
type factKey struct {
	Effect policy.Effect `json:"effect"`
	Class  policy.Class  `json:"class"`
	Stage  policy.Stage  `json:"stage"`
	Reach  policy.Reach  `json:"reach"`
}

func keyOf(f policy.Fact) factKey { return factKey{f.Effect, f.Class, f.Stage, f.Reach} }

// needed is what a search that found nothing needs of the provider.
type needed struct {
	Promises map[promise]flow.Property `json:"promises,omitempty"` // with what breaks without it
	Phases   [3]bool                   `json:"phases"`

	// For rules that a cover proves. Without a promise the flow comes where it does not come with it, so the rules were asked more.
	Withdrawn []promise `json:"withdrawn,omitempty"` // that the search read
	Asked     []answer  `json:"asked,omitempty"`     // by the searches without a promise alone
}

// shareTried bounds the search without a promise, by the steps of the one with it. Most that is needed shows early.
const shareTried = 4

// needs finds what a search that found nothing needs. With the verdict alone, it is what the search has read.
func (b *batch) needs(ctx context.Context, g *ground, s *search) (*needed, error) {
	n := &needed{Promises: map[promise]flow.Property{}, Phases: s.m.reads.phases}
	withdrawn, read := breaches{}, s.m.reads.promises
	for p := range promises {
		if !read[p] {
			continue
		}
		if n.Promises[p] = ""; b.o.VerdictOnly || s.m.decider.counts || !s.holds() {
			continue
		}
		without := newSearch(g.model(s.m.decider.tables, false, true))
		without.m.breaches = withdrawn
		kept[p].breach(&without.m.breaches)
		without.maxEdges = s.edges/shareTried + 1_000
		without.stop = func(*finding) bool { return true }
		err := without.run(ctx)
		if b.o.Known != nil {
			n.Asked = without.asked(n.Asked, s.m.decider.memo)
		}
		switch {
		case errors.As(err, &errTooMany{}): // it may be needed
		case err != nil:
			return nil, err
		case len(without.found) > 0:
			n.Promises[p] = without.found[0].property
		default:
			delete(n.Promises, p)
			n.Withdrawn = append(n.Withdrawn, p)
			withdrawn = without.m.breaches
			n.follow(p, &read, &without.m.reads)
		}
	}
	return n, nil
}

// follow takes over what a search without a promise has read. What is withdrawn may be all that a later one was read for, and where the
// search came further, it may have read one that was not.
func (n *needed) follow(p promise, read *[promises]bool, now *reads) {
	for k := range promises {
		switch was, is := read[k], now.promises[k]; {
		case k > p:
			read[k] = is
		case k < p && is && !was:
			n.Promises[k] = ""
		}
	}
	for ph, came := range now.phases {
		n.Phases[ph] = n.Phases[ph] || came
	}
}

// forOthers is what other rules need, that the search's cover proves. Rules that decide the same everywhere need the same. Of those that
// decide less, it is not known what breaks without a promise. Of those that decide something else where the provider has broken a
// promise, all that was read may be needed.
func (n *needed) forOthers(these comparison) *needed {
	if these == equal {
		return n
	}
	o := &needed{Promises: map[promise]flow.Property{}, Phases: n.Phases}
	for p := range n.Promises {
		o.Promises[p] = ""
	}
	if these == others {
		for _, p := range n.Withdrawn {
			o.Promises[p] = ""
		}
	}
	return o
}

// of lists the needs of one product with the rules that rely on each: those that decide about an answer which the promise, or the
// catalogue's fact, makes a proof, and those that repeat a request in doubt. Every question of the search is looked at, so a rule that is
// listed may do with less.
func (n *needed) of(t *table, asked func(func(*cellKey))) []need {
	all := make([]need, 0, len(n.Promises))
	rules := map[promise]map[string]bool{}
	facts := map[policy.Phase]map[factKey]map[string]bool{}
	for p := range promises {
		rules[p] = map[string]bool{}
	}
	for _, ph := range policy.Phases() {
		facts[ph] = map[factKey]map[string]bool{}
	}
	asked(func(key *cellKey) {
		ph := key.at.phase
		for _, j := range key.asked.groups {
			own := t.facts.groups[ph][j].fact
			if facts[ph][keyOf(own)] == nil && own.Effect != policy.Unknown {
				facts[ph][keyOf(own)] = map[string]bool{}
			}
			for _, f := range t.facts.shownFor(&key.at, own) {
				at := shown{ph, f, key.at.doubt}
				for _, d := range t.decisions(ph, t.book(&at), j) {
					n.relies(&at, own, d, rules, facts[ph][keyOf(own)])
				}
			}
		}
	})
	for _, p := range []promise{dedupes, finds} { // a request that arrives late matters to these
		if _, needs := n.Promises[p]; needs {
			maps.Copy(rules[arrives], rules[p])
		}
	}
	for p, breaks := range n.Promises {
		all = append(all, need{Promise: kept[p].name, Rules: slices.Sorted(maps.Keys(rules[p])), Breaks: breaks})
	}
	for _, ph := range policy.Phases() {
		if !n.Phases[ph] {
			continue
		}
		all = append(all, need{Promise: ph.String()})
		for f, by := range facts[ph] {
			all = append(all, need{Promise: ph.String(), Fact: &f, Rules: slices.Sorted(maps.Keys(by))})
		}
	}
	return all
}

// relies adds the rule of a decision to what it relies on.
func (n *needed) relies(at *shown, own policy.Fact, d *policy.Decision, rules map[promise]map[string]bool, fact map[string]bool) {
	rule := d.Rule
	if rule == "" {
		return
	}
	if fact != nil {
		fact[rule] = true
	}
	refused := at.fact.Effect == policy.NotExecuted
	if d.Action == policy.RetrySame && (at.doubt || !at.fact.Effect.Settled()) {
		rules[dedupes][rule] = true
	}
	if at.phase == policy.Query && refused {
		rules[finds][rule] = true
	}
	if at.phase == policy.Send && refused && own.Stage == policy.Result {
		rules[answersFirst][rule] = true
	}
}

// questions calls look with each question that the search asked the rules.
func (s *search) questions(look func(*cellKey)) {
	for key := range s.m.decider.memo {
		look(&key)
	}
}

// join adds what another search of the product needs.
func (p *Product) join(all []need) {
	for _, n := range all {
		i := slices.IndexFunc(p.needs, func(o need) bool {
			return o.Promise == n.Promise && (o.Fact == nil && n.Fact == nil || o.Fact != nil && n.Fact != nil && *o.Fact == *n.Fact)
		})
		if i < 0 {
			p.needs = append(p.needs, n)
			continue
		}
		both := slices.Concat(p.needs[i].Rules, n.Rules)
		slices.Sort(both)
		p.needs[i].Rules = slices.Compact(both)
		p.needs[i].Breaks = cmp.Or(p.needs[i].Breaks, n.Breaks)
	}
}

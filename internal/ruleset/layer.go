package ruleset

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/recourse-pay/recourse/internal/condition"
)

// layer is rules in the order in which they are tried, prepared for one provider. Rules that can
// hold only with certain codes, or certain texts of another kind, stand in a short list for each of
// these; all others in lists for each operation and phase.
type layer struct {
	indexes []index
	items   []item
	general []span // by operation and phase, and where byClass is set by class; nil: there are no such rules
	byClass bool
	weekday bool     // some rule looks at it
	ids     []string // of the rules
	asked   []wait   // what rules wait by; the first is nothing
}

// item is a rule in a list.
type item struct {
	forbidden words // with which it cannot hold
	rest      *node // what the words do not settle; nil: nothing
	rule      int32
	wait      int32 // its place in asked
}

// span is a list of items.
type span struct{ from, to int32 }

// index has the lists for each text of an accessor.
type index struct {
	of     accessor
	byText lookup[span]
}

// found is the first rule that holds, or whose condition failed.
type found struct {
	*item       // nil: there is none
	err   error // of its condition
}

// first is the first rule that holds, or whose condition failed.
func (l *layer) first(f *frame) (best found) {
	f.ids = l.ids
	for i := range l.indexes {
		ix := &l.indexes[i]
		text, hash := f.hashed(&ix.of)
		if at := ix.byText.find(text, hash); at != nil {
			l.try(*at, f, &best)
		}
	}
	if l.general == nil {
		return best
	}
	cell := int(f.s.Payment.Operation)*phases + int(f.s.Answer.Phase)
	if l.byClass {
		cell = cell*classes + int(f.s.Fact.Class)
	}
	l.try(l.general[cell], f, &best)
	return best
}

// try looks for a rule before the best so far.
func (l *layer) try(at span, f *frame, best *found) {
	items := l.items[at.from:at.to]
	for i := range items {
		it := &items[i]
		if best.item != nil && it.rule >= best.rule {
			return
		}
		if it.forbidden.shares(f.words) {
			continue
		}
		if it.rest != nil {
			f.rule = it.rule
			if held := it.rest.holds(f); f.err != nil {
				*best = found{it, f.err}
				f.err = nil
				return
			} else if !held {
				continue
			}
		}
		*best = found{it, nil}
		return
	}
}

// placed is a rule while a layer is made.
type placed struct {
	rule  int32
	wait  int32
	whole node      // with the provider in it
	under *accessor // whose texts it is listed by; nil: by none
	texts []string
}

// fewest is how many rules have to look at an accessor for an index of its texts.
const fewest = 4

// newLayer prepares rules for a provider; empty: it is not known.
func newLayer(all []*compiled, provider string) *layer {
	made := &layer{ids: make([]string, len(all)), asked: []wait{{}}}
	rules := make([]placed, len(all))
	crowds := map[accessor]map[string]int{}
	for i, k := range all {
		made.ids[i] = k.rule.ID
		p := &rules[i]
		p.rule, p.wait, p.whole = int32(i), made.ask(waitOf(k.rule)), k.node
		if provider != "" {
			p.whole = k.node.given(accessor{variable: condition.Provider}, provider)
		}
		made.weekday = made.weekday || p.whole.looksAtWeekday()
		for _, a := range p.whole.accessors() {
			texts, finite := p.whole.textsOf(a, false)
			if !finite {
				continue
			}
			if crowds[a] == nil {
				crowds[a] = map[string]int{}
			}
			for t := range texts {
				crowds[a][t]++
			}
		}
	}
	for i := range rules {
		rules[i].choose(crowds)
	}
	made.leaveOut(rules)
	made.list(rules)
	return made
}

// ask is the place of a wait.
func (l *layer) ask(w wait) int32 {
	at := slices.Index(l.asked, w)
	if at < 0 {
		at = len(l.asked)
		l.asked = append(l.asked, w)
	}
	return int32(at)
}

// choose takes the accessor whose lists are shortest.
func (p *placed) choose(crowds map[accessor]map[string]int) {
	least := math.MaxInt
	for _, a := range p.whole.accessors() {
		texts, finite := p.whole.textsOf(a, false)
		if !finite {
			continue
		}
		crowd := 0
		for t := range texts {
			crowd = max(crowd, crowds[a][t])
		}
		if crowd < least {
			least, p.under, p.texts = crowd, &a, p.texts[:0]
			for t := range texts {
				p.texts = append(p.texts, t)
			}
		}
	}
}

// leaveOut gives up the indexes of few rules: to look a text up takes as long as to try those.
func (l *layer) leaveOut(rules []placed) {
	sizes := map[accessor]int{}
	for i := range rules {
		if p := &rules[i]; p.under != nil {
			sizes[*p.under]++
		}
	}
	for i := range rules {
		if p := &rules[i]; p.under != nil && sizes[*p.under] < fewest {
			p.under, p.texts = nil, nil
		}
	}
}

// list makes the lists.
func (l *layer) list(rules []placed) {
	byText := map[accessor]map[string][]item{}
	var general []item
	for i := range rules {
		p := &rules[i]
		if p.under == nil {
			if it, can := p.item(p.whole); can {
				general = append(general, it)
			}
			continue
		}
		if byText[*p.under] == nil {
			byText[*p.under] = map[string][]item{}
		}
		for _, t := range p.texts {
			if it, can := p.item(p.whole.given(*p.under, t)); can {
				byText[*p.under][t] = append(byText[*p.under][t], it)
			}
		}
	}
	for a, lists := range byText {
		spans := make(map[string]span, len(lists))
		for t, items := range lists {
			spans[t] = l.add(items)
		}
		l.indexes = append(l.indexes, index{a, newLookup(spans)})
	}
	slices.SortFunc(l.indexes, func(a, b index) int { return int(a.of.variable) - int(b.of.variable) })
	l.spread(general)
}

func (l *layer) add(items []item) span {
	from := int32(len(l.items))
	l.items = append(l.items, items...)
	return span{from, int32(len(l.items))}
}

// item is the rule in a list, with what of its condition is to be tried there.
func (p *placed) item(n node) (it item, can bool) {
	possible := n.possible(false)
	if possible.impossible() {
		return item{}, false
	}
	return item{forbidden: anyWord.less(possible), rest: n.rest(), rule: p.rule, wait: p.wait}, true
}

// longList is the length from which on a list is split by class.
const longList = 16

// mostCopies bounds the memory of the general lists: where the rules exclude single values, each list is
// almost whole. They then stand in one list.
const mostCopies = 64

// spread lists the general rules for each operation and phase. Equal lists are kept once.
func (l *layer) spread(general []item) {
	if len(general) == 0 {
		return
	}
	known := map[string]span{}
	l.byClass = len(general) > longList
	start, most := len(l.items), mostCopies*len(general)
	cells := operations * phases
	if l.byClass {
		cells *= classes
	}
	l.general = make([]span, cells)
	var key []byte
	var items []item
	for cell := range l.general {
		at, here := cell, words{}
		if l.byClass {
			here.class = 1 << (cell % classes)
			at /= classes
		} else {
			here = everyWord(condition.Class)
		}
		operation, phase := wordAt(condition.Operation, at/phases), wordAt(condition.Phase, at%phases)
		key, items = key[:0], items[:0]
		for i := range general {
			it := &general[i]
			if it.forbidden.rest&(operation.rest|phase.rest) == 0 && here.class&^it.forbidden.class != 0 {
				key = binary.LittleEndian.AppendUint32(key, uint32(i))
				items = append(items, *it)
			}
		}
		list, ok := known[string(key)]
		if !ok && len(l.items)+len(items)-start > most {
			l.items = l.items[:start]
			one := l.add(general)
			for cell := range l.general {
				l.general[cell] = one
			}
			return
		}
		if !ok {
			list = l.add(items)
			known[string(key)] = list
		}
		l.general[cell] = list
	}
}

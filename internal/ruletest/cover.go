package ruletest

import (
	"fmt"
	"strings"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// Coverage says what the tests looked at.
type Coverage struct {
	Rules     Share           `json:"rules"` // that decided in a test
	Parts     Share           `json:"parts"` // each comparison of a condition, seen true and seen false
	Codes     Share           `json:"codes"` // codes and statuses of the catalogues that an answer of a test had
	Merchants []MerchantShare `json:"merchants"`
	Gaps      []Gap           `json:"gaps"`
}

// Share is how many of how many.
type Share struct {
	Covered int     `json:"covered"`
	All     int     `json:"all"`
	Percent float64 `json:"percent"` // 100 when there are none
}

func (s *Share) add(covered bool) {
	s.All++
	if covered {
		s.Covered++
	}
}

func (s *Share) done() {
	s.Percent = 100
	if s.All > 0 {
		s.Percent = 100 * float64(s.Covered) / float64(s.All)
	}
}

// MerchantShare is what the tests of one merchant's payments looked at.
type MerchantShare struct {
	Merchant string `json:"merchant"` // empty: a merchant without a file
	Rules    Share  `json:"rules"`    // of all its layers
	Codes    Share  `json:"codes"`
}

// Gap is something that no test looked at.
type Gap struct {
	Kind   string `json:"kind"` // rule, part or codes
	What   string `json:"what"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Test   string `json:"test,omitempty"` // a test to paste, which passes; empty: none was found
}

// String is FILE:LINE:COLUMN: what.
func (g *Gap) String() string {
	if g.File == "" {
		return g.What
	}
	return source.Pos{File: g.File, Line: g.Line, Column: g.Column}.String() + ": " + g.What
}

// coded is a code or status of a provider.
type coded struct{ provider, name string }

// seen is what tests looked at.
type seen struct {
	decided map[*rules.Rule]bool
	by      map[string]map[*rules.Rule]bool // by merchant
	leaves  map[*rules.Rule]*ruleset.Leaves
	held    map[*rules.Rule][][2]bool // of each leaf: seen false, seen true
	codes   map[string]map[coded]bool // by merchant
}

// Cover runs tests and says what they looked at. A rule is covered when it decided, a part of
// its condition when it was seen true and false in answers to payments that have the rule; the
// parts are those of the source form.
//
// Only the rules of the files are looked at that mine says; nil: of all.
func Cover(e *ruleset.Engine, suites []*Suite, mine func(file string) bool) (*Coverage, error) {
	s := &seen{
		decided: map[*rules.Rule]bool{}, by: map[string]map[*rules.Rule]bool{}, leaves: map[*rules.Rule]*ruleset.Leaves{},
		held: map[*rules.Rule][][2]bool{}, codes: map[string]map[coded]bool{},
	}
	for _, f := range e.Rules.Files() {
		for _, r := range f.Rules {
			leaves, err := ruleset.LeavesOf(r)
			if err != nil {
				return nil, err
			}
			s.leaves[r], s.held[r] = leaves, make([][2]bool, len(leaves.List))
		}
	}
	for _, suite := range suites {
		for _, c := range suite.Cases {
			c.situations(e, func(sit *policy.Situation, rule string) { s.look(e, sit, rule) })
		}
	}
	return s.coverage(e, mine), nil
}

// look notes one decision.
func (s *seen) look(e *ruleset.Engine, sit *policy.Situation, decided string) {
	merchant := sit.Payment.Merchant
	if s.by[merchant] == nil {
		s.by[merchant], s.codes[merchant] = map[*rules.Rule]bool{}, map[coded]bool{}
	}
	for _, name := range []string{sit.Answer.Code, sit.Answer.SubCode, statusName(sit.Answer.Status, sit.Answer.SubStatus)} {
		s.codes[merchant][coded{sit.Payment.Provider, name}] = true
	}
	var held []bool
	found := false
	for _, r := range e.Rules.Layers(sit.Payment.Provider, merchant).Rules() {
		l := s.leaves[r]
		held = append(held[:0], make([]bool, len(l.List))...)
		l.Hold(e, sit, held)
		for i, h := range held {
			s.held[r][i][index(h)] = true
		}
		if r.ID == decided && !found && whole(r, held) {
			found = true
			s.decided[r], s.by[merchant][r] = true, true
		}
	}
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

// whole says whether a condition holds when its comparisons do as given.
func whole(r *rules.Rule, held []bool) bool {
	c, ok := parse(r.When)
	if !ok {
		return true
	}
	return c.Eval(func(leaf *condition.Tree) condition.Truth { return condition.TruthOf(held[leaf.Index]) }) == condition.Yes
}

func statusName(status, sub string) string {
	if status == "" {
		return ""
	}
	return "status " + strings.TrimSuffix(status+"/"+sub, "/")
}

func (s *seen) coverage(e *ruleset.Engine, mine func(file string) bool) *Coverage {
	c := &Coverage{Gaps: []Gap{}, Merchants: []MerchantShare{}}
	find := newSearch(e)
	for _, f := range e.Rules.Files() {
		if mine != nil && !mine(f.Name) {
			continue
		}
		for _, r := range f.Rules {
			c.Rules.add(s.decided[r])
			if !s.decided[r] {
				c.gap("rule", fmt.Sprintf("rule %s decides in no test", r.ID), r.Pos, find.deciding(f, r))
			}
			for i, leaf := range s.leaves[r].List {
				for _, value := range []bool{true, false} {
					c.Parts.add(s.held[r][i][index(value)])
					if !s.held[r][i][index(value)] {
						what := fmt.Sprintf("rule %s: no test in which %s is %t", r.ID, leaf.Text, value)
						c.gap("part", what, leaf.Pos, find.holding(f, s.leaves[r], i, value))
					}
				}
			}
		}
	}
	s.merchants(e, c, mine)
	s.catalogues(e, c)
	c.Rules.done()
	c.Parts.done()
	c.Codes.done()
	return c
}

func (c *Coverage) gap(kind, what string, pos source.Pos, test string) {
	c.Gaps = append(c.Gaps, Gap{Kind: kind, What: what, File: pos.File, Line: pos.Line, Column: pos.Column, Test: test})
}

// merchants says of each merchant which of the rules of its layers decided, and which codes
// its tests met.
func (s *seen) merchants(e *ruleset.Engine, c *Coverage, mine func(file string) bool) {
	for _, m := range append([]string{""}, e.Rules.MerchantNames()...) {
		if f := e.Rules.Merchants[m]; f != nil && mine != nil && !mine(f.Name) {
			continue
		}
		share := MerchantShare{Merchant: m}
		counted := map[*rules.Rule]bool{}
		for _, p := range e.Catalogs.Names() {
			for _, r := range e.Rules.Layers(p, m).Rules() {
				if !counted[r] {
					counted[r] = true
					share.Rules.add(s.by[m][r])
				}
			}
			for _, name := range namesOf(e, p) {
				share.Codes.add(s.codes[m][coded{p, name}])
			}
		}
		share.Rules.done()
		share.Codes.done()
		c.Merchants = append(c.Merchants, share)
	}
}

// namesOf lists a provider's codes and statuses.
func namesOf(e *ruleset.Engine, provider string) []string {
	cat, err := e.Catalogs.Get(provider)
	if err != nil {
		return nil
	}
	names := codesOf(cat)
	for _, r := range cat.Statuses {
		names = append(names, statusName(r.Status, r.SubStatus))
	}
	return names
}

func (s *seen) catalogues(e *ruleset.Engine, c *Coverage) {
	for _, p := range e.Catalogs.Names() {
		var missing []string
		for _, name := range namesOf(e, p) {
			met := false
			for _, codes := range s.codes {
				met = met || codes[coded{p, name}]
			}
			c.Codes.add(met)
			if !met {
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 {
			what := fmt.Sprintf("%s: no test has %s", p, strings.Join(missing, ", "))
			c.Gaps = append(c.Gaps, Gap{Kind: "codes", What: what, Test: tables(e, p, missing)})
		}
	}
}

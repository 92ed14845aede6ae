package ruletest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// mutant is a small change to one rule, or to the order of two.
type mutant struct {
	file   *rules.File
	rule   *rules.Rule
	pos    source.Pos
	change string
	looks  []string // conditions whose variables may show the difference
	order  bool     // two rules were exchanged
	rules  func() []*rules.Rule
}

// set returns the rule set with the change.
func (m *mutant) set(of *rules.Set) *rules.Set {
	changed := *m.file
	changed.Rules = m.rules()
	next := *of
	swap := func(files map[string]*rules.File) map[string]*rules.File {
		files = maps.Clone(files)
		for name, f := range files {
			if f == m.file {
				files[name] = &changed
			}
		}
		return files
	}
	next.Providers, next.Merchants = swap(of.Providers), swap(of.Merchants)
	if of.Baseline == m.file {
		next.Baseline = &changed
	}
	return &next
}

// mutants returns all small changes of a file.
func mutants(f *rules.File) []*mutant {
	var all []*mutant
	for i, r := range f.Rules {
		g := generator{file: f, index: i, rule: r}
		g.actions()
		g.conditions()
		g.schedule()
		g.order()
		all = append(all, g.all...)
	}
	return all
}

// generator makes the mutants of one rule.
type generator struct {
	file  *rules.File
	index int
	rule  *rules.Rule
	all   []*mutant
}

// change adds a mutant with an edited copy of the rule.
func (g *generator) change(pos source.Pos, what string, edit func(r *rules.Rule)) {
	changed := *g.rule
	edit(&changed)
	list := slices.Clone(g.file.Rules)
	list[g.index] = &changed
	g.add(pos, what, []string{g.rule.When, changed.When}, list)
}

func (g *generator) add(pos source.Pos, what string, looks []string, list []*rules.Rule) {
	g.all = append(g.all, &mutant{file: g.file, rule: g.rule, pos: pos, change: what, looks: looks, rules: func() []*rules.Rule { return list }})
}

func (g *generator) actions() {
	for _, a := range policy.All[policy.Action]() {
		if a != g.rule.Then {
			g.change(g.rule.Pos, fmt.Sprintf("then %s -> %s", g.rule.Then, a), func(r *rules.Rule) { r.Then = a })
		}
	}
	g.add(g.rule.Pos, "the rule left out", []string{g.rule.When}, slices.Delete(slices.Clone(g.file.Rules), g.index, g.index+1))
}

// schedule leaves the schedule out, unless it is the default for the action anyway.
func (g *generator) schedule() {
	r := g.rule
	own := r.Then == policy.QueryStatus && r.Schedule == "poll" || r.Then.Sends() && r.Schedule == "retry"
	waits := r.Then == policy.QueryStatus || r.Then.Sends()
	if r.Schedule != "" && waits && !own {
		g.change(r.Pos, "schedule "+r.Schedule+" left out", func(r *rules.Rule) { r.Schedule = "" })
	}
}

// order exchanges the rule with the next one.
func (g *generator) order() {
	if g.index+1 >= len(g.file.Rules) {
		return
	}
	list := slices.Clone(g.file.Rules)
	next := list[g.index+1]
	list[g.index], list[g.index+1] = next, list[g.index]
	g.add(g.rule.Pos, "after "+next.ID, []string{g.rule.When, next.When}, list)
	g.all[len(g.all)-1].order = true
}

// conditions negates each part, drops it, and changes the values that it compares with.
func (g *generator) conditions() {
	whole, ok := parse(g.rule.When)
	if !ok {
		return
	}
	whole.Visit(func(part *condition.Tree) {
		pos := g.rule.WhenAt(condition.Begin(part.Node))
		if part.Op != condition.Not { // its operand is negated instead
			g.when(pos, "negated: "+part.String(), whole.Replace(part, &condition.Tree{Op: condition.Not, Parts: []*condition.Tree{part}}))
		}
		left := whole.Replace(part, nil)
		if left == nil {
			left = &condition.Tree{Text: "true"}
		}
		g.when(pos, "left out: "+part.String(), left)
		if part.Op == condition.Leaf {
			g.comparison(whole, part)
		}
	})
}

func (g *generator) when(pos source.Pos, what string, c *condition.Tree) {
	g.change(pos, what, func(r *rules.Rule) { r.When = c.String() })
}

// comparison changes numbers by one and durations by a second, and takes items out of lists.
func (g *generator) comparison(whole, part *condition.Tree) {
	for n := 0; ; n++ {
		variants, found := vary(part.Text, n)
		if !found {
			return
		}
		for _, text := range variants {
			g.when(g.rule.WhenAt(condition.Begin(part.Node)), part.Text+" -> "+text, whole.Replace(part, &condition.Tree{Text: text}))
		}
	}
}

// vary changes the n-th literal of a comparison that can be changed; found is false when there
// are fewer.
func vary(text string, n int) (variants []string, found bool) {
	for choice := 0; ; choice++ {
		node, err := condition.Parse(text)
		if err != nil {
			return variants, found
		}
		v := &varier{n: n, choice: choice}
		ast.Walk(&node, v)
		if !v.found {
			return variants, found
		}
		found = true
		if !v.changed {
			return variants, found
		}
		if changed, ok := condition.Written(node); ok {
			variants = append(variants, changed)
		}
	}
}

// varier changes one node of a tree in one of the ways in which it can be changed.
type varier struct {
	n, choice      int
	seen           int
	found, changed bool
}

// Visit is called for every node, children first.
func (v *varier) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IntegerNode:
		if v.mine() && v.choice < 2 {
			n.Value += 1 - 2*v.choice
			v.changed = true
		}
	case *ast.StringNode:
		d, err := time.ParseDuration(n.Value)
		if _, number := strconv.Atoi(n.Value); err != nil || number == nil {
			return // not a duration: a code or a word
		}
		if v.mine() && v.choice < 2 {
			n.Value = (d + time.Second - time.Duration(2*v.choice)*time.Second).String()
			v.changed = true
		}
	case *ast.ArrayNode:
		if v.mine() && len(n.Nodes) > 1 && v.choice < len(n.Nodes) {
			n.Nodes = slices.Delete(n.Nodes, v.choice, v.choice+1)
			v.changed = true
		}
	}
}

func (v *varier) mine() bool {
	v.seen++
	mine := v.seen-1 == v.n
	v.found = v.found || mine
	return mine
}

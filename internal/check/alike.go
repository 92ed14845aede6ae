package check

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

// spellings reports codes, statuses and messages that look alike and are treated differently.
// A catalogue may let them prove different things, or the rules of a layer may decide
// differently on them. A provider that does not always write a code the same way then gets
// different decisions for the same answer.
func (c *checker) spellings(ctx context.Context) error {
	for _, name := range c.providers {
		if len(c.only) > 0 && !slices.Contains(c.only, name) {
			continue
		}
		if cat, err := c.e.Catalogs.Get(name); err == nil {
			c.lookAlikeRows(cat.Codes, func(r *providers.Row) string { return r.Code })
			c.lookAlikeRows(cat.Statuses, func(r *providers.Row) string { return strings.TrimSuffix(r.Status+"/"+r.SubStatus, "/") })
		}
	}
	var files []*rules.File
	of := map[*rules.File][]*checkedRule{}
	for _, r := range c.rules {
		if of[r.file] == nil {
			files = append(files, r.file)
		}
		of[r.file] = append(of[r.file], r)
	}
	for _, f := range files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.contradictions(of[f])
	}
	return nil
}

// lookAlikeRows compares each row with the first of every other spelling before it.
func (c *checker) lookAlikeRows(rows []*providers.Row, name func(*providers.Row) string) {
	spelt := map[string][]*providers.Row{}
	for _, r := range rows {
		key := foldCode(name(r))
		for _, o := range spelt[key] {
			if name(o) == name(r) {
				continue
			}
			f := Finding{Kind: NearDuplicate, Severity: Warning, Place: rowPlace(r), Related: []Place{rowPlace(o)}}
			f.Message = fmt.Sprintf("%s looks like %s of %s, and proves something else; does %s write one of them now so, now so?",
				quote(name(r)), quote(name(o)), o.Source, r.Provider)
			if proves(r, o) {
				f.Severity = Note
				f.Message = fmt.Sprintf("%s looks like %s of %s, and proves the same", quote(name(r)), quote(name(o)), o.Source)
			}
			c.report.add(f)
		}
		if !slices.ContainsFunc(spelt[key], func(o *providers.Row) bool { return name(o) == name(r) }) {
			spelt[key] = append(spelt[key], r)
		}
	}
}

// proves reports whether two rows prove the same, whatever the reasons given for it.
func proves(a, b *providers.Row) bool {
	return slices.EqualFunc(a.Facts, b.Facts, func(x, y providers.RowFact) bool {
		return x.Operation == y.Operation && x.Phase == y.Phase && x.Effect == y.Effect && x.Class == y.Class &&
			x.Stage == y.Stage && x.Reach == y.Reach && slices.Equal(x.Capture, y.Capture)
	})
}

func rowPlace(r *providers.Row) Place {
	i := strings.LastIndexByte(r.Source, ':')
	line, err := strconv.Atoi(r.Source[i+1:])
	if err != nil {
		return Place{File: r.Source}
	}
	return Place{File: r.Source[:i], Line: line}
}

// foldCode returns a code without case, white space, separators between words and leading
// zeros of numbers. A sign, a separator between digits and a number of only zeros are kept,
// because "000000" and "0000" may be codes of two different layers.
func foldCode(code string) string {
	in := []rune(strings.ToLower(strings.TrimSpace(code)))
	isDigit := func(i int) bool { return i >= 0 && i < len(in) && digit(in[i]) }
	var out []rune
	for i := 0; i < len(in); i++ {
		switch {
		case isDigit(i):
			end := i
			for isDigit(end) {
				end++
			}
			number := in[i:end]
			if n := slices.IndexFunc(number, func(r rune) bool { return r != '0' }); n > 0 {
				number = number[n:]
			}
			out, i = append(out, number...), end-1
		case !strings.ContainsRune(" \t_-.", in[i]), isDigit(i+1) && (isDigit(i-1) || in[i] == '-' && i == 0):
			out = append(out, in[i])
		}
	}
	return string(out)
}

// spelling is a text that a rule compares a variable with, and the box of that comparison.
type spelling struct {
	rule *checkedRule
	text string
	dim  region.Dim
	box  region.Box
}

// contradictions reports rules of one file that decide differently on texts that look alike.
func (c *checker) contradictions(all []*checkedRule) {
	known := map[string][]spelling{}
	for _, r := range all {
		reported := 0
		for _, s := range spellingsOf(r) {
			key := s.key()
			for _, o := range known[key] {
				if reported < maxPerRule && c.contradict(s, o) {
					reported++
				}
			}
			known[key] = append(known[key], s)
		}
	}
}

// spellingsOf lists every text that a rule's condition requires of a variable.
func spellingsOf(r *checkedRule) []spelling {
	var all []spelling
	for _, box := range r.cond.Region {
		for _, d := range []region.Dim{space.Code, space.SubCode, space.Status, space.SubStatus, space.Message} {
			set, limited := box.Of(d).(region.Texts)
			if !limited || set.Except {
				continue
			}
			for _, text := range set.List {
				all = append(all, spelling{rule: r, text: text, dim: d, box: box})
			}
		}
	}
	return all
}

// key is shared by all spellings that may look like this one. Messages are prose, where one
// letter may differ. So they are compared where everything else in the box is equal.
func (s spelling) key() string {
	if s.dim == space.Message {
		return fmt.Sprint(s.dim, s.box.Without(s.dim).Key())
	}
	return fmt.Sprint(s.dim, foldCode(s.text))
}

func (c *checker) contradict(s, o spelling) bool {
	if s.text == o.text || s.rule == o.rule || s.rule.Then == o.rule.Then || !s.box.Without(s.dim).Meets(o.box.Without(s.dim)) {
		return false
	}
	f := Finding{Kind: NearDuplicate, Severity: Warning, Place: s.rule.place(s.rule.offsetOf(c, s.text)), Related: []Place{o.rule.related()}}
	how := "which looks like"
	if s.dim == space.Message && !alike(named{folded: foldText(s.text)}, named{folded: foldText(o.text)}) {
		f.Severity, how = Note, "and nothing but that tells it from"
	}
	f.Severity = c.severityFor(s.rule.file, f.Severity)
	f.Message = fmt.Sprintf("rule %s (%s) is for the %s %s, %s %s of rule %s (%s, %s): one answer, two decisions?",
		quote(s.rule.ID), s.rule.Then, c.s.Name(s.dim), quote(s.text), how, quote(o.text), quote(o.rule.ID), o.rule.Then, o.rule.Source())
	f.Witness = c.decides(s)
	c.report.add(f)
	return true
}

// foldText returns a message without case, white space and punctuation.
func foldText(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\n.,;:!?'’\"()-_/", r) {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// decides returns an input with the spelling that its rule decides; nil when none was found.
func (c *checker) decides(s spelling) *space.Witness {
	at := region.Region{s.box.With(s.dim, region.In(s.text))}
	providers, merchant := c.home(s.rule)
	for _, p := range providers {
		w := c.witness(p, merchant, c.s.Settle(at, p, merchant, c.e), func(_ *policy.Situation, d policy.Decision) bool {
			return d.Source == s.rule.Source()
		})
		if w != nil {
			return w
		}
	}
	return nil
}

// offsetOf returns the offset in runes at which a text first stands in the condition.
func (r *checkedRule) offsetOf(c *checker, text string) int {
	n := c.e.Condition(r.Rule)
	if n == nil {
		return 0
	}
	t := texts{}
	ast.Walk(&n, t)
	return t[text]
}

// texts maps each string literal of a condition to the offset of its first use.
type texts map[string]int

// Visit is called for every node.
func (t texts) Visit(node *ast.Node) {
	if n, isText := (*node).(*ast.StringNode); isText {
		at := n.Location().From
		if first, known := t[n.Value]; !known || at < first {
			t[n.Value] = at
		}
	}
}

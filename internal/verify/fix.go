package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// proposeFixes looks for a change to each rule at fault. A change that fixed a rule once is tried
// first where the same rule is at fault again, so each rule gets one fix.
func (r *Report) proposeFixes(ctx context.Context, e *ruleset.Engine, o *Options) error {
	best := map[string][]edit{} // by FILE:LINE
	for i := range r.Products {
		for k := range r.Products[i].Violations {
			v := &r.Products[i].Violations[k]
			c, err := v.findFix(ctx, e, o, append(best[v.Source], candidateEdits(ruleAt(e, v.Source), v.cause.wanted)...))
			if err != nil {
				return err
			}
			if c != nil {
				v.Fix = fmt.Sprintf("%s: %s", v.Source, c.text)
				best[v.Source] = []edit{*c}
			}
		}
	}
	return nil
}

// findFix returns the first change after which the rule does not depend on the interlock and still
// decides about new answers. It compiles the real rules with each change in turn, and verifies
// them. It returns nil if no change helps.
func (v *Violation) findFix(ctx context.Context, e *ruleset.Engine, o *Options, all []edit) (*edit, error) {
	if v.Property != S5 || v.Source == "" {
		return nil, nil
	}
	for i := range all {
		helps, err := editHelps(ctx, e, o, v.payment, v.cause, all[i])
		if err != nil || helps {
			return &all[i], err
		}
	}
	return nil, nil
}

// fixStates bounds the search for one proposal.
const fixStates = 100_000

// editHelps reports whether a rule with a change is safe and still decides about new answers.
func editHelps(ctx context.Context, e *ruleset.Engine, o *Options, p policy.Payment, f *finding, c edit) (bool, error) {
	changed, err := applyEdit(e, f.rule, c)
	if err != nil || changed == nil {
		return false, nil // the change changes nothing, or does not compile
	}
	m, err := newModel(changed, p, true, o.DistrustInferred)
	if err != nil {
		return false, err
	}
	s := newSearch(m)
	s.maxStates = fixStates
	s.follow, m.steps.every = f.rule, true
	corrected := false
	s.stop = func(got *finding) bool {
		corrected = corrected || got.rule == f.rule
		return corrected
	}
	if err := s.run(ctx); err != nil {
		return false, ctx.Err() // a change with too many states does not help; that is no error
	}
	return !corrected && s.followed, nil
}

// edit is a change to a rule.
type edit struct {
	when   string         // replaces the condition
	action *policy.Action // replaces the action
	text   string
}

// ruleAt returns the rule that stands at FILE:LINE, or nil.
func ruleAt(e *ruleset.Engine, source string) *rules.Rule {
	for _, f := range e.Rules.Files() {
		for _, r := range f.Rules {
			if r.Source() == source {
				return r
			}
		}
	}
	return nil
}

// candidateEdits returns the changes that may fix a rule with an action, the smallest first.
func candidateEdits(r *rules.Rule, a policy.Action) []edit {
	var all []edit
	and := func(parts ...string) {
		if r == nil {
			return
		}
		if when, ok := narrowed(r.When, parts); ok {
			all = append(all, edit{when: when, text: "write in place of its condition\n    when = " + tomlString(when)})
		}
	}
	switch a {
	case policy.MarkSucceeded:
		and(`effect == "executed"`)
	case policy.MarkFailed, policy.RetryNewRequest, policy.RetryNewOrder:
		and("!in_doubt")
		and(`effect == "not_executed"`)
		and(`effect == "not_executed"`, "!in_doubt")
	case policy.RetrySame:
		and("!in_doubt")
	default:
	}
	query, text := policy.QueryStatus, "write `then = \"query_status\"`"
	if r != nil && r.Schedule != "" {
		text += ", and leave schedule out"
	}
	return append(all, edit{action: &query, text: text})
}

// narrowed returns a condition that also asks for parts. A part that the condition asks for already is not added; ok is false if that
// leaves none. The result is parsed again: text after a comment would not count.
func narrowed(when string, parts []string) (text string, ok bool) {
	node, err := condition.Parse(when)
	if err != nil {
		return "", false
	}
	asked := conjuncts(node)
	var added []string
	for _, p := range parts {
		if !slices.Contains(asked, p) {
			added = append(added, p)
		}
	}
	if len(added) == 0 {
		return "", false
	}
	body := strings.TrimSpace(when)
	bracketed := body
	if looser(node) && !enclosed(body) {
		bracketed = "(" + body + ")"
	}
	// A comment at the end takes the rest of its line.
	for _, whole := range []string{bracketed + " && ", "(" + body + "\n) && "} {
		whole += strings.Join(added, " && ")
		if n, err := condition.Parse(whole); err == nil && slices.Equal(conjuncts(n), append(conjuncts(node), added...)) {
			return whole, true
		}
	}
	return "", false
}

// conjuncts are the parts that a condition asks for, all of them, in one way of writing.
func conjuncts(n ast.Node) []string {
	sign := ""
	switch op, parts := condition.Operands(n); op {
	case condition.And:
		return append(conjuncts(*parts[0]), conjuncts(*parts[1])...)
	case condition.Not:
		n, sign = *parts[0], "!" // also written not
	default:
	}
	text, ok := condition.Written(n)
	if !ok {
		text = n.String()
	}
	return []string{sign + text}
}

// looser reports whether a condition must stand in brackets before &&.
func looser(n ast.Node) bool {
	switch op, _ := condition.Operands(n); op {
	case condition.Or:
		return true
	case condition.And, condition.Not:
		return false
	default:
		switch n.(type) {
		case *ast.BinaryNode, *ast.UnaryNode, *ast.CallNode, *ast.BuiltinNode, *ast.IdentifierNode, *ast.MemberNode, *ast.BoolNode:
			return false
		}
		return true // cond ? a : b, and what else may come
	}
}

// enclosed reports whether one pair of brackets holds a whole condition.
func enclosed(text string) bool {
	depth, quote := 0, byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\' && quote != '`':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return text[0] == '(' && i == len(text)-1
			}
		case depth == 0:
			return false
		}
	}
	return false
}

// tomlString writes a condition as a TOML string: as it is where that is possible.
func tomlString(text string) string {
	plain := !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' })
	switch {
	case plain && !strings.ContainsAny(text, "'\n"):
		return "'" + text + "'"
	case plain && strings.Contains(text, "\n") && !strings.Contains(text, "'''") && !strings.HasSuffix(text, "'"):
		return "'''\n" + text + "'''"
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteString("\\" + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case unicode.IsControl(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return `"` + b.String() + `"`
}

// applyEdit compiles the rules again with one rule changed. It returns nil if no rule stands at
// source.
func applyEdit(e *ruleset.Engine, source string, c edit) (*ruleset.Engine, error) {
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
			if c.when != "" {
				rule.When = c.when
			}
			if c.action != nil {
				rule.Then, rule.Schedule = *c.action, ""
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
	return ruleset.New(e.Catalogs, &set)
}

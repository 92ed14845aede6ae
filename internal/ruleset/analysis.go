package ruleset

import (
	"reflect"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// Effective is what speaks for one merchant at one provider, for those who analyse rules.
type Effective struct {
	Rulings []Ruling        // in the order in which they are tried
	None    policy.Decision // when no rule holds and something is in doubt
	Lost    policy.Decision // when no rule holds and nothing is
	Zone    *time.Location  // where hour and weekday are read
}

// Ruling is a rule of the layers and what it decides there.
type Ruling struct {
	Rule     *rules.Rule
	Decision policy.Decision
}

// Effective returns the rules that can hold for a merchant's payments at a provider. Either
// name may be one that nothing is known of.
func (e *Engine) Effective(provider, merchant string) Effective {
	b := e.ruleTable(&policy.Payment{Provider: provider, Merchant: merchant})
	entries := b.view().entries
	eff := Effective{None: b.none, Lost: b.lost, Zone: b.zone, Rulings: make([]Ruling, len(entries))}
	for i, en := range entries {
		eff.Rulings[i] = Ruling{en.rule, en.decision}
	}
	return eff
}

// Holds reports whether a rule's condition holds in a situation, whatever comes before it.
func (e *Engine) Holds(r *rules.Rule, s *policy.Situation) bool {
	b := e.ruleTable(s.Payment)
	for _, en := range b.view().entries {
		if en.rule == r {
			f := onlyRule(s, b.zone, r.ID)
			return en.candidate(s, b.zone) && en.node.holds(&f) && f.err == nil // one that failed does not hold
		}
	}
	return false
}

// Condition is a rule's condition as it was understood. It is not to be written to; nil for
// a rule of another engine.
func (e *Engine) Condition(r *rules.Rule) ast.Node {
	if k := e.conditions[r]; k != nil {
		return k.tree.Node
	}
	return nil
}

// Words lists the values of a variable that has a closed set of them; nil for any other.
func Words(variable string) []string { return variables[variable].words }

// Try evaluates a part of a condition that looks at one text variable only, for each of the
// given values.
func Try(part ast.Node, variable string, values []string) ([]bool, error) {
	compiled, err := leafProgram(part)
	if err != nil {
		return nil, err
	}
	field := -1
	t := reflect.TypeFor[env]()
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("expr") == variable {
			field = i
		}
	}
	out := make([]bool, len(values))
	for i, v := range values {
		vars := sample()
		reflect.ValueOf(&vars).Elem().Field(field).SetString(v)
		if out[i], err = run(compiled, vars); err != nil {
			return nil, err
		}
	}
	return out, nil
}

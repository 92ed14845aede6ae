package ruletest

import (
	"testing"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// A condition that is parsed and written back means the same.
func TestConditionsAreWrittenBack(t *testing.T) {
	for text, want := range map[string]string{
		`a`:                                 `a`,
		`not a and (b or !c)`:               `!a && ((b) || (!c))`,
		`a == 1 && b in ["x", "y"] || !(c)`: `((a == 1) && (b in ["x", "y"])) || (!c)`,
		`!(a && b)`:                         `!((a) && (b))`,
		`!(code == "1") && f < 3`:           `(!(code == "1")) && (f < 3)`,
		`elapsed > duration("2h")`:          `elapsed > duration("2h")`,
	} {
		c, ok := parse(text)
		if !ok {
			t.Errorf("%s cannot be taken apart", text)
			continue
		}
		one, err := parser.Parse(c.String())
		two, err2 := parser.Parse(want)
		if err != nil || err2 != nil || ast.Dump(one.Node) != ast.Dump(two.Node) {
			t.Errorf("%s is written as %s, want as %s (%v, %v)", text, c, want, err, err2)
		}
	}
	if _, ok := parse("a &&"); ok {
		t.Error("half a condition is taken apart")
	}
}

package arrows

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
)

// checkNoClock refuses calls of the time package that read the clock or wait.
func checkNoClock(t *testing.T, file string) {
	t.Helper()
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" {
			switch sel.Sel.Name {
			case "Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "AfterFunc":
				t.Errorf("%s: time.%s in the core, which has no clock", set.Position(sel.Pos()), sel.Sel.Name)
			}
		}
		return true
	})
}

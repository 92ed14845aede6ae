package condition

import (
	"testing"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

func splitText(t *testing.T, text string) *Tree {
	t.Helper()
	tree, err := parser.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return Split(tree.Node)
}

func TestSplitFlattensOperandsAndNumbersLeaves(t *testing.T) {
	tree := splitText(t, `a && (b and not (c || d or e)) && f`)
	if tree.Op != And || len(tree.Parts) != 4 {
		t.Fatalf("%d parts joined by %d, want 4 joined by And", len(tree.Parts), tree.Op)
	}
	if or := tree.Parts[2].Parts[0]; or.Op != Or || len(or.Parts) != 3 {
		t.Errorf("the or has %d parts, want 3", len(or.Parts))
	}
	for i, leaf := range tree.Leaves() {
		if want := string(rune('a' + i)); leaf.Text != want || leaf.Index != i {
			t.Errorf("leaf %d is %s with index %d, want %s", i, leaf.Text, leaf.Index, want)
		}
	}
}

// Eval with Maybe is the value that both completions agree on.
func TestEvalAgreesWithEveryCompletion(t *testing.T) {
	for _, text := range []string{`a && b`, `a || b`, `!a`, `!(a && !b) || c`, `(a || b) && !(c || a)`, `not (a and b and c)`} {
		tree := splitText(t, text)
		for code := range 27 {
			values := []Truth{Truth(code%3 - 1), Truth(code/3%3 - 1), Truth(code/9 - 1)}
			byName := func(leaf *Tree) Truth { return values[leaf.Text[0]-'a'] }
			got := tree.Eval(byName)
			for full := range 8 {
				fits := true
				var settled [3]Truth
				for i := range settled {
					settled[i] = TruthOf(full>>i&1 == 1)
					fits = fits && (values[i] == Maybe || values[i] == settled[i])
				}
				if !fits {
					continue
				}
				if want := tree.Eval(func(leaf *Tree) Truth { return settled[leaf.Text[0]-'a'] }); got != Maybe && got != want {
					t.Errorf("%s is %d with %v, and %d with %v", text, got, values, want, settled)
				}
			}
		}
	}
}

func TestReplaceWritesTheRest(t *testing.T) {
	tree := splitText(t, `a && !b && (c == 1 || d)`)
	b := tree.Parts[1]
	for _, test := range []struct {
		got  *Tree
		want string
	}{
		{tree.Replace(nil, nil), `a && (!b) && ((c == 1) || d)`},
		{tree.Replace(b, nil), `a && ((c == 1) || d)`},
		{tree.Replace(b, &Tree{Text: "x > 2"}), `a && (x > 2) && ((c == 1) || d)`},
	} {
		if test.got.String() != test.want {
			t.Errorf("got %s, want %s", test.got, test.want)
		}
	}
	if got := tree.Replace(tree, nil); got != nil {
		t.Errorf("got %s, want nil", got)
	}
}

func TestBeginAndFixedDuration(t *testing.T) {
	tree := splitText(t, `x && elapsed > duration("2h")`)
	leaf := tree.Parts[1].Node
	if at := Begin(leaf); at != 5 {
		t.Errorf("begins at %d, want 5", at)
	}
	if d, ok := FixedDuration(leaf.(*ast.BinaryNode).Right); !ok || d.Hours() != 2 {
		t.Errorf("got %s, %t, want 2h", d, ok)
	}
	if _, ok := FixedDuration(leaf); ok {
		t.Error("a comparison is no duration")
	}
}

// What is shown of a condition is what was written, also where expr's own text leaves brackets out within an if.
func TestWrittenReadsBack(t *testing.T) {
	for _, text := range []string{
		`(a + b)[0:1] == "x"`,
		`a ? (b + c)[:n] : d`,
		`if a { (b + c)[:n] } else { d }`,
		`if !(a != a) { trim('x' + "G" | upper(), "4" + b) not contains ("G" + c)[:n] } else { c in d }`,
		`(if a { (b + c)[:n] } else { d }) == "x"`,
	} {
		tree, err := parser.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if shown, ok := Written(tree.Node); !ok {
			t.Errorf("%s is shown as %s", text, shown)
		}
	}
}

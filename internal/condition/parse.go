package condition

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/parser/lexer"
)

// The bounds of a condition. expr's parser calls itself for every bracket and every sign, and
// a stack that overflows ends the process: so the text is measured before it is parsed.
const (
	MaxLength = 32 << 10 // characters
	MaxDepth  = 64       // brackets within brackets
	MaxNodes  = 1000     // values, names and operators

	maxTokens = 4 * MaxNodes // no condition of so few nodes has more, but for needless brackets
	maxSigns  = 64           // one sign after another, such as !!x
)

// Parse reads a condition, if it keeps within the bounds. An error has its place in the text,
// as a [file.Error].
func Parse(text string) (ast.Node, error) {
	if n := utf8.RuneCountInString(text); n > MaxLength {
		return nil, mistake(MaxLength, "the condition has %d characters; at most %d are allowed: split it into several rules", n, MaxLength)
	}
	if i := strings.IndexRune(text, utf8.RuneError); i >= 0 && !utf8.ValidString(text) {
		return nil, mistake(utf8.RuneCountInString(text[:i]), "the condition is no text in UTF-8 from here on")
	}
	if err := measure(text); err != nil {
		return nil, err
	}
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, err
	}
	if beyond := beyondNodes(tree.Node); beyond != nil {
		return nil, mistake(beyond.Location().From, "the condition has more than %d values, names and operators: split it into several rules", MaxNodes)
	}
	return tree.Node, nil
}

func mistake(at int, format string, args ...any) error {
	return &file.Error{Location: file.Location{From: at, To: at}, Message: fmt.Sprintf(format, args...)}
}

// measure counts brackets and tokens without calling itself.
func measure(text string) error {
	l := lexer.New()
	l.Reset(file.NewSource(text))
	depth, tokens, signs := 0, 0, 0
	for {
		t, err := l.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if tokens++; tokens > maxTokens {
			return mistake(t.From, "the condition has more than %d words and signs: split it into several rules", maxTokens)
		}
		if t.Is(lexer.Number) && tooLarge(t.Value) {
			return mistake(t.From, "%s is too large; the largest number is %d", t.Value, math.MaxInt64)
		}
		if isSign(t) {
			signs++
		} else {
			signs = 0
		}
		switch {
		case signs > maxSigns:
			return mistake(t.From, "more than %d signs stand one after another", maxSigns)
		case t.Is(lexer.Bracket, "(") || t.Is(lexer.Bracket, "[") || t.Is(lexer.Bracket, "{"):
			if depth++; depth > MaxDepth {
				return mistake(t.From, "brackets stand more than %d deep", MaxDepth)
			}
		case t.Is(lexer.Bracket):
			depth--
		}
	}
}

// isSign reports whether a token can stand before a value many times over.
func isSign(t lexer.Token) bool {
	return t.Is(lexer.Operator, "!") || t.Is(lexer.Operator, "not") || t.Is(lexer.Operator, "-") || t.Is(lexer.Operator, "+")
}

// tooLarge reports whether a number has too many digits; expr says so at another place.
func tooLarge(number string) bool {
	_, err := strconv.ParseInt(number, 0, 64)
	return errors.Is(err, strconv.ErrRange)
}

// beyondNodes is the first node beyond the bound; nil when there is none. It stops there: in
// "1 < x < 2" the parser has x twice, so a text of x in x in x has 2^n nodes.
func beyondNodes(n ast.Node) (beyond ast.Node) {
	defer func() {
		if stopped := recover(); stopped != nil {
			beyond = stopped.(*counter).beyond
		}
	}()
	ast.Walk(&n, new(counter))
	return nil
}

// counter counts nodes.
type counter struct {
	nodes  int
	beyond ast.Node
}

// Visit is called for every node. A walk has no other way to end it.
func (c *counter) Visit(n *ast.Node) {
	if c.nodes++; c.nodes > MaxNodes {
		c.beyond = *n
		panic(c)
	}
}

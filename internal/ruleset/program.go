package ruleset

import (
	"math"
	mathbits "math/bits"
	"reflect"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// program compiles a condition. It is the only way to one, so that a condition means the same
// wherever it is evaluated.
func program(text string) (*vm.Program, error) {
	o := options()
	if strings.ContainsAny(text, "+-*") {
		o = append(o, arithmetic()...) // which takes expr several times as long to compile
	}
	return expr.Compile(text, o...)
}

func options() []expr.Option {
	o := []expr.Option{
		expr.Env(sample()), expr.AsBool(), expr.WarnOnAny(), expr.DisableAllBuiltins(),
		expr.MaxNodes(0), // condition.Parse has counted
	}
	for _, b := range builtins {
		o = append(o, expr.EnableBuiltin(b))
	}
	return o
}

// arithmetic has sums, differences and products without overflow.
func arithmetic() []expr.Option {
	return []expr.Option{
		expr.Function("sum", sum, new(func(int, int) int), new(func(time.Duration, time.Duration) time.Duration)),
		expr.Function("difference", difference, new(func(int, int) int), new(func(time.Duration, time.Duration) time.Duration)),
		expr.Function("product", product, new(func(int, int) int), new(func(int, time.Duration) time.Duration), new(func(time.Duration, int) time.Duration)),
		expr.Patch(opposite{}),
		expr.Operator("+", "sum"), expr.Operator("-", "difference"), expr.Operator("*", "product"),
	}
}

// opposite writes -x as 0 - x, which has no overflow.
type opposite struct{}

// Visit is called for every node.
func (opposite) Visit(node *ast.Node) {
	u, ok := (*node).(*ast.UnaryNode)
	if !ok || u.Operator != "-" {
		return
	}
	if _, fixed := u.Node.(*ast.IntegerNode); !fixed && u.Node.Type() == reflect.TypeFor[int]() {
		ast.Patch(node, &ast.BinaryNode{Operator: "-", Left: &ast.IntegerNode{}, Right: u.Node})
	}
}

func sum(v ...any) (any, error) {
	if d, ok := v[0].(time.Duration); ok {
		return time.Duration(add(int64(d), int64(v[1].(time.Duration)))), nil
	}
	return int(add(int64(v[0].(int)), int64(v[1].(int)))), nil
}

func difference(v ...any) (any, error) {
	if d, ok := v[0].(time.Duration); ok {
		return time.Duration(subtract(int64(d), int64(v[1].(time.Duration)))), nil
	}
	return int(subtract(int64(v[0].(int)), int64(v[1].(int)))), nil
}

func product(v ...any) (any, error) {
	x, dx := whole(v[0])
	y, dy := whole(v[1])
	if dx || dy {
		return time.Duration(multiply(x, y)), nil
	}
	return int(multiply(x, y)), nil
}

func whole(v any) (n int64, isDuration bool) {
	if d, ok := v.(time.Duration); ok {
		return int64(d), true
	}
	return int64(v.(int)), false
}

// add, subtract and multiply stop at the least and the greatest number, where Go's own would
// begin at the other end: a sum that is too large is still larger than every limit.
func add(x, y int64) int64 {
	if s := x + y; (s > x) == (y > 0) {
		return s
	}
	return bound(y < 0)
}

func subtract(x, y int64) int64 {
	if d := x - y; (d < x) == (y > 0) {
		return d
	}
	return bound(y > 0)
}

func multiply(x, y int64) int64 {
	negative := (x < 0) != (y < 0)
	hi, lo := mathbits.Mul64(magnitude(x), magnitude(y))
	switch {
	case hi == 0 && lo <= math.MaxInt64:
		if negative {
			return -int64(lo)
		}
		return int64(lo)
	default:
		return bound(negative)
	}
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

func bound(least bool) int64 {
	if least {
		return math.MinInt64
	}
	return math.MaxInt64
}

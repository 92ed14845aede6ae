package ruleset

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/vm"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
)

// node is a part of a condition in the form in which it is tried. It is evaluated by plain
// function calls, so that nothing of a decision is put on the heap.
type node struct {
	op    opcode
	not   bool     // the opposite of what op says
	of    accessor // of a comparison with fixed values
	lo    int64    // the least and the greatest number
	hi    int64
	words words
	text  string
	parts []node
	more  *operands
}

// opcode is how a node is evaluated.
type opcode int8

const (
	opTrue     opcode = iota
	opAll             // every part holds
	opAny             // some part holds
	opSame            // the two parts come to the same
	opIf              // the first part says which of the others
	opWords           // the variable has one of the words
	opRange           // the number lies between lo and hi
	opEqual           // the text is the one
	opListed          // the text is listed
	opNumbers         // the number is listed
	opHasTag          // the payment has the tag
	opPrefix          // text x begins with y
	opSuffix          // text x ends with y
	opContains        // text x has y in it
	opMatches         // text x matches the pattern
	opOrder           // numbers, compared
	opTexts           // texts, compared
	opProgram         // on expr's virtual machine
)

// accessor is where a text or a number of a situation stands: a variable, or one tag.
type accessor struct {
	variable condition.Variable
	tag      string
}

// operands are what seldom nodes compare.
type operands struct {
	listed   map[string]struct{}
	numbers  []int64
	pattern  *regexp.Regexp
	program  *vm.Program
	relation string
	x, y     *textual
	n, m     *numeric
}

// frame is one situation, while conditions are tried against it.
type frame struct {
	s     *policy.Situation
	zone  *time.Location
	words words
	hour  int8     // -1: not asked for yet
	code  uint32   // the hash of the code; 0: not asked for yet
	ids   []string // of the rules
	rule  int32    // the one that is tried
	err   error
}

func newFrame(s *policy.Situation, zone *time.Location) frame {
	return frame{s: s, zone: zone, words: wordsOf(s), hour: -1}
}

// onlyRule is a frame to try one rule in, or a part of it.
func onlyRule(s *policy.Situation, zone *time.Location, id string) frame {
	f := newFrame(s, zone)
	f.words = f.words.or(wordAt(condition.Weekday, condition.Word(condition.Weekday, s, zone)))
	f.ids = []string{id}
	return f
}

func (f *frame) fired() int { return f.s.Fired.Of(f.ids[f.rule]) }

// number reads a variable. The hour is worked out once, because it takes the zone.
func (f *frame) number(v condition.Variable) int64 {
	switch v {
	case condition.Attempt:
		return int64(f.s.Attempt)
	case condition.Amount:
		return f.s.Payment.Amount
	case condition.Fired:
		return int64(f.fired())
	case condition.Hour:
		if f.hour < 0 {
			f.hour = int8(condition.Number(v, f.s, 0, f.zone))
		}
		return int64(f.hour)
	default:
		return condition.Number(v, f.s, 0, f.zone)
	}
}

// text reads a variable or a tag; one that is absent is empty.
func (f *frame) text(a *accessor) string {
	switch a.variable {
	case condition.Code:
		return f.s.Answer.Code
	case condition.Tags:
		return f.s.Payment.Tags[a.tag]
	default:
		return condition.Text(a.variable, f.s)
	}
}

// hashed is a text with its hash. That of the code is asked for by most layers.
func (f *frame) hashed(a *accessor) (text string, hash uint32) {
	text = f.text(a)
	if a.variable != condition.Code {
		return text, hashOf(text)
	}
	if f.code == 0 {
		f.code = hashOf(text)
	}
	return text, f.code
}

// holds reports whether a node holds. Where its program failed, that is said in f.err.
func (n *node) holds(f *frame) bool {
	switch n.op {
	case opTrue:
		return !n.not
	case opAll:
		for i := range n.parts {
			if !n.parts[i].holds(f) {
				return n.not
			}
		}
		return !n.not
	case opAny:
		for i := range n.parts {
			if n.parts[i].holds(f) {
				return !n.not
			}
		}
		return n.not
	case opWords:
		return n.words.shares(f.words) != n.not
	case opRange:
		v := f.number(n.of.variable)
		return (n.lo <= v && v <= n.hi) != n.not
	case opEqual:
		return (f.text(&n.of) == n.text) != n.not
	case opSame:
		return (n.parts[0].holds(f) == n.parts[1].holds(f)) != n.not
	case opIf:
		if n.parts[0].holds(f) {
			return n.parts[1].holds(f) != n.not
		}
		return n.parts[2].holds(f) != n.not
	default:
		return n.compares(f) != n.not
	}
}

// compares tries the nodes with operands of their own.
func (n *node) compares(f *frame) bool {
	o := n.more
	switch n.op {
	case opListed:
		_, found := o.listed[o.x.value(f)]
		return found
	case opNumbers:
		return slices.Contains(o.numbers, o.n.value(f))
	case opHasTag:
		_, found := f.s.Payment.Tags[o.x.value(f)]
		return found
	case opPrefix:
		return strings.HasPrefix(o.x.value(f), o.y.value(f))
	case opSuffix:
		return strings.HasSuffix(o.x.value(f), o.y.value(f))
	case opContains:
		return strings.Contains(o.x.value(f), o.y.value(f))
	case opMatches:
		return o.pattern.MatchString(o.x.value(f))
	case opOrder:
		x, y := o.n.value(f), o.m.value(f)
		return related(o.relation, x < y, x == y)
	case opTexts:
		x, y := o.x.value(f), o.y.value(f)
		return related(o.relation, x < y, x == y)
	default:
		return n.run(f)
	}
}

// related is a relation between two values of which one is less, or both are equal.
func related(relation string, less, equal bool) bool {
	switch relation {
	case "<":
		return less
	case "<=":
		return less || equal
	case ">":
		return !less && !equal
	case ">=":
		return !less
	case "==":
		return equal
	default:
		return !equal
	}
}

// run tries a program.
func (n *node) run(f *frame) bool {
	held, err := run(n.more.program, makeEnv(f.s, f.fired(), f.zone))
	if err != nil && f.err == nil {
		f.err = err
	}
	return held
}

// numeric is a number or a duration that is worked out.
type numeric struct {
	op       arithmeticOp
	variable condition.Variable
	fixed    int64
	x, y     *numeric
	text     *textual
	cond     *node // which of x and y
}

type arithmeticOp int8

const (
	numberFixed arithmeticOp = iota
	numberVariable
	numberSum
	numberDifference
	numberProduct
	numberLength
	numberTags
	numberIf
)

func (n *numeric) value(f *frame) int64 {
	switch n.op {
	case numberFixed:
		return n.fixed
	case numberVariable:
		return f.number(n.variable)
	case numberSum:
		return add(n.x.value(f), n.y.value(f))
	case numberDifference:
		return subtract(n.x.value(f), n.y.value(f))
	case numberProduct:
		return multiply(n.x.value(f), n.y.value(f))
	case numberLength:
		return int64(utf8.RuneCountInString(n.text.value(f)))
	case numberTags:
		return int64(len(f.s.Payment.Tags))
	default:
		if n.cond.holds(f) {
			return n.x.value(f)
		}
		return n.y.value(f)
	}
}

// textual is a text that is read.
type textual struct {
	op       textOp
	of       accessor
	fixed    string
	words    []string
	x, y     *textual
	from, to *numeric // nil: from the start, to the end
	cond     *node
}

type textOp int8

const (
	textFixed textOp = iota
	textRead         // of a variable or a tag with a fixed name
	textWord
	textTag
	textSlice
	textIf
)

func (t *textual) value(f *frame) string {
	switch t.op {
	case textFixed:
		return t.fixed
	case textRead:
		return f.text(&t.of)
	case textWord:
		return t.words[condition.Word(t.of.variable, f.s, f.zone)]
	case textTag:
		return f.s.Payment.Tags[t.x.value(f)]
	case textSlice:
		return t.slice(f)
	default:
		if t.cond.holds(f) {
			return t.x.value(f)
		}
		return t.y.value(f)
	}
}

// slice counts bytes, from the end where an index is below zero; what lies outside is left out.
func (t *textual) slice(f *frame) string {
	text := t.x.value(f)
	from, to := int64(0), int64(len(text))
	if t.from != nil {
		from = within(t.from.value(f), to)
	}
	if t.to != nil {
		to = within(t.to.value(f), to)
	}
	if from > to {
		return ""
	}
	return text[from:to]
}

// within is an index that lies in a text.
func within(i, length int64) int64 {
	if i < 0 {
		i += length
	}
	return max(0, min(i, length))
}

// between are the least and the greatest number for which a relation to a fixed one holds; not says
// that it holds for all others, and ok is false where it holds for none.
func between(relation string, fixed int64) (lo, hi int64, not, ok bool) {
	switch relation {
	case "<":
		return math.MinInt64, fixed - 1, false, fixed != math.MinInt64
	case "<=":
		return math.MinInt64, fixed, false, true
	case ">":
		return fixed + 1, math.MaxInt64, false, fixed != math.MaxInt64
	case ">=":
		return fixed, math.MaxInt64, false, true
	case "==":
		return fixed, fixed, false, true
	case "!=":
		return fixed, fixed, true, true
	}
	panic(fmt.Sprintf("no relation: %q", relation))
}

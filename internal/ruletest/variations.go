package ruletest

import (
	"slices"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/advice"
)

// variation sets the numbers, amounts, times and texts of a question.
type variation []func(q *advice.Question)

func (v variation) apply(q *advice.Question) {
	for _, set := range v {
		set(q)
	}
}

// maxVariations bounds the combinations of values that are tried for one answer. If there are
// more, only those are tried that differ in at most two places from the best one.
const maxVariations = 200

// choice holds the values to try for one variable.
type choice struct {
	name   string
	values []func(q *advice.Question)
}

// variations returns combinations of the values. fit counts the comparisons of a variable that
// hold with a value.
func variations(choices []choice, fit func(name string, set func(q *advice.Question)) int) []variation {
	product := 1
	for _, c := range choices {
		product = min(product*len(c.values), maxVariations+1)
	}
	if product <= maxVariations {
		return combinations(choices)
	}
	best := make(variation, len(choices))
	for i, c := range choices {
		most := -1
		for _, set := range c.values {
			if n := fit(c.name, set); n > most {
				most, best[i] = n, set
			}
		}
	}
	return around(best, choices)
}

// combinations returns every combination of the values.
func combinations(choices []choice) []variation {
	all := []variation{nil}
	for _, c := range choices {
		var next []variation
		for _, v := range all {
			for _, set := range c.values {
				next = append(next, append(slices.Clone(v), set))
			}
		}
		all = next
	}
	return all
}

// around returns a variation and all that differ from it in at most two places.
func around(best variation, choices []choice) []variation {
	all := []variation{best}
	for i, a := range choices {
		for _, one := range a.values {
			v := slices.Clone(best)
			v[i] = one
			all = append(all, v)
			for k, b := range choices[i+1:] {
				for _, two := range b.values {
					w := slices.Clone(v)
					w[i+1+k] = two
					all = append(all, w)
				}
			}
		}
	}
	return all
}

// lookedAt collects the variables of conditions and the values that they are compared with.
func lookedAt(conditions []string) *looked {
	l := &looked{numbers: map[string][]int64{}, texts: map[string][]string{}}
	for _, text := range conditions {
		if c, ok := parse(text); ok {
			for _, leaf := range c.Leaves() {
				l.look(leaf.Node)
			}
		}
	}
	return l
}

// looked holds, for each variable of some conditions, the values that it is compared with.
type looked struct {
	numbers map[string][]int64 // by variable; durations in nanoseconds
	texts   map[string][]string
	tags    []string
}

// look adds the variables and the values of a comparison, each variable with each value. That
// gives some values too many and none too few.
func (l *looked) look(n ast.Node) {
	var c comparisonParts
	ast.Walk(&n, &c)
	for _, name := range c.names {
		l.numbers[name] = append(l.numbers[name], c.numbers...)
		l.texts[name] = append(l.texts[name], c.texts...)
		if name == "tags" {
			l.tags = append(l.tags, c.texts...)
		}
	}
}

type comparisonParts struct {
	names   []string
	numbers []int64
	texts   []string
}

// Visit is called for every node.
func (c *comparisonParts) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		c.names = append(c.names, n.Value)
	case *ast.IntegerNode:
		c.numbers = append(c.numbers, int64(n.Value))
	case *ast.StringNode:
		c.texts = append(c.texts, n.Value)
		if d, err := time.ParseDuration(n.Value); err == nil {
			c.numbers = append(c.numbers, int64(d))
		}
	}
}

// choices returns the values to try for each variable of the conditions.
func (l *looked) choices(rule string) []choice {
	var all []choice
	add := func(name string, one int64, set func(q *advice.Question, n int64)) {
		if _, looks := l.numbers[name]; !looks {
			return
		}
		var choices []func(*advice.Question)
		for _, n := range near(l.numbers[name], one) {
			choices = append(choices, func(q *advice.Question) { set(q, n) })
		}
		all = append(all, choice{name, choices})
	}
	add("fired", 1, func(q *advice.Question, n int64) { q.Fired = map[string]int{rule: int(n)} })
	add("attempt", 1, func(q *advice.Question, n int64) { q.Attempt = int(n) })
	add("queries", 1, func(q *advice.Question, n int64) { q.Queries = int(n) })
	add("elapsed", int64(time.Second), func(q *advice.Question, n int64) { q.ElapsedMS = n / int64(time.Millisecond) })
	add("retry_after", int64(time.Second), func(q *advice.Question, n int64) { q.RetryAfterMS = n / int64(time.Millisecond) })
	add("amount", 1, func(q *advice.Question, n int64) { q.Amount = n })
	add("http_status", 1, func(q *advice.Question, n int64) { q.HTTPStatus = int(n) })
	add("hour", 1, func(q *advice.Question, n int64) {
		q.At = time.Date(q.At.Year(), q.At.Month(), q.At.Day(), int(min(n, 23)), 0, 0, 0, q.At.Location())
	})
	text := func(name string, set func(q *advice.Question, s string)) {
		if _, looks := l.texts[name]; !looks {
			return
		}
		choices := []func(*advice.Question){func(*advice.Question) {}}
		for _, s := range l.texts[name] {
			choices = append(choices, func(q *advice.Question) { set(q, s) })
		}
		all = append(all, choice{name, choices})
	}
	text("currency", func(q *advice.Question, s string) { q.Currency = s })
	text("message", func(q *advice.Question, s string) { q.Message = s })
	text("tags", func(q *advice.Question, s string) {
		q.Tags = map[string]string{}
		for _, key := range l.tags {
			q.Tags[key] = s
		}
	})
	if _, looks := l.texts["weekday"]; looks {
		var choices []func(*advice.Question)
		for day := range 7 {
			choices = append(choices, func(q *advice.Question) { q.At = q.At.AddDate(0, 0, day) })
		}
		all = append(all, choice{"weekday", choices})
	}
	return all
}

// near returns 0, the given numbers and their neighbours, without negative ones.
func near(numbers []int64, one int64) []int64 {
	all := []int64{0}
	for _, n := range numbers {
		all = append(all, n-one, n, n+one)
	}
	slices.Sort(all)
	return slices.Compact(slices.DeleteFunc(all, func(n int64) bool { return n < 0 }))
}

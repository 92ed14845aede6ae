package ruletest

import (
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// Result is the result of a test. The test passed when there are no failures.
type Result struct {
	Case     *Case
	Failures []Failure

	advice *advice.Advice // the decision to explain; nil: there was none
	trace  *trace         // of a flow
}

// Passed reports whether every expectation was met.
func (r *Result) Passed() bool { return len(r.Failures) == 0 }

// Failure is one expectation that was not met.
type Failure struct {
	What string // action, rule, expect, …; script: the flow did what the script has no line for
	Want string
	Got  string
	Pos  policy.Position

	value source.Value // the value that an Edit replaces
	write string       // the replacement as TOML; empty: it cannot be replaced
	list  *list        // the replacement of the items of an array
}

// Run runs a test against rules. They need not be the rules that it was read with.
func (c *Case) Run(e *ruleset.Engine) Result {
	if c.story != nil {
		return c.runStory(e)
	}
	return c.runDecision(e)
}

func (c *Case) runDecision(e *ruleset.Engine) Result {
	r := Result{Case: c}
	a, err := advice.Ask(e, c.question)
	if err != nil {
		r.Failures = append(r.Failures, Failure{What: "given", Got: err.Error(), Pos: c.pos})
		return r
	}
	r.advice = a
	for i := range c.expected {
		x := &c.expected[i]
		if g := got(x.key, a); !x.meets(g) {
			r.Failures = append(r.Failures, c.failure(x, g))
		}
	}
	return r
}

// failure describes an expectation that was not met.
func (c *Case) failure(x *expected, got string) Failure {
	f := Failure{What: x.key, Want: x.want, Got: got, Pos: c.pos}
	if x.given {
		f.Pos, f.value, f.write = x.value.Pos(), x.value, quote(got)
		if _, isBool := x.value.Any().(bool); isBool {
			f.write = got
		}
	}
	return f
}

func (c *Case) runStory(e *ruleset.Engine) Result {
	s := c.story
	t := s.run(e, false)
	r := Result{Case: c, trace: t}
	explain := len(t.decided) - 1
	switch ok, i, at := match(s.expect, t.events); {
	case t.problem != "":
		r.Failures = append(r.Failures, Failure{What: "script", Got: t.problem, Pos: t.at})
	case !ok:
		f := Failure{What: "expect", Want: wanted(s, i), Got: eventAt(t.events, at), Pos: s.expectValue.Pos()}
		if i < len(s.expect) {
			f.Pos = s.expect[i].pos
		}
		f.value, f.write, f.list = s.expectValue, listed(t.events, plain(s)), &list{quotedEvents(t.events, plain(s)), func(old, i int) bool {
			m := &s.expect[old]
			return m.times == 1 && m.event != anything && m.fits(&t.events[i])
		}}
		r.Failures = append(r.Failures, f)
		if at < len(t.events) {
			explain = t.events[at].by
		}
	}
	if m := broken(s.never, t.events); m != nil {
		r.Failures = append(r.Failures, Failure{What: "never", Want: "never " + m.text, Got: listed(t.events, true), Pos: m.pos})
	}
	if t.problem == "" {
		explain = r.decisions(c, t, explain)
	}
	r.advice = t.adviceAt(explain)
	return r
}

// plain reports whether a story says nothing of waits.
func plain(s *story) bool {
	return !slices.ContainsFunc(s.expect, func(m mark) bool { return m.in >= 0 })
}

func wanted(s *story, i int) string {
	if i < len(s.expect) {
		return s.expect[i].text
	}
	return "the end"
}

func eventAt(events []flowEvent, i int) string {
	if i < len(events) {
		return events[i].String()
	}
	return "the end"
}

// decisions compares a story's decisions with what was expected. It returns the index of the
// decision that explains the first difference.
func (r *Result) decisions(c *Case, t *trace, explain int) int {
	for i := range c.expected {
		x := &c.expected[i]
		g, at := t.summary(x.key)
		if x.key == "rules" && followedAs(x.want, g) || x.key != "rules" && x.meets(g) {
			continue
		}
		f := c.failure(x, g)
		if x.key == "rules" {
			ids, old := strings.Split(g, ", "), strings.Split(x.want, ", ")
			f.write = quoteAll(ids)
			f.list = &list{quotedAll(ids), func(k, i int) bool { return old[k] == ids[i] }}
		}
		if r.Failures = append(r.Failures, f); len(r.Failures) == 1 && at >= 0 {
			explain = at
		}
	}
	return explain
}

// summary returns what a story's decisions had for a key, and the index of the first decision
// that had it; -1 when there is none.
func (t *trace) summary(key string) (text string, at int) {
	at = -1
	var all []string
	note := func(i int, text string) {
		if text != "" && !contains(all, text) {
			all = append(all, text)
			if at < 0 {
				at = i
			}
		}
	}
	for i := range t.decided {
		d := t.decided[i].decided
		switch key {
		case "interlock":
			note(i, string(d.Verdict.Property))
		case "limit":
			note(i, d.Verdict.Limit)
		case "rules":
			if id := or(d.Decision.Rule); !d.Due && (len(all) == 0 || all[len(all)-1] != id) {
				all = append(all, id)
			}
		}
	}
	if key == "reason" {
		return t.reason, -1
	}
	return or(strings.Join(all, ", ")), at
}

// followedAs compares the rules of a story with the expected ones. A rule that was followed
// several times in a row counts once.
func followedAs(want, got string) bool {
	var marks []mark
	var rules []flowEvent
	for _, id := range strings.Split(want, ", ") {
		marks = append(marks, mark{event: event(id), in: -1, times: 1})
	}
	for _, id := range strings.Split(got, ", ") {
		rules = append(rules, flowEvent{event: event(id)})
	}
	ok, _, _ := match(marks, rules)
	return ok
}

// adviceAt returns the last decision up to index i that rules made; nil when there is none.
func (t *trace) adviceAt(i int) *advice.Advice {
	for ; i >= 0 && i < len(t.decided); i-- {
		if d := &t.decided[i]; d.situation != nil {
			return &advice.Advice{Situation: *d.situation, Decided: *d.decided}
		}
	}
	return nil
}

// situations visits every situation that rules decided in a test, with the rule that decided.
func (c *Case) situations(e *ruleset.Engine, visit func(*policy.Situation, string)) {
	if c.story == nil {
		if a, err := advice.Ask(e, c.question); err == nil {
			visit(&a.Situation, a.Decided.Decision.Rule)
		}
		return
	}
	t := c.story.run(e, false)
	for i := range t.decided {
		if d := &t.decided[i]; d.situation != nil {
			visit(d.situation, d.decided.Decision.Rule)
		}
	}
}

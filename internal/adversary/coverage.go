package adversary

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Coverage counts what was played and drawn.
type Coverage struct {
	Events      map[string]int // by the flow's events, with the phase and the fact of their answers
	Actions     map[string]int // what the flow did
	Corrections map[string]int // by the action that the rules wanted and the property that forbids it
	Language    map[string]int // rules that were drawn, by the variables and functions that they use
	Situations  map[string]int // by effect and class, as the rules saw them

	claimed int // decisions about an answer that disputes, or names another amount, after a person's word
	earlier int // answers that name an earlier request of the order

	events     [8]int
	actions    [16]int
	situations [4][64]int
}

func newCoverage() *Coverage {
	return &Coverage{
		Events: map[string]int{}, Actions: map[string]int{}, Corrections: map[string]int{}, Language: map[string]int{}, Situations: map[string]int{},
	}
}

var eventNames = [...]string{"start", "answer", "query", "webhook", "due", "resume", "resolve", "withdraw"}

func (c *Coverage) event(e flow.Event) {
	switch e.(type) {
	case flow.Start:
		c.events[0]++
	case flow.Answered:
		c.events[1]++
	case flow.Queried:
		c.events[2]++
	case flow.Received:
		c.events[3]++
	case flow.Due:
		c.events[4]++
	case flow.Resumed:
		c.events[5]++
	case flow.Resolved:
		c.events[6]++
	case flow.Withdrawn:
		c.events[7]++
	}
}

func (c *Coverage) decided(d *flow.Decided) {
	c.actions[d.Verdict.Action]++
	c.situations[d.Fact.Effect][d.Fact.Class]++
	if d.Verdict.Property != "" && !d.Due {
		c.Corrections[d.Decision.Action.String()+", "+string(d.Verdict.Property)]++
	}
}

// flush names what was counted by number.
func (c *Coverage) flush() {
	for name, n := range map[string]int{"claim after a person's word": c.claimed, "names an earlier request": c.earlier} {
		if n > 0 {
			c.Events[name] += n
		}
	}
	c.claimed, c.earlier = 0, 0
	for i, n := range c.events {
		if n > 0 {
			c.Events[eventNames[i]] += n
		}
	}
	for i, n := range c.actions {
		if n > 0 {
			c.Actions[policy.Action(i).String()] += n
		}
	}
	for e := range c.situations {
		for k, n := range c.situations[e] {
			if n > 0 {
				c.Situations[policy.Effect(e).String()+", "+policy.Class(k).String()] += n
			}
		}
	}
	c.events, c.actions, c.situations = [8]int{}, [16]int{}, [4][64]int{}
}

// add joins two counts.
func (c *Coverage) add(o *Coverage) {
	o.flush()
	for _, pair := range [][2]map[string]int{
		{c.Events, o.Events}, {c.Actions, o.Actions}, {c.Corrections, o.Corrections}, {c.Language, o.Language}, {c.Situations, o.Situations},
	} {
		for k, n := range pair[1] {
			pair[0][k] += n
		}
	}
}

// String lists the counts, a line for each kind.
func (c *Coverage) String() string {
	var b strings.Builder
	for _, kind := range []struct {
		name string
		of   map[string]int
	}{{"events", c.Events}, {"actions", c.Actions}, {"corrections", c.Corrections}, {"language", c.Language}, {"situations", c.Situations}} {
		fmt.Fprintf(&b, "%s (%d):", kind.name, len(kind.of))
		for i, k := range slices.Sorted(maps.Keys(kind.of)) {
			if i > 0 {
				b.WriteString(";")
			}
			fmt.Fprintf(&b, " %s %d", k, kind.of[k])
		}
		b.WriteString("\n")
	}
	return b.String()
}

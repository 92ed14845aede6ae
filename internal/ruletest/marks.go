package ruletest

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// event is something that a flow did, by name.
type event string

// The events, as they are written.
const (
	sends     event = "send"
	asks      event = "query"
	alerts    event = "alert"
	succeeds  event = "succeeded"
	fails     event = "failed"
	escalates event = "escalated"
	isOpen    event = "open"
	anything  event = "..."
)

var events = []string{string(sends), string(asks), string(alerts), string(succeeds), string(fails), string(escalates), string(isOpen), string(anything)}

// The ways of a send.
const (
	sameRequest = "same request"
	newRequest  = "new request"
	newOrder    = "new order"
)

// mark is one expected event: "send new order in 24h", "query x3".
type mark struct {
	event event
	how   string        // of a send; empty: any
	in    time.Duration // how long it was waited for; below 0: not said
	times int           // in a row; always: as many as come
	twice int           // in a list of what never happens: how often is too often
	pos   source.Pos
	text  string
}

// marks reads a list of events.
func (r *reader) marks(f fields, key string, pos source.Pos) []mark {
	v, ok := f[key]
	if !ok {
		r.fail(pos, `%s is missing: what the flow does, such as ["send", "query", "succeeded"]`, key)
		return nil
	}
	items, isList := v.Items()
	if !isList || len(items) == 0 {
		r.fail(v.Pos(), `%s is what the flow does, such as ["send", "query", "succeeded"]`, key)
	}
	var all []mark
	for _, item := range items {
		if text, isText := item.Text(); isText {
			all = append(all, r.mark(placed{text, item.Pos()}))
			continue
		}
		r.fail(item.Pos(), "%s holds %s; every item must be a string", key, item.Kind())
	}
	return all
}

// mark reads "EVENT [same request|new request|new order] [xN|*|twice] [in SPAN]".
func (r *reader) mark(p placed) mark {
	m := mark{in: -1, times: 1, twice: 1, pos: p.pos, text: p.text.Value}
	words, err := split(p.text.Value)
	if err != nil || len(words) == 0 {
		r.fail(p.pos, "an event is missing (there are: %s)", strings.Join(events, ", "))
		return m
	}
	name := strings.TrimSuffix(words[0].text, "*")
	if name != words[0].text {
		m.times = always
	}
	if name == "…" {
		name = string(anything)
	}
	if !contains(events, name) {
		r.unknown(p.pos, "event", name, events)
		return m
	}
	m.event = event(name)
	for i := 1; i < len(words); i++ {
		w := words[i]
		next := ""
		if i+1 < len(words) {
			next = words[i+1].text
		}
		switch pair := w.text + " " + next; {
		case m.event == sends && (pair == sameRequest || pair == newRequest || pair == newOrder):
			m.how = pair
			i++
		case w.text == "in" && next != "":
			if m.in, err = time.ParseDuration(next); err != nil {
				r.fail(p.at(words[i+1].at), "%s is no span of time (write in 10m)", next)
			}
			i++
		case w.text == "*":
			m.times = always
		case w.text == "twice":
			m.times, m.twice = 2, 2
		case strings.HasPrefix(w.text, "x"):
			if m.times, err = strconv.Atoi(w.text[1:]); err != nil || m.times < 1 {
				r.fail(p.at(w.at), "%s is no count (write x3)", w.text)
			}
			m.twice = m.times
		default:
			r.fail(p.at(w.at), "%q does not belong to %s; write such as %q, %q, %q", w.text, name, "send new order in 24h", "query x3", "query*")
			return m
		}
	}
	return m
}

// neverHappening refuses what can never happen, or cannot be said of what never happens.
func (r *reader) neverHappening(never []mark) {
	for _, m := range never {
		switch {
		case m.times == always:
			r.fail(m.pos, "what never happens is named once: %q, or %q for more than once", "send", "send twice")
		case m.event == anything:
			r.fail(m.pos, "%q is no event, so this cannot fail; name what must not happen (there are: %s)", anything, strings.Join(events[:len(events)-1], ", "))
		case m.event == succeeds && m.twice > 1:
			r.fail(m.pos, "a flow succeeds once, so this cannot fail; write %q", succeeds)
		}
	}
}

// fitsAll reports whether marks fit whatever a flow does.
func fitsAll(marks []mark) bool {
	required := func(m mark) bool { return m.event != anything && m.times != always }
	open := func(m mark) bool { return m.event == anything }
	return slices.ContainsFunc(marks, open) && !slices.ContainsFunc(marks, required)
}

// followed reads what is expected of a story's decisions: the rules in their order, the
// reason of the end, and where the interlock or a limit was needed.
func (r *reader) followed(c *Case, f fields, layers rules.Layers) {
	if v, ok := f["rules"]; ok {
		items, isList := v.Items()
		if !isList {
			r.fail(v.Pos(), "rules is %s; it must be an array of rule ids", v.Kind())
		}
		if isList && len(items) == 0 {
			r.fail(v.Pos(), "rules is an empty list; name the rules that decide, %q for no rule, or leave it out", none)
		}
		vacuous := len(items) > 0
		var ids []string
		for _, item := range items {
			id := r.text(fields{"rules": item}, "rules")
			if id != string(anything) {
				r.ruleExists(item.Pos(), id, layers)
				vacuous = false
			}
			ids = append(ids, id)
		}
		if vacuous {
			r.fail(v.Pos(), "%q stands for any rules, so nothing is expected of them; name one, or leave rules out", anything)
		}
		c.expected = append(c.expected, expected{key: "rules", want: strings.Join(ids, ", "), value: v, given: true})
	}
	for _, key := range []string{"reason", "interlock", "limit"} {
		v, ok := f[key]
		if !ok {
			if key == "interlock" {
				c.expected = append(c.expected, expected{key: key, want: none})
			}
			continue
		}
		c.expected = append(c.expected, expected{key: key, want: r.possible(key, r.text(f, key), v, layers), value: v, given: true})
	}
}

// outcomeEvent is the end of a flow as an event.
func outcomeEvent(o policy.Outcome) event { return event(o.String()) }

package traffic

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scenario is where a stub stands among those of one request, which WireMock answers one after the other.
type scenario struct {
	name string
	nth  int // from 1 on; 0: not known
}

// scenarioOf reads the name and the state that a stub needs. WireMock's recorder calls the states Started, NAME-2, NAME-3.
func scenarioOf(name, state string) scenario {
	if state == "Started" {
		return scenario{name, 1}
	}
	n, err := strconv.Atoi(state[strings.LastIndexByte(state, '-')+1:])
	if err != nil {
		n = 0
	}
	return scenario{name, n}
}

// InCallOrder puts stubs into the order in which their calls were made, and reports whether that is known: a Date header is exact to a second
// only. WireMock numbers what it stores so that the last call has the least number. It lists the last call first, or the first one first where
// it has stored them: dates and scenarios show which. oneList says that the stubs stand in one list.
//
// A stub without a date, as that of a call without an answer, gets that of the call before it.
func InCallOrder(calls []*Call, oneList bool) (known bool) {
	numbered := !slices.ContainsFunc(calls, func(c *Call) bool { return c.added == 0 })
	if numbered {
		slices.SortStableFunc(calls, func(a, b *Call) int { return cmp.Compare(b.added, a.added) })
	}
	forward, back := directions(calls)
	known = numbered || oneList && forward != back
	if known && back > forward {
		slices.Reverse(calls)
	}
	if dated := slices.DeleteFunc(slices.Clone(calls), func(c *Call) bool { return c.Received.IsZero() }); len(dated) > 0 {
		last := dated[0].Received
		if !known {
			last = slices.MinFunc(dated, func(a, b *Call) int { return a.Received.Compare(b.Received) }).Received
		}
		for _, c := range calls {
			switch {
			case c.Received.IsZero():
				c.Received = last
			case known:
				last = c.Received
			}
		}
	}
	if known {
		slices.SortStableFunc(calls, func(a, b *Call) int { return a.Received.Compare(b.Received) })
	}
	return known
}

// directions counts what says that a call was made after the one before it, and what says that it was made before it.
func directions(calls []*Call) (forward, back int) {
	var last time.Time
	seen := map[string]int{}
	count := func(c int) {
		switch {
		case c > 0:
			forward++
		case c < 0:
			back++
		}
	}
	for _, c := range calls {
		if !c.Received.IsZero() {
			if !last.IsZero() {
				count(c.Received.Compare(last))
			}
			last = c.Received
		}
		if s := c.scenario; s.nth > 0 {
			if before := seen[s.name]; before > 0 {
				count(s.nth - before)
			}
			seen[s.name] = s.nth
		}
	}
	return forward, back
}

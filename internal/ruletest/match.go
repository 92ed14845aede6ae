package ruletest

import (
	"strings"
	"time"
)

// fits reports whether an event is the expected one.
func (m *mark) fits(h *flowEvent) bool {
	return m.event == h.event && (m.how == "" || m.how == h.how) && (m.in < 0 || m.in == h.in)
}

// match compares the events of a flow with the expected ones. When they differ, atMark and
// atEvent are the first that do not fit, in the longest attempt.
func match(marks []mark, events []flowEvent) (ok bool, atMark, atEvent int) {
	var try func(i, j, used int) bool
	failed := map[[3]int]bool{} // without it, several stars would take exponential time
	try = func(i, j, used int) (ok bool) {
		at := [3]int{i, j, used}
		if failed[at] {
			return false
		}
		defer func() { failed[at] = !ok }()
		if j > atEvent || j == atEvent && i > atMark {
			atMark, atEvent = i, j
		}
		if i == len(marks) {
			return j == len(events)
		}
		m := &marks[i]
		if m.event == anything {
			for k := j; k <= len(events); k++ {
				if try(i+1, k, 0) {
					return true
				}
			}
			return false
		}
		if m.times == always && try(i+1, j, 0) {
			return true
		}
		if j == len(events) || !m.fits(&events[j]) {
			return false
		}
		switch {
		case m.times == always:
			return try(i, j+1, 0)
		case used+1 < m.times:
			return try(i, j+1, used+1)
		}
		return try(i+1, j+1, 0)
	}
	ok = try(0, 0, 0)
	return ok, atMark, atEvent
}

// broken returns the first of the marks that must never happen and did; nil when none did.
func broken(never []mark, events []flowEvent) *mark {
	for i := range never {
		m, count := &never[i], 0
		for k := range events {
			if m.fits(&events[k]) {
				count++
			}
		}
		if count >= m.twice {
			return m
		}
	}
	return nil
}

// String is the event as a test would write it.
func (h *flowEvent) String() string {
	text := string(h.event)
	if h.how != "" {
		text += " " + h.how
	}
	if h.in > 0 && (h.event == sends || h.event == asks) {
		text += " in " + short(h.in)
	}
	return text
}

// short writes a duration without its empty parts: 24h, 1h30m.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// listed writes events as an array of a test. Waits are left out where plain is set.
func listed(events []flowEvent, plain bool) string {
	return "[" + strings.Join(quotedEvents(events, plain), ", ") + "]"
}

func quotedEvents(events []flowEvent, plain bool) []string {
	texts := make([]string, len(events))
	for i := range events {
		h := events[i]
		if plain {
			h.in = 0
		}
		texts[i] = quote(h.String())
	}
	return texts
}

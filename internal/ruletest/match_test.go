package ruletest

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// match agrees with a regular expression in which each event is one letter.
func TestMatchIsARegularExpression(t *testing.T) {
	letters := map[event]string{sends: "s", asks: "q", succeeds: "e", alerts: "a"}
	all := []event{sends, asks, succeeds, alerts}
	rapid.Check(t, func(t *rapid.T) {
		var pattern strings.Builder
		var marks []mark
		for range rapid.IntRange(0, 6).Draw(t, "marks") {
			m := mark{event: rapid.SampledFrom(append(all, anything)).Draw(t, "mark"), in: -1, times: 1}
			letter := letters[m.event]
			if m.event == anything {
				letter = ".*"
			} else if m.times = rapid.SampledFrom([]int{1, 1, 2, 3, always}).Draw(t, "times"); m.times == always {
				letter += "*"
			} else {
				letter = strings.Repeat(letter, m.times)
			}
			pattern.WriteString(letter)
			marks = append(marks, m)
		}
		var text strings.Builder
		var events []flowEvent
		for range rapid.IntRange(0, 8).Draw(t, "events") {
			e := rapid.SampledFrom(all).Draw(t, "event")
			events = append(events, flowEvent{event: e})
			text.WriteString(letters[e])
		}
		want := regexp.MustCompile("^" + pattern.String() + "$").MatchString(text.String())
		got, atMark, atEvent := match(marks, events)
		if got != want || atMark > len(marks) || atEvent > len(events) {
			t.Fatalf("%s against %s: %t, want %t", text.String(), pattern.String(), got, want)
		}
	})
}

// Many marks for any number of events do not take exponential time.
func TestMatchOfManyStars(t *testing.T) {
	var marks []mark
	for range 12 {
		marks = append(marks, mark{event: asks, in: -1, times: always}, mark{event: anything, in: -1, times: 1})
	}
	marks = append(marks, mark{event: succeeds, in: -1, times: 1})
	events := make([]flowEvent, 80)
	for i := range events {
		events[i] = flowEvent{event: asks}
	}
	if ok, _, _ := match(marks, events); ok {
		t.Error("it never succeeded")
	}
}

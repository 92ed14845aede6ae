package flow_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// A room lends memory and changes nothing: the same states and commands come out, and the
// commands of earlier steps stay what they were, until it is cleared.
func TestARoomOnlyLends(t *testing.T) {
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	events := []flow.Event{
		flow.Start{Moment: flow.Moment{At: at}, OrderID: "o-1", RequestID: "r-1"},
		flow.Answered{Moment: flow.Moment{At: at.Add(time.Second)}, Answer: policy.Answer{Code: "10"}},
		flow.Due{Moment: flow.Moment{At: at.Add(2 * time.Minute)}, RequestID: "r-2"},
		flow.Answered{Moment: flow.Moment{At: at.Add(3 * time.Minute)}, Answer: policy.Answer{Code: "1001"}},
	}
	var plain, lent []flow.Command
	var then []string // as each was when it came
	var s flow.State
	room, scratch := new(flow.Room), new(flow.Scratch)
	in := flow.State{Payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Amount: 1000, Currency: "VND"}}
	s.Payment = in.Payment
	room.Furnish(&in)
	for _, e := range events {
		var commands []flow.Command
		var err error
		if s, commands, err = flow.Step(defaults, s, e); err != nil {
			t.Fatal(err)
		}
		plain = append(plain, commands...)
		if commands, err = scratch.Advance(defaults, &in, room, e); err != nil {
			t.Fatal(err)
		}
		for _, c := range commands {
			lent, then = append(lent, c), append(then, written(t, c))
		}
		if got, want := written(t, in), written(t, s); got != want {
			t.Errorf("after %T the state is\n%s, want\n%s", e, got, want)
		}
	}
	if len(lent) != len(plain) || s.Stage != flow.Ended || s.Attempts != 2 {
		t.Fatalf("%d commands and %d; %s after %d sends", len(lent), len(plain), s.Stage, s.Attempts)
	}
	for i, c := range lent {
		if got, want := written(t, c), written(t, plain[i]); got != want || then[i] != want {
			t.Errorf("command %d was %s, is %s, want %s", i, then[i], got, want)
		}
	}
	room.Clear()
	again := flow.State{Payment: in.Payment}
	commands, err := scratch.Advance(defaults, &again, room, events[0])
	if err != nil || commands[len(commands)-1] != lent[1] {
		t.Errorf("a room that was cleared lends %v, %v", commands, err)
	}
}

func written(t *testing.T, what any) string {
	t.Helper()
	text, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

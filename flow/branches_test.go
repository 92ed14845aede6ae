package flow_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// A state may be stepped from more than once, and kept: whatever event follows, also of code that
// is only watched, nothing that was returned before changes.
func TestReturnedStatesAndCommandsNeverChange(t *testing.T) {
	kept := 0
	rapid.Check(t, func(t *rapid.T) {
		d := newDriver(t, func(*policy.Contract) {}).d
		start := flow.State{Payment: policy.Payment{Provider: "any", Operation: policy.Pay, Amount: 1200, Currency: "EUR"}}
		if coin.Draw(t, "room behind") {
			start.Ledger, start.Evidence = make([]flow.Identity, 0, 4), make([]flow.Evidence, 0, 4)
		}
		states := []flow.State{start}
		type snapshot struct {
			value any
			text  string
		}
		var all []snapshot
		keep := func(v any) { all = append(all, snapshot{v, fmt.Sprintf("%T", v) + encode(t, v)}) }
		now := dawn
		for n := range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(longWaits.Draw(t, "later"))
			d.wish, d.sane, d.when = wishes.Draw(t, "wish"), coin.Draw(t, "sane"), schedules.Draw(t, "when")
			from := states[max(0, len(states)-1-rapid.SampledFrom([]int{0, 0, 0, 1, 2, 7}).Draw(t, "from"))]
			at := flow.Moment{At: now, Jitter: 0.5}
			var next flow.State
			switch kind := rapid.IntRange(0, 11).Draw(t, "kind"); {
			case kind == 10:
				next = flow.Sent(d, from, at, "o-0", fmt.Sprint("r-", rapid.IntRange(0, 4).Draw(t, "request")), "")
			case kind == 11 && len(from.Ledger) > 0:
				next = flow.Asked(d, from, at)
			case kind == 9 && len(from.Ledger) > 0:
				answer := drawAnswer(t)
				sit, decided := new(flow.Adviser).Advise(d, &from, &answer, at)
				keep(*sit)
				keep(*decided)
				continue
			default:
				s, commands, err := flow.Step(d, from, drawEvent(t, kind, n, at))
				if err != nil {
					keep(s)
					continue
				}
				next = s
				for _, c := range commands {
					keep(c)
				}
				keep(commands)
			}
			keep(next)
			states = append(states, next)
			for _, s := range all {
				if text := fmt.Sprintf("%T", s.value) + encode(t, s.value); text != s.text {
					t.Fatalf("it was\n%s\nand is\n%s", s.text, text)
				}
			}
		}
		kept += len(all)
	})
	if kept == 0 {
		t.Error("nothing was compared")
	}
}

func drawAnswer(t *rapid.T) policy.Answer {
	a := policy.Answer{
		Code:      rapid.SampledFrom([]string{"executed", "disputed", "failed", "pending", "refused", "duplicate", "unlisted"}).Draw(t, "code"),
		OrderID:   rapid.SampledFrom([]string{"", "o-0", "o-1", "other"}).Draw(t, "order"),
		RequestID: rapid.SampledFrom([]string{"", "r-0", "r-1", "e-0", "other"}).Draw(t, "request"),
		Verified:  coin.Draw(t, "verified"),
	}
	if coin.Draw(t, "named by the provider") {
		a.ProviderID = rapid.SampledFrom([]string{"P-0", "P-1"}).Draw(t, "provider id")
	}
	if coin.Draw(t, "fault") {
		a.Fault = rapid.SampledFrom(policy.All[policy.Fault]()).Draw(t, "which fault")
	}
	return a
}

func drawEvent(t *rapid.T, kind, n int, at flow.Moment) flow.Event {
	switch kind {
	case 1, 2, 3:
		return flow.Answered{Moment: at, Answer: drawAnswer(t)}
	case 4:
		return flow.Queried{Moment: at, Answer: drawAnswer(t)}
	case 5:
		return flow.Received{Moment: at, Answer: drawAnswer(t)}
	case 6:
		return flow.Due{Moment: at, RequestID: fmt.Sprint("r-", n), OrderID: rapid.SampledFrom([]string{"", fmt.Sprint("o-", n)}).Draw(t, "minted")}
	case 7:
		if coin.Draw(t, "withdrawn") {
			return flow.Withdrawn{Moment: at, Why: "left"}
		}
		return flow.Resumed{Moment: at}
	case 8:
		return flow.Resolved{Moment: at, Identity: rapid.IntRange(0, 2).Draw(t, "identity"),
			Effect: rapid.SampledFrom([]policy.Effect{policy.Executed, policy.NotExecuted}).Draw(t, "effect"), Who: "w", Why: "y"}
	}
	e := flow.Start{Moment: at, OrderID: "o-0", RequestID: "r-0"}
	for i := range rapid.IntRange(0, 2).Draw(t, "earlier") {
		e.Earlier = append(e.Earlier, flow.Identity{
			OrderID: "o-0", RequestID: fmt.Sprint("e-", i), Sends: 1, Copies: 1, FirstSent: dawn.Add(-time.Hour),
			Effect: rapid.SampledFrom([]policy.Effect{policy.NotExecuted, policy.NotExecuted, policy.NotExecuted, policy.Executed}).Draw(t, "its effect"),
		})
	}
	return e
}

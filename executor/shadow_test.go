package executor_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

func watch(t *testing.T) *executor.Shadow {
	t.Helper()
	x := open(t, defaults(), executor.Config{})
	s, err := x.Shadow(executor.Request{
		Payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Amount: 120_000, Currency: "VND"}, OrderID: "o-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func answered(c string) executor.Reply {
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: c}}
}

// A team's code follows the table literally after a silence: new request id, new order id.
// The shadow says each time what it would have done, and in the end what it would have
// prevented.
func TestAShadowSeesTheTrap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, s := context.Background(), watch(t)
		silence := context.DeadlineExceeded
		if d := s.Sending(ctx, "o-1", "r-1")(executor.Reply{}, silence); d.Verdict.Action != policy.QueryStatus {
			t.Errorf("after silence: %s", d.Verdict.Action)
		}
		if d := s.Sending(ctx, "o-1", "r-1")(answered("40"), nil); d.Verdict.Action != policy.QueryStatus {
			t.Errorf("after 40: %s", d.Verdict.Action)
		}
		if d := s.Sending(ctx, "o-1", "r-2")(answered("41"), nil); d.Verdict.Action != policy.QueryStatus {
			t.Errorf("after 41: %s", d.Verdict.Action)
		}
		s.Sending(ctx, "o-2", "r-3")(answered("0"), nil)
		said := strings.Join(s.Ended(ctx, policy.Succeeded), "\n")
		for _, want := range []string{"sent as order o-1, request r-2", "sent as order o-2, request r-3", string(flow.S1)} {
			if !strings.Contains(said, want) {
				t.Errorf("no %q in:\n%s", want, said)
			}
		}
	})
}

// Careful code causes no objection.
func TestAShadowOfCarefulCodeIsSilent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, s := context.Background(), watch(t)
		s.Sending(ctx, "o-1", "r-1")(executor.Reply{}, context.DeadlineExceeded)
		if d := s.Querying(ctx)(answered("0"), nil); d.Verdict.Action != policy.MarkSucceeded {
			t.Errorf("found paid: %s", d.Verdict.Action)
		}
		if said := s.Ended(ctx, policy.Succeeded); len(said) > 0 {
			t.Errorf("objections: %q", said)
		}
	})
}

// Marked failed while it may have executed.
func TestAShadowSeesAHastyFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, s := context.Background(), watch(t)
		s.Sending(ctx, "o-1", "r-1")(executor.Reply{}, errors.New("connection reset"))
		said := s.Ended(ctx, policy.Failed)
		if len(said) != 1 || !strings.Contains(said[0], string(flow.S2)) {
			t.Errorf("objections: %q", said)
		}
	})
}

// Whatever the order of calls, a shadow neither panics nor invents.
func TestAShadowTakesAnyOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, s := context.Background(), watch(t)
		s.Querying(ctx)(answered("0"), nil)
		s.Received(ctx, executor.Webhook{Provider: "momo", Verified: true, Answer: &policy.Answer{Code: "0"}})
		first := s.Sending(ctx, "o-1", "r-1")
		second := s.Sending(ctx, "o-1", "r-2")
		second(answered("7000"), nil)
		first(answered("7000"), nil)
		s.Received(ctx, executor.Webhook{Provider: "momo", Verified: true, Answer: &policy.Answer{Code: "0", OrderID: "o-1", RequestID: "r-2"}})
		s.Ended(ctx, policy.Succeeded)
		s.Sending(ctx, "o-1", "r-1")(answered("0"), nil)
		if said := s.Ended(ctx, policy.Failed); len(said) == 0 {
			t.Error("two at once and then a third: nothing to object to?")
		}
	})
}

// Two requests at once, and each answer is of its own request, in whatever order they come.
func TestAShadowKnowsWhichRequestAnAnswerIsOf(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, s := context.Background(), watch(t)
		first := s.Sending(ctx, "o-1", "r-1")
		second := s.Sending(ctx, "o-2", "r-2")
		first(answered("0"), nil)
		second(answered("1001"), nil)
		said := s.Ended(ctx, policy.Succeeded)
		if len(said) != 1 || !strings.Contains(said[0], "sent as order o-2") || !strings.Contains(said[0], string(flow.S1)) {
			t.Errorf("objections: %q", said)
		}
	})
}

// Before anything was sent there is no advice, and that can be shown.
func TestAShadowThatAdvisesNothingCanBeDescribed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := watch(t).Querying(context.Background())(answered("0"), nil)
		if d.Answer != nil || flow.Describe(&d) == "" {
			t.Errorf("advice %+v, described as %q", d, flow.Describe(&d))
		}
	})
}

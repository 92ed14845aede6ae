package policy_test

import (
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// The replay is sent at a time, and may arrive as late as its own deadline: both
// must lie within the window that began with the first copy.
func TestReplaySafe(t *testing.T) {
	promised := policy.Contract{
		Dedupe: []policy.Identifier{policy.RequestID}, DedupeWindow: h,
		Replay: policy.FirstResult, Timeout: 30 * s, ArrivalGrace: m,
	}
	with := func(change func(*policy.Contract)) policy.Contract {
		c := promised
		change(&c)
		return c
	}
	tests := []struct {
		name     string
		contract policy.Contract
		after    time.Duration
		want     bool
	}{
		{"within the window", promised, 10 * m, true},
		{"at once", promised, 0, true},
		{"its deadline falls just inside the window", promised, h - 90*s - 1, true},
		{"its deadline falls on the window's end", promised, h - 90*s, false},
		{"sent inside, arriving outside", promised, h - s, false},
		{"sent after the window", promised, 2 * h, false},
		{"no timeout: the usual one counts", with(func(c *policy.Contract) { c.Timeout = 0 }), h - 91*s, true},
		{"no timeout, too near the end", with(func(c *policy.Contract) { c.Timeout = 0 }), h - 90*s, false},
		{"a refused duplicate is safe too", with(func(c *policy.Contract) { c.Replay = policy.Rejected }), 0, true},
		{"executed again", with(func(c *policy.Contract) { c.Replay = policy.ExecutedAgain }), 0, false},
		{"what a replay gets is not known", with(func(c *policy.Contract) { c.Replay = "" }), 0, false},
		{"nothing dedupes", with(func(c *policy.Contract) { c.Dedupe = nil }), 0, false},
		{"the window is not known", with(func(c *policy.Contract) { c.DedupeWindow = 0 }), 0, false},
		{"a repeat may arrive however late", with(func(c *policy.Contract) { c.ArrivalGrace = 0 }), 0, false},
		{"the zero contract promises nothing", policy.Contract{}, 0, false},
	}
	first := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.contract.ReplaySafe(first, first.Add(tt.after)); got != tt.want {
				t.Errorf("%s after the first: safe %v, want %v", tt.after, got, tt.want)
			}
		})
	}
}

func TestQueryIdentifier(t *testing.T) {
	tests := []struct {
		name  string
		by    []policy.Identifier
		known bool
		want  policy.Identifier
	}{
		{"the first that serves", []policy.Identifier{policy.OrderID, policy.RequestID}, false, policy.OrderID},
		{"the provider's own, once known", []policy.Identifier{policy.ProviderID, policy.OrderID}, true, policy.ProviderID},
		{"another, until it is known", []policy.Identifier{policy.ProviderID, policy.OrderID}, false, policy.OrderID},
		{"only the provider's own, not known", []policy.Identifier{policy.ProviderID}, false, ""},
		{"no query at all", nil, true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := policy.Contract{QueryBy: tt.by}
			if got := c.QueryIdentifier(tt.known); got != tt.want {
				t.Errorf("asks by %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCounts(t *testing.T) {
	var none policy.Counts
	if none.Of("a") != 0 {
		t.Error("an empty multiset counts something")
	}
	one := none.Plus("a")
	two := one.Plus("b").Plus("a")
	if two.Of("a") != 2 || two.Of("b") != 1 || two.Of("c") != 0 {
		t.Errorf("a, b, a are counted as %v", two)
	}
	if two[0].Name != "a" || two[1].Name != "b" {
		t.Errorf("the order is %v, want that of first use", two)
	}
}

func TestCountsPlusLeavesItsReceiverAlone(t *testing.T) {
	spare := make(policy.Counts, 0, 8) // room to write into, were Plus to append in place
	start := append(spare, policy.Count{Name: "a", N: 1})
	left, right := start.Plus("left"), start.Plus("right")
	again := start.Plus("a")
	if start.Of("a") != 1 || len(start) != 1 {
		t.Errorf("the receiver became %v", start)
	}
	if left.Of("right") != 0 || right.Of("left") != 0 || left.Of("left") != 1 || right.Of("right") != 1 {
		t.Errorf("two descendants share memory: %v and %v", left, right)
	}
	if again.Of("a") != 2 {
		t.Errorf("one more of a gives %v", again)
	}
	if hidden := spare[:2]; hidden[1].Name != "" {
		t.Errorf("the receiver's spare room was written to: %v", hidden)
	}
}

package executor_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// A shopper tries again under the same order. The notice about the first try is delivered once
// more, and says nothing of the second.
func TestALateNoticeOfAnEarlierTryEndsNoOther(t *testing.T) {
	for name, requestID := range map[string]string{"the very same request": "r-k", "another request of the order": "r-2"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				x := open(t, defaults(), executor.Config{Journal: newSpy()})
				wantOutcome(t, carry(t, x, payment("k"), &bank{sends: []reply{refused}}), policy.Failed)
				again := payment("k")
				again.RequestID = requestID
				b := &bank{sends: []reply{working}, asks: []reply{working, paidAsk}}
				h, err := x.Start(context.Background(), again, b)
				if err != nil {
					return // refused: as good
				}
				synctest.Wait()
				notify(t, x, hookOf("k", "1001"))
				if s := h.State(); s.Outcome == policy.Failed {
					t.Fatalf("S2: it is %s, and what was sent is pending", s.Outcome)
				}
				wantOutcome(t, end(t, h, time.Hour), policy.Succeeded)
			})
		})
	}
}

package executor_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// Whoever knows the URL can send webhooks, each with another text. What they write is bounded, whether the flow is
// open or has ended.
func TestForgedWebhooksWriteLittle(t *testing.T) {
	for name, c := range map[string]struct {
		bank *bank
		wait time.Duration
		most int
	}{
		"in doubt":  {&bank{sends: []reply{{err: errBroken}}, asks: []reply{working}}, 10 * time.Minute, 12},
		"pending":   {&bank{sends: []reply{working}, asks: []reply{working}}, 10 * time.Minute, 12},
		"succeeded": {&bank{sends: []reply{paidNow}}, time.Hour, 1},
		"failed":    {&bank{sends: []reply{refused}}, time.Hour, 1},
		"escalated": {&bank{sends: []reply{{err: errBroken}}, asks: []reply{code("99")}}, 100 * time.Hour, 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				j := newSpy()
				x := open(t, defaults(), executor.Config{Journal: j})
				h := begin(t, x, payment("k"), c.bank)
				time.Sleep(c.wait)
				before := len(j.list())
				for i := range 150 {
					said := []string{"0", "1001", "7000", "99", fmt.Sprint("x", i)}[i%5]
					w := executor.Webhook{Provider: "momo", Verified: false, Answer: &policy.Answer{
						Code: said, OrderID: "o-k", Message: fmt.Sprint("forged ", i), Amount: int64(i), ProviderID: fmt.Sprint("p", i),
					}}
					_ = x.Notify(context.Background(), w)
					synctest.Wait()
				}
				if n := len(j.list()) - before; n > c.most {
					t.Errorf("150 forged webhooks wrote %d rows, want %d at most", n, c.most)
				}
				if s := h.State(); len(s.Evidence) > 60 {
					t.Errorf("%d pieces of evidence are kept", len(s.Evidence))
				}
			})
		})
	}
}

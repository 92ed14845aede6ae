package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// A process without the provider's client is asked for a flow that no process holds. It does not become the owner: the flow
// would wait for a process that cannot drive it.
func TestAskedForAFlowWithoutItsClient(t *testing.T) {
	ctx := within(t, 20*time.Second)
	schema, c := newSchema(), &momo{}
	first := newSite(t, schema, c)
	h, err := first.x.Start(ctx, purchase("k"), c)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the send", func() bool { return len(c.attempts()) == 1 })
	j := opened(t, Options{Schema: schema, Lease: time.Hour})
	defer closed(t, j)
	rules, err := engine.OpenFS(testkit.Door)
	if err != nil {
		t.Fatal(err)
	}
	without, err := executor.New(rules, &executor.Config{Journal: j, Sweep: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer without.Close(context.Background())
	frozen(t, first.j)
	if err := first.j.GiveUp(ctx, h.Flow()); err != nil {
		t.Fatal(err)
	}
	if other, err := without.Handle(ctx, h.Flow()); err != nil || len(other.State().Ledger) != 1 {
		t.Fatalf("the flow is not shown: %v", err)
	}
	if _, held, err := first.j.Take(ctx, h.Flow()); held || err != nil {
		t.Fatalf("the process without a client holds the flow: %v", err)
	}
	at := c.attempts()[0]
	if err := first.x.Notify(ctx, paid(&at)); err != nil {
		t.Fatal(err)
	}
	if r, err := h.Wait(ctx); err != nil || r.Outcome != policy.Succeeded {
		t.Fatalf("the flow ended %v, %v", r, err)
	}
}

package temporal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// kept is a journal that keeps each row that it stored.
type kept struct {
	journal.Journal
	rows []journal.Row
}

func (j *kept) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	err := j.Journal.Put(ctx, r, d)
	if err == nil {
		row := *r
		row.State, row.Tombstone, row.Names = slices.Clone(r.State), slices.Clone(r.Tombstone), slices.Clone(r.Names)
		j.rows = append(j.rows, row)
	}
	return err
}

// cut is a journal in which the first n of the rows are.
func (j *kept) cut(t *testing.T, n int) journal.Journal {
	t.Helper()
	m := journal.NewMemory()
	for i := range j.rows[:n] {
		if err := m.Put(t.Context(), &j.rows[i], journal.Synced); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// A run is reset to before its send a while later, when that cannot leave any more, wherever it was cut. That its own call
// did not leave says nothing of the call of the run before it, which executed.
func TestAResetLongAfterTheSend(t *testing.T) {
	reasons := map[string]func(w *world, in *callIn){
		"the deadline has passed": func(_ *world, in *callIn) { in.Call.At = time.Now().Add(-time.Millisecond) },
		"no client":               func(w *world, _ *callIn) { w.d.o.Clients = nil },
		"other rules":             func(_ *world, in *callIn) { in.Rules = "other" },
		"a row that is damaged":   func(_ *world, in *callIn) { in.Row = in.Row[1:] },
		"NotAfter has passed": func(_ *world, in *callIn) {
			f, err := stored.Decode(in.Row)
			if err == nil {
				f.State.NotAfter = time.Now().Add(-time.Second)
				in.Row, err = f.Sealed()
			}
			if err != nil {
				t.Error(err)
			}
		},
		"the journal is unclear": func(w *world, _ *callIn) { w.d.o.Journal = &claimFails{Journal: w.d.o.Journal} },
	}
	first := &kept{Journal: journal.NewMemory()}
	w := newWorld(t, &bank{sends: []reply{{code: "7000"}}, asks: []reply{{code: "7000"}, {code: "0"}}}, func(o *Options) { o.Journal = first })
	var before *stepOut // the step before the send: it stands in the history that both runs have
	w.env.OnActivity(stepActivity, mock.Anything, mock.Anything).Return(func(ctx context.Context, in stepIn) (*stepOut, error) {
		out, err := w.d.hosts[0].step(ctx, in)
		if before == nil {
			before = out
		}
		return out, err
	})
	w.want(policy.Succeeded, 1, 2)
	in := w.in
	for name, reason := range reasons {
		for n := 1; n <= len(first.rows); n++ {
			b := &bank{sends: []reply{{code: "0"}}, asks: []reply{{code: "0"}}}
			w := newWorld(t, b, func(o *Options) { o.Journal = first.cut(t, n) })
			w.in = in
			steps := 0
			w.env.OnActivity(stepActivity, mock.Anything, mock.Anything).Return(func(ctx context.Context, in stepIn) (*stepOut, error) {
				if steps++; steps == 1 {
					return before, nil
				}
				return w.d.hosts[0].step(ctx, in)
			})
			w.env.OnActivity(openActivity, mock.Anything, mock.Anything).Return(&openOut{}, nil)
			w.env.OnActivity(sendActivity, mock.Anything, mock.Anything).Return(func(ctx context.Context, in callIn) (*callOut, error) {
				clients, j := w.d.o.Clients, w.d.o.Journal
				reason(w, &in)
				out, err := w.d.hosts[0].send(ctx, in)
				w.d.o.Clients, w.d.o.Journal = clients, j
				return out, err
			})
			r, err := w.pay()
			if err != nil || r.Outcome != policy.Succeeded || len(b.sent) > 0 {
				t.Errorf("%s, %d rows: it ended %s, %v, with %d sends after the one that executed\n%s", name, n, ended(r), err, len(b.sent), w.story())
			}
		}
	}
}

// ended says how a payment ended.
func ended(r *Result) string {
	if r == nil {
		return "without a result"
	}
	return fmt.Sprintf("%s (%s) repeated=%t", r.Outcome, r.Reason, r.Repeated)
}

// Two keys never have one workflow, however they are written: the second flow of the one must not be the first of the other.
func TestIDsDoNotMeet(t *testing.T) {
	seen := map[string]string{}
	for _, merchant := range []string{"", "a", "a~2", "a/pay", "a%7E2"} {
		for _, op := range policy.Operations() {
			for _, key := range []string{"k", "k~2", "k~3", "k~2~2", "k/after", "k%7E2", "k%257E2", "~2", strings.Repeat("k", 300), strings.Repeat("k", 300) + "~2"} {
				id := ID(journal.Key{Merchant: merchant, Operation: op, Payment: key})
				for n := range 4 {
					for _, one := range []string{id, afterID(id)} {
						of := fmt.Sprintf("flow %d of %q %s %q", n+1, merchant, op, key)
						if other := seen[one]; other != "" {
							t.Fatalf("%s and %s have the id %s", other, of, one)
						}
						seen[one] = of
					}
					id = nextID(id)
				}
			}
		}
	}
}

// A workflow is started as a child under an id that it had for another payment: that one's end is not this one's.
func TestAnIDOfAnotherPayment(t *testing.T) {
	for _, late := range []bool{false, true} {
		w := newWorld(t, &bank{sends: []reply{{code: "0"}}}, nil)
		w.want(policy.Succeeded, 1, 0)
		q := request("other")
		q.Amount = 7
		var err error
		if w.in, err = w.d.Prepare(q); err != nil {
			t.Fatal(err)
		}
		w.renew()
		if late { // the other one's row came after the look
			w.env.OnActivity(openActivity, mock.Anything, mock.Anything).Return(&openOut{}, nil)
		}
		r, err := w.pay()
		if err == nil || len(w.bank.sent) != 1 || !strings.Contains(err.Error(), "nothing was sent") {
			t.Errorf("late %t: %s, %v, %d sends; the payment that has the id is another", late, ended(r), err, len(w.bank.sent))
		}
	}
}

// broken is a journal whose rows of a flow cannot be read: they are damaged, or of a newer release.
type broken struct {
	journal.Journal
	damaged error
}

func (j broken) Get(ctx context.Context, id string) (journal.Row, error) {
	row, err := j.Journal.Get(ctx, id)
	if row.State = []byte(`{"v":99}`); j.damaged != nil {
		row = journal.Row{ID: id, Damaged: j.damaged}
	}
	return row, err
}

// A row that cannot be read may be this payment's, and says that something was sent: it is no proof of another payment.
func TestARowThatCannotBeReadIsNoOthers(t *testing.T) {
	w := newWorld(t, &bank{sends: []reply{{code: "0"}}}, nil)
	w.want(policy.Succeeded, 1, 0)
	h := w.d.hosts[0]
	for name, j := range map[string]broken{"newer": {Journal: w.j}, "damaged": {Journal: w.j, damaged: errors.New("damaged")}} {
		w.d.o.Journal = j
		row, err := h.load(t.Context(), w.id)
		if name == "damaged" {
			if err == nil {
				t.Error("a damaged row was loaded")
			}
			if out, err := h.open(t.Context(), storeIn{Flow: w.id, Row: w.in.Row}); err == nil {
				t.Errorf("a damaged row: %+v", out)
			}
			continue
		}
		if err != nil || foreign(w.in.Row, row) {
			t.Errorf("%s: %v; it was taken for another payment's", name, err)
		}
	}
	if foreign(w.in.Row, &loaded{Version: 3, Row: w.in.Row}) {
		t.Error("what an older worker has put into a history has no key, and was taken for another payment's")
	}
}

// Two keys with one order, or two captures of one trade, begin at the same moment: neither has a row when the other looks.
func TestOneOrderAtTheSameMoment(t *testing.T) {
	for name, op := range map[string]policy.Operation{"order": policy.Pay, "trade": policy.Capture} {
		w := newWorld(t, &bank{sends: []reply{{code: "0"}}}, nil)
		pay := func(key string) string {
			q := request(key)
			q.Operation = op
			if q.OrderID = "o-one"; op == policy.Capture {
				q.OrderID, q.ProviderID = "o-"+key, "trade-1"
			}
			var err error
			if w.in, err = w.d.Prepare(q); err != nil {
				t.Fatal(err)
			}
			w.id = ID(keyOf(&q.Payment))
			w.renew()
			w.env.OnActivity(openActivity, mock.Anything, mock.Anything).Return(&openOut{}, nil)
			r, err := w.pay()
			return fmt.Sprint(ended(r), " ", err)
		}
		first, second := pay("a"), pay("b")
		if len(w.bank.sent) != 1 || !strings.HasPrefix(first, "succeeded") || !strings.HasPrefix(second, "failed") {
			t.Errorf("one %s, two keys: %d sends, %s and %s", name, len(w.bank.sent), first, second)
		}
	}
}

// Temporal delivers an activity twice although it has one attempt, and two runs come to it at once: one sends.
func TestOneActivityManyTimes(t *testing.T) {
	for range testkit.Size(5, 20, 100) {
		b := &bank{sends: []reply{{code: "0"}}}
		w := newWorld(t, b, nil)
		var mu sync.Mutex
		said := map[policy.Fault]int{}
		w.env.OnActivity(sendActivity, mock.Anything, mock.Anything).Return(func(ctx context.Context, in callIn) (*callOut, error) {
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					out, err := w.d.hosts[0].send(ctx, in)
					mu.Lock()
					defer mu.Unlock()
					if said[out.Answer.Fault]++; err != nil || !out.Claimed {
						t.Errorf("%+v, %v", out, err)
					}
				})
			}
			all.Wait()
			return nil, errors.New("lost")
		})
		b.asks = []reply{{code: "0"}}
		w.want(policy.Succeeded, 1, 1)
		if said[policy.NoFault] != 1 || said[policy.Timeout] != 7 {
			t.Errorf("the activities said %v", said)
		}
	}
}

// A paid key that was pruned is a tombstone: neither a new workflow nor one that is reset pays it again.
func TestAPrunedKeyIsPaid(t *testing.T) {
	for _, reset := range []bool{false, true} {
		w := newWorld(t, &bank{sends: []reply{{code: "0"}}}, nil)
		w.want(policy.Succeeded, 1, 0)
		if n, err := w.j.Prune(t.Context(), time.Now().Add(time.Hour)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if !reset { // under another id
			w.id = "checkout-17"
		}
		w.renew()
		if reset {
			w.env.OnActivity(openActivity, mock.Anything, mock.Anything).Return(&openOut{}, nil)
		}
		if r, err := w.pay(); err != nil || r.Outcome != policy.Succeeded || len(w.bank.sent) != 1 {
			t.Errorf("reset %t: %s, %v, %d sends", reset, ended(r), err, len(w.bank.sent))
		}
	}
}

// A webhook that comes while the workflow of what comes after is started is not lost: Temporal has acknowledged it.
func TestASignalAtTheVeryEnd(t *testing.T) {
	w := newWorld(t, &bank{sends: []reply{{code: "0", amount: 1}}}, func(o *Options) {
		o.OnEscalate = func(context.Context, *executor.Result) error { return nil }
	})
	w.env.OnWorkflow(afterWorkflow, mock.Anything, mock.Anything).Return(nil, nil)
	w.env.SetOnChildWorkflowStartedListener(func(*workflow.Info, workflow.Context, converter.EncodedValues) {
		e := event{Kind: evResolved, OrderID: "o-k", Effect: policy.Executed, Who: "ann", Why: "the file"}
		w.env.SignalWorkflow(eventSignal, e)
	})
	w.want(policy.Succeeded, 1, 0)
}

// Signals that are none: the next one is read as it is, and the payment goes on.
func TestSignalsThatCannotBeRead(t *testing.T) {
	w := newWorld(t, &bank{sends: []reply{{err: context.DeadlineExceeded}}, asks: []reply{{code: "7000"}}}, nil)
	w.env.RegisterDelayedCallback(func() {
		for _, s := range []any{
			nil, 7, "text", []string{"a"}, map[string]any{}, map[string]any{"kind": evReceived}, map[string]any{"kind": 5},
			map[string]any{"kind": evResolved, "order_id": "o-k", "effect": "executed", "who": "x", "why": "x", "number": "none"},
			map[string]any{"kind": evDue}, map[string]any{"kind": evResumed}, map[string]any{"kind": evAnswered, "answer": received("0", 1).Answer},
			map[string]any{"kind": evReceived, "answer": map[string]any{"code": "0", "order_id": "o-k", "verified": true, "amount": 120_000, "phase": 99}},
			map[string]any{"kind": evWithdrawn}, map[string]any{"kind": evTold},
		} {
			w.env.SignalWorkflow(eventSignal, s)
		}
	}, time.Second)
	w.want(policy.Escalated, 1, -1)
}

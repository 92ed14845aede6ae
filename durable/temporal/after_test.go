package temporal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/mock"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// The caller has the result although the hook fails; the workflow of what comes after calls it until it returns nil.
func TestHooksAreCalledUntilTheySucceed(t *testing.T) {
	calls := 0
	w := newWorld(t, &bank{sends: []reply{{code: "0", amount: 1}}}, func(o *Options) {
		o.OnEscalate = func(_ context.Context, r *executor.Result) error {
			if calls++; calls < 4 {
				return errors.New("the pager is down")
			}
			if s := r.State(); r.Flow == "" || len(s.Evidence) == 0 {
				t.Errorf("the hook gets %+v", r)
			}
			return nil
		}
	})
	w.env.OnWorkflow(afterWorkflow, mock.Anything, mock.Anything).Return(nil, nil)
	w.want(policy.Escalated, 1, 0)
	if calls != 0 {
		t.Errorf("the caller waited for %d calls of the hook", calls)
	}
	w.renew()
	w.env.ExecuteWorkflow(afterWorkflow, Input{V: inputVersion, Rules: w.in.Rules, Flow: w.id})
	if err := w.env.GetWorkflowError(); err != nil || calls != 4 {
		t.Fatalf("%d calls, %v", calls, err)
	}
	row, err := w.j.Get(t.Context(), w.id)
	if f, e := readRow(&row); err != nil || e != nil || len(f.Notices) != 0 {
		t.Errorf("the notice is still there: %v, %v", err, e)
	}
}

// After the end a webhook is evidence, a person settles an escalation, and nothing is ever sent.
func TestAfterTheEnd(t *testing.T) {
	var alerts []string
	w := newWorld(t, &bank{sends: []reply{{code: "1001"}}}, func(o *Options) {
		o.OnAlert = func(_ context.Context, a *executor.Alert) error { alerts = append(alerts, a.Reason); return nil }
	})
	w.want(policy.Failed, 1, 0)
	afterwards := func(events ...event) {
		t.Helper()
		w.renew()
		w.env.RegisterDelayedCallback(func() {
			for _, e := range events {
				w.env.SignalWorkflow(eventSignal, e)
			}
		}, 0)
		w.env.ExecuteWorkflow(afterWorkflow, Input{V: inputVersion, Rules: w.in.Rules, Flow: w.id})
		if err := w.env.GetWorkflowError(); err != nil {
			t.Fatal(err)
		}
	}
	afterwards(received("0", 1), received("0", 1), received("0", 1))
	if len(alerts) != 1 || !strings.Contains(alerts[0], "marked failed") {
		t.Errorf("alerts: %q", alerts)
	}
	row, err := w.j.Get(t.Context(), w.id)
	if err != nil || row.Open || row.Standing != stored.Failed || row.Due.IsZero() {
		t.Errorf("the row: %+v, %v", row, err)
	}
	if len(w.bank.sent) != 1 {
		t.Errorf("%d sends", len(w.bank.sent))
	}
}

// held is a journal whose flows another worker's process holds at every second write, for a moment.
type held struct {
	journal.Journal
	puts, gaveUp int
}

func (j *held) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	if j.puts++; j.puts%2 == 1 {
		return fmt.Errorf("%w: another process holds it", journal.ErrConflict)
	}
	return j.Journal.Put(ctx, r, d)
}

func (j *held) GiveUp(context.Context, string) error {
	j.gaveUp++
	return nil
}

// With journal/postgres a worker waits for the process of the one before it, and gives each flow up itself.
func TestAFlowThatIsHeldForAMoment(t *testing.T) {
	b := &bank{sends: []reply{{err: context.DeadlineExceeded}}, asks: []reply{{code: "7000"}, {code: "0"}}}
	var j *held
	w := newWorld(t, b, func(o *Options) {
		j = &held{Journal: o.Journal}
		o.Journal = j
	})
	w.want(policy.Succeeded, 1, 2)
	if j.gaveUp < 4 {
		t.Errorf("the flow was given up %d times", j.gaveUp)
	}
}

// What a history holds comes back as it was, whatever characters are in it: the row has a checksum.
func TestInputsSurviveTheirEncoding(t *testing.T) {
	w := newWorld(t, &bank{sends: []reply{{code: "0"}}}, nil)
	q := request("k")
	q.Data, q.Tags = []byte{0, 255, '<', '&'}, map[string]string{"<&>\u2028": "\"\\ \x7f ü"}
	var err error
	if w.in, err = w.d.Prepare(q); err != nil {
		t.Fatal(err)
	}
	w.want(policy.Succeeded, 1, 0)
	if a := w.bank.sent[0]; string(a.Data) != string(q.Data) || a.Payment.Tags["<&>\u2028"] != q.Tags["<&>\u2028"] {
		t.Errorf("the client got %q and %q", a.Data, a.Payment.Tags)
	}
}

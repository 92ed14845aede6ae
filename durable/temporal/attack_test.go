package temporal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

func TestPaymentsEnd(t *testing.T) {
	silence := reply{err: context.DeadlineExceeded}
	for name, tt := range map[string]struct {
		bank        *bank
		want        policy.Outcome
		sends, asks int
	}{
		"succeeds":                  {&bank{sends: []reply{{code: "0"}}}, policy.Succeeded, 1, 0},
		"fails":                     {&bank{sends: []reply{{code: "1001"}}}, policy.Failed, 1, 0},
		"a timeout is a query":      {&bank{sends: []reply{silence}, asks: []reply{{code: "7000"}, silence, {code: "0"}}}, policy.Succeeded, 1, 3},
		"closed for a while":        {&bank{sends: []reply{{code: "10"}, {code: "0"}}}, policy.Succeeded, 2, 0},
		"never sent":                {&bank{sends: []reply{{err: executor.ErrNotSent}, {code: "0"}}}, policy.Succeeded, 2, 0},
		"nothing is ever known":     {&bank{sends: []reply{silence}}, policy.Escalated, 1, -1},
		"a panic may have sent":     {&bank{sends: []reply{{do: func(*executor.Attempt) { panic("in the client") }}}, asks: []reply{{code: "0"}}}, policy.Succeeded, 1, 1},
		"a panic in a query":        {&bank{sends: []reply{silence}, asks: []reply{{do: func(*executor.Attempt) { panic("again") }}, {code: "0"}}}, policy.Succeeded, 1, 2},
		"another amount":            {&bank{sends: []reply{{code: "0", amount: 1}}}, policy.Escalated, 1, 0},
		"a number of other refusal": {&bank{sends: []reply{{code: "49999"}}, asks: []reply{{code: "0"}}}, policy.Succeeded, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.bank, nil)
			w.want(tt.want, tt.sends, tt.asks)
		})
	}
}

// Whatever an activity that crashed, timed out or was stopped says, its request may have been sent: it is never not_sent,
// and what follows is a query.
func TestALostSendIsADoubt(t *testing.T) {
	for name, lost := range map[string]error{
		"crashed":                  sdk.NewTimeoutError(enums.TIMEOUT_TYPE_START_TO_CLOSE, nil),
		"no worker took it":        sdk.NewTimeoutError(enums.TIMEOUT_TYPE_SCHEDULE_TO_START, nil),
		"too late":                 sdk.NewTimeoutError(enums.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, nil),
		"no heartbeat":             sdk.NewHeartbeatTimeoutError(),
		"its worker was stopped":   sdk.NewApplicationError("worker stopping", "workerStopping"),
		"an error that says other": sdk.NewApplicationErrorWithCause("nothing was sent", "NotSent", executor.ErrNotSent),
		"cancelled":                sdk.NewCanceledError(),
	} {
		for _, executed := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, executed %t", name, executed), func(t *testing.T) {
				b := &bank{sends: []reply{{code: "0"}}, asks: []reply{{code: "0"}}}
				w := newWorld(t, b, nil)
				w.env.OnActivity(sendActivity, mock.Anything, mock.Anything).Return(func(ctx context.Context, in callIn) (*callOut, error) {
					if executed { // and its result is lost
						if _, err := w.d.hosts[0].send(ctx, in); err != nil {
							t.Error(err)
						}
					}
					return nil, lost
				})
				sends := 0
				if executed {
					sends = 1
				}
				r := w.want(policy.Succeeded, sends, 1)
				s, err := r.State()
				if err != nil || s.Evidence[0].Answer.Fault != policy.Timeout {
					t.Errorf("the lost send is %+v, %v", s.Evidence[0].Answer, err)
				}
			})
		}
	}
}

// A replay does not see these: one attempt, no longer than the call, no heartbeat that would end it sooner, and the row
// that is written ahead.
func TestCallsAreMadeOnce(t *testing.T) {
	w := newWorld(t, &bank{sends: []reply{{err: context.DeadlineExceeded}}, asks: []reply{{code: "0"}}}, nil)
	seen := map[string]int{}
	w.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, args converter.EncodedValues) {
		seen[info.ActivityType.Name]++
		if info.ActivityType.Name != sendActivity && info.ActivityType.Name != queryActivity {
			return
		}
		var in callIn
		if err := args.Get(&in); err != nil {
			t.Error(err)
		}
		if n := info.StartToCloseTimeout; n < 30*time.Second || n > 36*time.Second || info.ScheduleToCloseTimeout != n || info.HeartbeatTimeout != 0 {
			t.Errorf("%s: start to close %s, schedule to close %s, heartbeat %s", info.ActivityType.Name, n, info.ScheduleToCloseTimeout, info.HeartbeatTimeout)
		}
		if info.ActivityType.Name == sendActivity {
			f, err := stored.Decode(in.Row)
			if err != nil || f.State.Stage != flow.Sending || f.State.Ledger[0].Effect != policy.Unknown {
				t.Errorf("the row before the send: %v, %+v", err, f)
			}
			if _, err := w.j.Get(context.Background(), w.id); !errors.Is(err, journal.ErrNotFound) {
				t.Errorf("before the send: %v", err)
			}
		}
	})
	w.want(policy.Succeeded, 1, 1)
	if o := callOptions(time.Second); o.RetryPolicy == nil || o.RetryPolicy.MaximumAttempts != 1 {
		t.Errorf("a call has the retry policy %+v", o.RetryPolicy)
	}
	if seen[sendActivity] != 1 || seen[queryActivity] != 1 {
		t.Errorf("activities: %v", seen)
	}
}

// A second run of the same payment, as after a reset, finds the journal ahead of it wherever the first one was cut.
func TestASecondRunSendsNothing(t *testing.T) {
	for name, asks := range map[string][]reply{"paid at once": nil, "paid later": {{code: "7000"}, {code: "0"}}} {
		t.Run(name, func(t *testing.T) {
			b := &bank{sends: []reply{{code: "0"}}, asks: asks}
			if asks != nil {
				b.sends[0] = reply{err: context.DeadlineExceeded}
			}
			w := newWorld(t, b, nil)
			w.want(policy.Succeeded, 1, len(asks))
			w.renew()
			w.want(policy.Succeeded, 1, len(asks)) // it reads the end
			w.renew()
			// This one is reset to after its look at the journal: it knows nothing.
			w.env.OnActivity(openActivity, mock.Anything, mock.Anything).Return(&openOut{}, nil)
			w.want(policy.Succeeded, 1, len(asks))
		})
	}
}

// The first run has claimed the send, and its worker died: the second run, which comes to the same row, is in doubt.
func TestAClaimIsOnes(t *testing.T) {
	b := &bank{sends: []reply{{code: "0"}}, asks: []reply{{code: "0"}}}
	w := newWorld(t, b, nil)
	w.env.OnActivity(sendActivity, mock.Anything, mock.Anything).Return(func(ctx context.Context, in callIn) (*callOut, error) {
		h := w.d.hosts[0]
		if err := h.put(ctx, in.Flow, in.Version+1, in.Row); err != nil { // of the first run
			t.Error(err)
		}
		return h.send(ctx, in)
	})
	w.want(policy.Succeeded, 0, 1)
}

// claimFails is a journal whose first write fails: it may have stored the row, or not.
type claimFails struct {
	journal.Journal
	stores bool
	puts   int
}

func (j *claimFails) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	if j.puts++; j.puts > 1 {
		return j.Journal.Put(ctx, r, d)
	}
	if j.stores {
		if err := j.Journal.Put(ctx, r, d); err != nil {
			return err
		}
	}
	return errors.New("the connection was lost")
}

// A claim that the journal has may be another run's, whose call left: it is in doubt.
func TestAnUnclearClaimSendsNothing(t *testing.T) {
	b := &bank{sends: []reply{{code: "0"}}}
	w := newWorld(t, b, func(o *Options) { o.Journal = &claimFails{Journal: o.Journal} })
	w.want(policy.Succeeded, 1, 0)
	if n := b.sent[0].Number; n != 2 {
		t.Errorf("the send that left is number %d; the first must not leave", n)
	}
	newWorld(t, &bank{sends: []reply{{code: "0"}}}, func(o *Options) { o.Journal = &claimFails{Journal: o.Journal, stores: true} }).
		want(policy.Escalated, 0, -1)
}

// Another flow has the key, the order, or has served the key between the look and the claim.
func TestAKeyIsServedOnce(t *testing.T) {
	other := func(w *world, change func(*executor.Request)) {
		q := request("k")
		change(&q)
		in, err := w.d.Prepare(q)
		if err != nil {
			t.Fatal(err)
		}
		v := newWorld(t, &bank{sends: []reply{{code: "0"}}}, func(o *Options) { o.Journal = w.j })
		v.in, v.id = in, ID(keyOf(&q.Payment))
		if q.Key == "k" {
			v.id = "another"
		}
		v.renew()
		if r, err := v.pay(); err != nil || r.Outcome != policy.Succeeded {
			t.Fatal(r, err)
		}
	}
	for name, tt := range map[string]struct {
		other func(*executor.Request)
		late  bool // after the look
		want  string
	}{
		"paid":               {func(*executor.Request) {}, false, "repeated"},
		"another amount":     {func(q *executor.Request) { q.Amount++ }, false, "differ"},
		"other data":         {func(q *executor.Request) { q.Data = []byte("x") }, false, "differ"},
		"the order":          {func(q *executor.Request) { q.Key = "other" }, false, "another payment key"},
		"paid in the moment": {func(q *executor.Request) { q.OrderID, q.RequestID = "o-2", "r-2" }, true, "withdrawn"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, &bank{sends: []reply{{code: "0"}}}, nil)
			if tt.late {
				w.env.OnActivity(openActivity, mock.Anything, mock.Anything).Return(func(context.Context, storeIn) (*openOut, error) {
					other(w, tt.other)
					return &openOut{}, nil
				})
			} else {
				other(w, tt.other)
			}
			r, err := w.pay()
			got := fmt.Sprint(err)
			if r != nil {
				got = fmt.Sprintf("%s repeated=%t %s", r.Outcome, r.Repeated, r.Reason)
			}
			if len(w.bank.sent) != 0 || !strings.Contains(strings.Replace(got, "repeated=true", "repeated", 1), tt.want) {
				t.Errorf("%d sends, %s; want %q", len(w.bank.sent), got, tt.want)
			}
		})
	}
}

func received(code string, nth int) event {
	return event{Kind: evReceived, Answer: &stored.Answer{
		Phase: policy.Webhook, Verified: true, Code: code, OrderID: "o-k", RequestID: "r-k", Amount: 120_000, Message: fmt.Sprint(nth),
	}}
}

// Thousands of webhooks are a few steps, and repeated ones none.
func TestASignalStorm(t *testing.T) {
	b := &bank{sends: []reply{{err: context.DeadlineExceeded}}, asks: []reply{{code: "7000"}, {code: "7000"}, {code: "0"}}}
	w := newWorld(t, b, nil)
	steps := 0
	w.env.SetOnLocalActivityStartedListener(func(info *activity.Info, _ context.Context, _ []any) {
		if info.ActivityType.Name == stepActivity {
			steps++
		}
	})
	for n := range 10 { // the environment takes 1,000 at once
		w.env.RegisterDelayedCallback(func() {
			for i := range 400 {
				w.env.SignalWorkflow(eventSignal, received("7000", i))
				w.env.SignalWorkflow(eventSignal, event{Kind: evStart, OrderID: "forged"}) // no signal at all
			}
		}, time.Second+time.Duration(n)*time.Millisecond)
	}
	w.want(policy.Succeeded, 1, 3)
	if steps > 30 {
		t.Errorf("%d steps", steps)
	}
}

// A webhook ends the flow while the send is under way, and while it waits; a late one changes nothing.
func TestAWebhookEndsTheWait(t *testing.T) {
	w := newWorld(t, &bank{sends: []reply{{code: "7000"}}, asks: []reply{{code: "7000"}}}, nil)
	w.env.RegisterDelayedCallback(func() { w.env.SignalWorkflow(eventSignal, received("0", 1)) }, 1500*time.Millisecond)
	w.want(policy.Succeeded, 1, 0)

	b := &bank{asks: []reply{{code: "7000"}}}
	w = newWorld(t, b, nil)
	b.sends = []reply{{do: func(*executor.Attempt) { w.env.SignalWorkflow(eventSignal, received("0", 1)) }, err: context.DeadlineExceeded}}
	w.want(policy.Succeeded, 1, 0)
}

func TestPeople(t *testing.T) {
	silent := func() *bank { return &bank{sends: []reply{{err: context.DeadlineExceeded}}} }
	resolve := func(e policy.Effect) event {
		return event{Kind: evResolved, OrderID: "o-k", Effect: e, Who: "ann", Why: "the file"}
	}
	for name, tt := range map[string]struct {
		bank   *bank
		signal event
		cancel bool
		want   policy.Outcome
		story  string
	}{
		"resolved executed":     {bank: silent(), signal: resolve(policy.Executed), want: policy.Succeeded, story: "ann"},
		"resolved not executed": {bank: silent(), signal: resolve(policy.NotExecuted), want: policy.Failed, story: "ann"},
		"without who":           {bank: silent(), signal: event{Kind: evResolved, OrderID: "o-k", Effect: policy.Executed, Why: "x"}, want: policy.Escalated, story: "refused"},
		"of another order":      {bank: silent(), signal: event{Kind: evResolved, OrderID: "o-x", Effect: policy.Executed, Who: "ann", Why: "x"}, want: policy.Escalated, story: "refused"},
		"unknown":               {bank: silent(), signal: resolve(policy.Unknown), want: policy.Escalated, story: "refused"},
		"withdrawn in doubt":    {bank: silent(), signal: event{Kind: evWithdrawn, Who: "ann", Why: "ann: gone"}, want: policy.Escalated},
		"cancelled in doubt":    {bank: silent(), cancel: true, want: policy.Escalated},
		"cancelled, not sent":   {bank: &bank{sends: []reply{{code: "10"}}}, cancel: true, want: policy.Failed, story: "withdrawn"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.bank, nil)
			w.env.RegisterDelayedCallback(func() {
				if tt.cancel {
					w.env.CancelWorkflow()
				} else {
					w.env.SignalWorkflow(eventSignal, tt.signal)
				}
			}, 200*time.Millisecond)
			r, err := w.pay()
			if err != nil || r.Outcome != tt.want || len(tt.bank.sent) != 1 || !strings.Contains(w.story(), tt.story) {
				t.Errorf("%+v, %v, %d sends\n%s", r, err, len(tt.bank.sent), w.story())
			}
		})
	}
}

// A long history is left behind, with nothing of the flow, its journal's version or its story.
func TestContinueAsNew(t *testing.T) {
	b := &bank{sends: []reply{{err: context.DeadlineExceeded}}, asks: []reply{{code: "7000"}, {code: "7000"}, {code: "0"}}}
	w := newWorld(t, b, nil)
	w.env.SetContinueAsNewSuggested(true)
	runs := 0
	for {
		runs++
		r, err := w.pay()
		if again := (*workflow.ContinueAsNewError)(nil); errors.As(err, &again) && runs < 20 {
			w.in = Input{}
			if err := converter.GetDefaultDataConverter().FromPayloads(again.Input, &w.in); err != nil {
				t.Fatal(err)
			}
			w.renew()
			w.env.SetContinueAsNewSuggested(runs%2 == 1)
			continue
		}
		if err != nil || r.Outcome != policy.Succeeded || len(b.sent) != 1 || len(b.asked) != 3 {
			t.Fatalf("%+v, %v after %d runs, %d sends, %d queries", r, err, runs, len(b.sent), len(b.asked))
		}
		break
	}
	if runs < 2 || strings.Count(w.story(), "query ") < 4 {
		t.Errorf("%d runs; the story is\n%s", runs, w.story())
	}
}

// A worker that is given a flow of other rules does not decide, and sends nothing.
func TestOtherRulesDoNotDecide(t *testing.T) {
	w := newWorld(t, &bank{}, nil)
	h := &host{d: w.d, rules: quick(t), digest: quick(t).Digest()}
	if _, err := h.step(t.Context(), stepIn{Rules: w.in.Rules, Flow: "f", Row: w.in.Row}); err == nil || !strings.Contains(err.Error(), h.digest) {
		t.Errorf("a step by other rules: %v", err)
	}
	out, err := h.send(t.Context(), callIn{Rules: w.in.Rules, Flow: "f", Row: w.in.Row})
	if err != nil || out.Answer.Fault != policy.NotSent || len(w.bank.sent) != 0 {
		t.Errorf("a send by other rules: %+v, %v", out, err)
	}
	if a, b := w.d.hosts[0].queue(), h.queue(); a == b {
		t.Errorf("two sets of rules have the queue %s", a)
	}
}

// A send that a worker takes after its deadline does not leave.
func TestALateSendDoesNotLeave(t *testing.T) {
	w := newWorld(t, &bank{sends: []reply{{code: "0"}}}, nil)
	var first = true
	w.env.OnActivity(sendActivity, mock.Anything, mock.Anything).Return(func(ctx context.Context, in callIn) (*callOut, error) {
		if first {
			first = false
			in.Call.At = time.Now().Add(-time.Millisecond)
		}
		return w.d.hosts[0].send(ctx, in)
	})
	w.want(policy.Succeeded, 1, 0)
	if n := w.bank.sent[0].Number; n != 2 {
		t.Errorf("the send that left is number %d", n)
	}
}

func TestNewOrders(t *testing.T) {
	rules := testRules(t, map[string]string{"merchants/acme.toml": `
[[rule]]
id     = "again"
when   = 'class == "insufficient_funds" && effect == "not_executed" && !in_doubt && fired < 2'
then   = "retry_new_order"
reason = "another order"
`})
	for _, hook := range []bool{true, false} {
		b := &bank{sends: []reply{{code: "1001"}, {code: "0"}}}
		w := newWorld(t, b, func(o *Options) {
			o.Rules = []RuleSet{rules}
			if hook {
				o.NewOrder = func(context.Context, *policy.Payment, []flow.Identity) (string, error) { return "o-2", nil }
			}
		})
		q := request("k")
		q.Merchant = "acme"
		var err error
		if w.in, err = w.d.Prepare(q); err != nil {
			t.Fatal(err)
		}
		if hook {
			w.want(policy.Succeeded, 2, 0)
			if b.sent[1].OrderID != "o-2" || b.sent[1].RequestID == b.sent[0].RequestID {
				t.Errorf("the second send was %+v", b.sent[1])
			}
		} else {
			w.want(policy.Failed, 1, 0)
		}
	}
}

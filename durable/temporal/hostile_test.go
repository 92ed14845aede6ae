package temporal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
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

// asked is a server that says what a test wants.
type asked struct {
	client.Client
	start, query error
	row          []byte
}

func (c *asked) ExecuteWorkflow(context.Context, client.StartWorkflowOptions, any, ...any) (client.WorkflowRun, error) {
	return nil, c.start
}

func (c *asked) GetWorkflow(context.Context, string, string) client.WorkflowRun { return nil }

func (c *asked) QueryWorkflow(_ context.Context, id, _, _ string, _ ...any) (converter.EncodedValue, error) {
	if c.query != nil {
		return nil, c.query
	}
	r, err := resultOf(id, c.row)
	if err != nil {
		return nil, err
	}
	p, err := converter.GetDefaultDataConverter().ToPayloads(r)
	return client.NewValue(p), err
}

// The answer to a start is lost: the payment may have begun, and that is no error that says that nothing was sent.
func TestAStartWithoutAnAnswer(t *testing.T) {
	started := serviceerror.NewWorkflowExecutionAlreadyStarted("it runs", "", "")
	for name, tt := range map[string]struct {
		server  asked
		pending bool
	}{
		"deadline":             {asked{start: context.DeadlineExceeded}, true},
		"its deadline":         {asked{start: serviceerror.NewDeadlineExceeded("late")}, true},
		"unavailable":          {asked{start: serviceerror.NewUnavailable("gone")}, true},
		"anything else":        {asked{start: errors.New("EOF")}, true},
		"it runs, and is mute": {asked{start: started, query: serviceerror.NewUnavailable("gone")}, true},
		"invalid":              {asked{start: serviceerror.NewInvalidArgument("too large")}, false},
		"denied":               {asked{start: serviceerror.NewPermissionDenied("no", "")}, false},
	} {
		d, err := New(Options{Rules: []RuleSet{defaults()}, Journal: journal.NewMemory(), Client: &tt.server})
		if err != nil {
			t.Fatal(err)
		}
		h, err := d.Start(t.Context(), request("k"))
		pending := (*executor.PendingError)(nil)
		if errors.As(err, &pending) != tt.pending || err == nil || tt.pending && (h == nil || h.Flow != pending.Flow) {
			t.Errorf("%s: %+v, %v; pending must be %t", name, h, err, tt.pending)
		}
	}
}

// The workflow of an id is another payment's: its end is not that of the request.
func TestAStartThatMeetsAnotherPayment(t *testing.T) {
	q := request("k")
	d, err := New(Options{Rules: []RuleSet{defaults()}, Journal: journal.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	q.Key = "other"
	in, err := d.Prepare(q)
	if err != nil {
		t.Fatal(err)
	}
	d.o.Client = &asked{start: serviceerror.NewWorkflowExecutionAlreadyStarted("it runs", "", ""), row: in.Row}
	if h, err := d.Start(t.Context(), request("k")); err == nil || !strings.Contains(err.Error(), `"other"`) {
		t.Errorf("%+v, %v", h, err)
	}
}

// What a person says of a flow that does not exist is not taken in silence.
func TestWordsAboutNoFlow(t *testing.T) {
	d, err := New(Options{Rules: []RuleSet{defaults()}, Journal: journal.NewMemory(), Client: &asked{query: serviceerror.NewNotFound("none")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Withdraw(t.Context(), "nonsense", "ann", "gone"); err == nil {
		t.Error("the withdrawal of no flow was taken")
	}
	if err := d.Resolve(t.Context(), "nonsense", executor.Resolution{OrderID: "o", Effect: policy.Executed, Who: "ann", Why: "x"}); err == nil {
		t.Error("a resolution of no flow was taken")
	}
}

// What would fill a history, and so end its workflow, is refused before anything is sent, or read as an answer that says nothing.
func TestSizes(t *testing.T) {
	w := newWorld(t, &bank{}, nil)
	q := request("k")
	q.Data = make([]byte, 300<<10)
	if _, err := w.d.Prepare(q); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a request of 300 kB: %v", err)
	}
	long := strings.Repeat("x", 100<<10)
	for name, a := range map[string]policy.Answer{
		"code": {Code: long}, "provider's id": {Code: "0", ProviderID: long, OrderID: "o-k", Amount: 120_000}, "status": {Status: long},
	} {
		b := &bank{asks: []reply{{code: "0"}}}
		w := newWorld(t, b, nil)
		w.d.o.Clients["momo"] = answers{b, executor.Reply{HTTPStatus: 200, Answer: &a}}
		r := w.want(policy.Succeeded, 0, 1)
		if len(r.Row) > 20<<10 {
			t.Errorf("%s: the row has %d bytes", name, len(r.Row))
		}
	}
	b := &bank{}
	w = newWorld(t, b, nil)
	w.d.o.Clients["momo"] = answers{b, executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0", OrderID: "o-k", Amount: 120_000}, Shopper: policy.ShopperAction{QRCode: long}}}
	if r := w.want(policy.Succeeded, 0, 0); len(r.Row) > 20<<10 {
		t.Errorf("the row has %d bytes", len(r.Row))
	}
	paid := executor.Webhook{Provider: "momo", Verified: true, Answer: &policy.Answer{Code: "0", OrderID: "o-k", Status: long}}
	if err := w.d.Notify(t.Context(), paid); err == nil || errors.Is(err, executor.ErrUnknownFlow) {
		t.Errorf("a webhook of 100 kB: %v", err)
	}
}

// answers is a client with one answer to a send.
type answers struct {
	*bank
	reply executor.Reply
}

func (c answers) Send(context.Context, *executor.Attempt) (executor.Reply, error) {
	return c.reply, nil
}

// No text of a client or a hook gets into a history, where it stands for ever: there are keys in URLs, and cards in messages.
func TestHistoriesHoldNoSecrets(t *testing.T) {
	secret := errors.New("POST https://provider.example/?key=hunter2 card 4111111111111111: reset")
	texts := func(v any, err error) string {
		text, failed := json.Marshal(v)
		if failed != nil {
			t.Fatal(failed)
		}
		return fmt.Sprint(string(text), err)
	}
	for name, b := range map[string]*bank{
		"an error": {sends: []reply{{err: secret}}, asks: []reply{{err: secret}, {code: "0"}}},
		"a panic":  {sends: []reply{{do: func(*executor.Attempt) { panic(secret) }}}, asks: []reply{{code: "0"}}},
	} {
		w := newWorld(t, b, nil)
		var seen []string
		w.env.SetOnActivityCompletedListener(func(_ *activity.Info, v converter.EncodedValue, err error) {
			var out map[string]any
			if v != nil && v.HasValue() {
				_ = v.Get(&out)
			}
			seen = append(seen, texts(out, err))
		})
		r := w.want(policy.Succeeded, 1, -1)
		for _, text := range append(seen, texts(r, nil), w.story()) {
			if strings.Contains(text, "hunter2") || strings.Contains(text, "4111111111111111") {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
	message := policy.Answer{Code: "0", OrderID: "o-k", Amount: 120_000, Message: "card 4111 1111 1111 1111"}
	w := newWorld(t, &bank{}, nil)
	w.d.o.Clients["momo"] = answers{w.bank, executor.Reply{HTTPStatus: 200, Answer: &message}}
	if r := w.want(policy.Succeeded, 0, 0); strings.Contains(string(r.Row), "4111 1111 1111") {
		t.Errorf("%s", r.Row)
	}
	var s testsuite.WorkflowTestSuite
	s.SetLogger(sdklog.NewStructuredLogger(quiet))
	for name, fail := range map[string]func() error{"an error": func() error { return secret }, "a panic": func() error { panic(secret) }} {
		env := s.NewTestActivityEnvironment()
		w := newWorld(t, &bank{sends: []reply{{code: "0", amount: 1}}}, func(o *Options) {
			o.OnEscalate = func(context.Context, *executor.Result) error { return fail() }
			o.NewOrder = func(context.Context, *policy.Payment, []flow.Identity) (string, error) { return "", fail() }
		})
		w.env.OnWorkflow(afterWorkflow, mock.Anything, mock.Anything).Return(nil, nil)
		r := w.want(policy.Escalated, 1, 0)
		for _, a := range []any{w.d.hosts[0].order, w.d.hosts[0].notice} {
			env.RegisterActivity(a)
			_, err := env.ExecuteActivity(a, orderIn{Flow: w.id, Row: r.Row})
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s in a hook: %v", name, err)
			}
		}
	}
}

// reloaded is a set of rules that was replaced after its driver was made, which its documentation forbids.
type reloaded struct {
	RuleSet
	digest string
}

func (r *reloaded) Digest() string { return r.digest }

// Rules that are replaced under a running worker decide nothing.
func TestReplacedRulesDecideNothing(t *testing.T) {
	set := &reloaded{RuleSet: defaults(), digest: "one"}
	w := newWorld(t, &bank{}, func(o *Options) { o.Rules = []RuleSet{set} })
	h := w.d.hosts[0]
	set.digest = "two"
	if _, err := h.step(t.Context(), stepIn{Rules: "one", Flow: "f", Row: w.in.Row}); err == nil || !strings.Contains(err.Error(), "two") {
		t.Errorf("a step: %v", err)
	}
	if out, err := h.send(t.Context(), callIn{Rules: "one", Flow: "f", Row: w.in.Row}); err != nil || out.Answer.Fault != policy.NotSent {
		t.Errorf("a send: %+v, %v", out, err)
	}
	if out, err := h.query(t.Context(), callIn{Rules: "one", Flow: "f"}); err != nil || out.Answer.Fault != policy.Timeout {
		t.Errorf("a query: %+v, %v", out, err)
	}
}

package temporal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// asked is a server that says what a test wants.
type asked struct {
	client.Client
	start, query error
	row          []byte
	signals      []event
}

func (c *asked) SignalWorkflow(_ context.Context, _, _, _ string, arg any) error {
	c.signals = append(c.signals, *arg.(*event))
	return nil
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

// A card number that a person types into a reason does not get into a history.
func TestTypedCardNumbersAreNotStored(t *testing.T) {
	r := newWorld(t, &bank{sends: []reply{{code: "0", amount: 1}}}, nil).want(policy.Escalated, 1, 0)
	s, err := r.State()
	if err != nil {
		t.Fatal(err)
	}
	server := &asked{row: r.Row}
	d, err := New(Options{Rules: []RuleSet{defaults()}, Journal: journal.NewMemory(), Client: server})
	if err != nil {
		t.Fatal(err)
	}
	const why = "their portal shows card 4111 1111 1111 1111"
	if err := d.Resolve(t.Context(), r.Flow, executor.Resolution{OrderID: s.Ledger[0].OrderID, Effect: policy.Executed, Who: "ann", Why: why}); err != nil {
		t.Fatal(err)
	}
	if err := d.Withdraw(t.Context(), r.Flow, "ann", why); err != nil {
		t.Fatal(err)
	}
	if len(server.signals) != 2 {
		t.Fatalf("%d signals", len(server.signals))
	}
	for _, e := range server.signals {
		if strings.Contains(e.Why, "4111 1111") || !strings.Contains(e.Why, "their portal") {
			t.Errorf("why is %q", e.Why)
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

package temporal

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

var defaults = sync.OnceValue(func() *engine.Engine {
	e, err := engine.OpenFS(testkit.Door)
	if err != nil {
		panic(err)
	}
	return e
})

// reply is what a provider says once.
type reply struct {
	code   string
	amount int64 // 0: the payment's
	err    error
	do     func(a *executor.Attempt) // before
}

// bank is a client whose provider says what a test wants. The last reply is given for ever.
type bank struct {
	mu          sync.Mutex
	sends, asks []reply
	sent, asked []executor.Attempt
}

func (b *bank) Send(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	return b.answer(a, &b.sent, b.sends)
}

func (b *bank) Query(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	return b.answer(a, &b.asked, b.asks)
}

func (b *bank) answer(a *executor.Attempt, calls *[]executor.Attempt, replies []reply) (executor.Reply, error) {
	b.mu.Lock()
	n := len(*calls)
	*calls = append(*calls, *a)
	b.mu.Unlock()
	r := reply{err: context.DeadlineExceeded}
	if len(replies) > 0 {
		r = replies[min(n, len(replies)-1)]
	}
	if r.do != nil {
		r.do(a)
	}
	if r.err != nil {
		return executor.Reply{}, r.err
	}
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: r.code, Amount: cmp.Or(r.amount, a.Payment.Amount), OrderID: a.OrderID}}, nil
}

func request(key string) executor.Request {
	return executor.Request{
		Payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Key: key, Amount: 120_000, Currency: "VND"},
		OrderID: "o-" + key, RequestID: "r-" + key,
	}
}

// world is one payment in the SDK's test environment, whose clock skips the waits.
type world struct {
	t    *testing.T
	env  *testsuite.TestWorkflowEnvironment
	d    *Driver
	j    journal.Journal
	bank *bank
	in   Input
	id   string
}

func newWorld(t *testing.T, b *bank, change func(*Options)) *world {
	t.Helper()
	w := &world{t: t, bank: b, j: journal.NewMemory()}
	o := Options{Rules: []RuleSet{defaults()}, Clients: map[string]executor.Client{"momo": b}, Journal: w.j}
	if change != nil {
		change(&o)
	}
	w.j = o.Journal
	var err error
	if w.d, err = New(o); err != nil {
		t.Fatal(err)
	}
	if w.in, err = w.d.Prepare(request("k")); err != nil {
		t.Fatal(err)
	}
	p := request("k").Payment
	w.id = ID(keyOf(&p))
	w.renew()
	return w
}

// renew makes a new environment: that of another run of the workflow.
func (w *world) renew() {
	var s testsuite.WorkflowTestSuite
	s.SetLogger(sdklog.NewStructuredLogger(quiet))
	w.env = s.NewTestWorkflowEnvironment()
	w.env.SetTestTimeout(time.Minute)
	w.env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute}) // its second is too short for a busy machine
	w.d.hosts[0].register(w.env)
	options := w.startOptions()
	w.env.SetStartWorkflowOptions(options)
}

func (w *world) pay() (*Result, error) {
	w.t.Helper()
	w.env.ExecuteWorkflow(Workflow, w.in)
	if !w.env.IsWorkflowCompleted() {
		w.t.Fatal("the workflow has not completed")
	}
	if err := w.env.GetWorkflowError(); err != nil {
		return nil, err
	}
	r := new(Result)
	return r, w.env.GetWorkflowResult(r)
}

// want pays, and checks how it ends and which calls were made; -1: any number of queries.
func (w *world) want(o policy.Outcome, sends, asks int) *Result {
	w.t.Helper()
	r, err := w.pay()
	if err != nil {
		w.t.Fatal(err)
	}
	if r.Outcome != o || len(w.bank.sent) != sends || asks >= 0 && len(w.bank.asked) != asks {
		w.t.Errorf("it ended %s (%s) after %d sends and %d queries; want %s, %d, %d\n%s", r.Outcome, r.Reason, len(w.bank.sent), len(w.bank.asked), o, sends, asks, w.story())
	}
	row, err := w.j.Get(context.Background(), w.id)
	if err != nil || row.Open || string(row.State) != string(r.Row) {
		w.t.Errorf("the journal has version %d, open %t, %v\n%s\nthe result is\n%s", row.Version, row.Open, err, row.State, r.Row)
	}
	return r
}

func (w *world) story() string {
	v, err := w.env.QueryWorkflow(storyQuery)
	if err != nil {
		return err.Error()
	}
	var lines []string
	if err := v.Get(&lines); err != nil {
		return err.Error()
	}
	return strings.Join(lines, "\n")
}

func (w *world) startOptions() client.StartWorkflowOptions {
	return client.StartWorkflowOptions{ID: w.id, TaskQueue: w.d.Queue()}
}

// quiet is a logger of the SDK's that says nothing.
var quiet = slog.New(slog.DiscardHandler)

// quick are rules whose waits are short.
func quick(t *testing.T) *engine.Engine {
	return testRules(t, map[string]string{"momo.toml": `
[schedule.poll]
initial_interval = "1s"
max_interval = "1s"
randomization_factor = 0.0
`})
}

func testRules(t *testing.T, files map[string]string) *engine.Engine {
	t.Helper()
	e, err := engine.Open(testkit.Dir(t, testkit.WithDoor(files)))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

package emulation_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"

	_ "pgregory.net/rapid" // its flags
)

// A failed property prints the seed that repeats it; no file is left in the tree.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

var (
	builtins = sync.OnceValues(providers.Builtin)
	dawn     = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
)

func after(d time.Duration) time.Time { return dawn.Add(d) }

func catalog(t failer, name string) *providers.Catalog {
	t.Helper()
	all, err := builtins()
	if err != nil {
		t.Fatalf("%v", err)
	}
	c, err := all.Get(name)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return c
}

// world is an emulated payment, with the means to judge what it says.
type world struct {
	*emulation.Payment
	t   failer
	cat *providers.Catalog
	p   policy.Payment
}

var currencies = map[string]string{"momo": "VND", "opi": "PHP", "shopline": "TWD", "paykka": "USD"}

func begin(t failer, provider string, op policy.Operation, f emulation.Fate, keyed bool, seed uint64) world {
	t.Helper()
	p := policy.Payment{Provider: provider, Operation: op, Amount: 120_000, Currency: currencies[provider]}
	cat := catalog(t, provider)
	w, ok := emulation.NewPayment(cat, p, f, keyed, rand.New(rand.NewPCG(seed, 7)))
	if !ok {
		t.Fatalf("%s has no words for %s", provider, op)
	}
	return world{w, t, cat, p}
}

func (w world) judge(a policy.Answer) policy.Fact { return w.cat.Judge(&w.p, &a) }

// over is a fate that ends at once, slow one that takes five minutes.
var (
	paid     = emulation.Fate{Executes: true}
	slow     = emulation.Fate{Executes: true, Settles: 5 * time.Minute, WebhookDelay: 3 * time.Second}
	declined = emulation.Fate{}
)

// What each provider says to a request that it has seen before, by its contract.
func TestReplays(t *testing.T) {
	type request struct {
		order, request string
		at             time.Duration
	}
	first := request{"o-1", "r-1", 0}
	same := func(at time.Duration) request { return request{"o-1", "r-1", at} }
	tests := []struct {
		name     string
		provider string
		op       policy.Operation
		keyed    bool
		fate     emulation.Fate
		then     request
		codes    []string      // one of these; none: any
		effect   policy.Effect // what it proves
		moved    int           // executions in the ledger after an hour
	}{
		{"MoMo, final: the first result", "momo", policy.Pay, false, paid, same(time.Minute), []string{"0", "9000"}, policy.Executed, 1},
		{"MoMo, declined: the first result", "momo", policy.Pay, false, declined, same(time.Minute), nil, policy.NotExecuted, 0},
		{"MoMo, not final: 40", "momo", policy.Pay, false, slow, same(time.Minute), []string{"40"}, policy.Unknown, 1},
		{"MoMo, final meanwhile", "momo", policy.Pay, false, slow, same(6 * time.Minute), []string{"0", "9000"}, policy.Executed, 1},
		{"MoMo, another request of the order: 41", "momo", policy.Pay, false, slow, request{"o-1", "r-2", time.Minute}, []string{"41"}, policy.Unknown, 1},
		{"MoMo, another request of a final order: 41", "momo", policy.Pay, false, paid, request{"o-1", "r-2", time.Minute}, []string{"41"}, policy.Unknown, 1},
		{"MoMo, another order: another payment", "momo", policy.Pay, false, paid, request{"o-2", "r-2", time.Minute}, nil, policy.Executed, 2},
		{"OPI, the same payout: refused", "opi", policy.Payout, false, slow, same(time.Minute), []string{"21007", "21015"}, policy.Unknown, 1},
		{"OPI, the same payout, over: refused still", "opi", policy.Payout, false, slow, same(time.Hour), []string{"21007", "21015"}, policy.Unknown, 1},
		{"OPI, another request of the payout: refused", "opi", policy.Payout, false, slow, request{"o-1", "r-2", time.Minute}, []string{"21007", "21015"}, policy.Unknown, 1},
		{"OPI, another payout", "opi", policy.Payout, false, slow, request{"o-2", "r-2", time.Minute}, nil, policy.Pending, 2},
		{"PayKKa, the same request: refused", "paykka", policy.Pay, false, slow, same(time.Minute), []string{"4000", "4002", "4020", "4021"}, policy.Unknown, 1},
		{"PayKKa, another request of the order: another payment", "paykka", policy.Pay, false, slow, request{"o-1", "r-2", time.Minute}, nil, policy.Pending, 2},
		{"SHOPLINE without its key: executed again", "shopline", policy.Pay, false, paid, same(time.Minute), nil, policy.Executed, 2},
		{"SHOPLINE with its key: refused, since no document says what a repeat gets", "shopline", policy.Pay, true, paid, same(time.Minute), []string{"1006"}, policy.Unknown, 1},
		{"SHOPLINE with another key", "shopline", policy.Pay, true, paid, request{"o-1", "r-2", time.Minute}, nil, policy.Executed, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(30) {
				w := begin(t, tt.provider, tt.op, tt.fate, tt.keyed, seed)
				before := w.Arrive(after(first.at), first.order, first.request)
				a := w.Arrive(after(tt.then.at), tt.then.order, tt.then.request)
				if f := w.judge(a); f.Effect != tt.effect || tt.codes != nil && !slices.Contains(tt.codes, a.Code) {
					t.Fatalf("seed %d: %+v, which is %s %s; want one of %v, %s", seed, a, f.Effect, f.Class, tt.codes, tt.effect)
				}
				if tt.then.request == "r-1" && tt.effect.Settled() && tt.fate.Settles == 0 && tt.moved < 2 && a != before {
					t.Fatalf("seed %d: not the first result\n%+v\n%+v", seed, before, a)
				}
				if moved := w.Ledger(after(time.Hour)); len(moved) != tt.moved {
					t.Fatalf("seed %d: the ledger has %+v, want %d", seed, moved, tt.moved)
				}
			}
		})
	}
}

// A query before the request arrives finds nothing, which proves nothing.
func TestQueriesFindWhatHasArrived(t *testing.T) {
	w := begin(t, "momo", policy.Pay, paid, false, 1)
	if a := w.Query(dawn, "o-1", ""); a.Code != "42" || w.judge(a).Effect != policy.Unknown {
		t.Errorf("before anything: %+v", a)
	}
	w.Arrive(after(time.Minute), "o-1", "r-1") // on its way since dawn
	if a := w.Query(after(30*time.Second), "o-1", ""); a.Code != "42" {
		t.Errorf("before it arrives: %+v", a)
	}
	if a := w.Query(after(2*time.Minute), "o-1", ""); w.judge(a).Effect != policy.Executed || a.OrderID != "o-1" || a.Amount != w.p.Amount {
		t.Errorf("after: %+v", a)
	}
	if a := w.Query(after(2*time.Minute), "o-1", "r-2"); a.Code != "42" {
		t.Errorf("about another request: %+v", a)
	}
	if a := w.Query(after(2*time.Minute), "o-2", ""); a.Code != "42" {
		t.Errorf("about another order: %+v", a)
	}
}

func TestRefusalsAtTheDoor(t *testing.T) {
	f := paid
	f.Refusals, f.RefusedAs = 2, []policy.Class{policy.Maintenance}
	w := begin(t, "momo", policy.Checkout, f, false, 1)
	for i := range 2 {
		a := w.Arrive(after(time.Duration(i)*time.Minute), "o-1", "r-1")
		if got := w.judge(a); got.Effect != policy.NotExecuted || got.Class != policy.Maintenance || got.Stage != policy.Door {
			t.Fatalf("refusal %d: %+v", i, got)
		}
		if moved := w.Ledger(after(time.Hour)); len(moved) > 0 {
			t.Fatalf("refused, and yet %+v", moved)
		}
	}
	if a := w.Arrive(after(2*time.Minute), "o-1", "r-1"); w.judge(a).Effect != policy.Pending {
		t.Errorf("the door is open: %+v", a)
	}
}

func TestLedger(t *testing.T) {
	w := begin(t, "momo", policy.Pay, slow, false, 1)
	w.Arrive(dawn, "o-1", "r-1")
	if moved := w.Ledger(after(slow.Settles - time.Millisecond)); len(moved) > 0 {
		t.Errorf("too soon: %+v", moved)
	}
	if f := w.judge(w.Query(after(slow.Settles-time.Millisecond), "o-1", "")); f.Effect.Settled() {
		t.Errorf("a query before the end says %s", f.Effect)
	}
	if f := w.judge(w.Query(after(slow.Settles), "o-1", "")); f.Effect != policy.Executed {
		t.Errorf("a query after the end says %s", f.Effect)
	}
	want := emulation.Execution{Operation: policy.Pay, OrderID: "o-1", RequestID: "r-1", Amount: w.p.Amount, Currency: "VND", At: after(slow.Settles)}
	moved := w.Ledger(after(slow.Settles))
	if len(moved) == 1 {
		want.ProviderID = moved[0].ProviderID
	}
	if len(moved) != 1 || moved[0] != want || want.ProviderID == "" {
		t.Errorf("%+v, want %+v", moved, want)
	}
	w = begin(t, "momo", policy.Pay, declined, false, 1)
	w.Arrive(dawn, "o-1", "r-1")
	if moved := w.Ledger(after(time.Hour)); len(moved) > 0 {
		t.Errorf("declined, and yet %+v", moved)
	}
}

func TestWebhooks(t *testing.T) {
	w := begin(t, "momo", policy.Pay, slow, false, 1)
	if hooks := w.Webhooks(); len(hooks) > 0 {
		t.Errorf("nothing was asked of it, and it sends %+v", hooks)
	}
	w.Arrive(dawn, "o-1", "r-1")
	hooks := w.Webhooks()
	if len(hooks) != 1 {
		t.Fatalf("%d webhooks, want one", len(hooks))
	}
	for _, h := range hooks {
		if !h.At.Equal(after(slow.Settles+slow.WebhookDelay)) || h.OrderID != "o-1" || h.RequestID != "r-1" || !h.Answer.Verified || w.judge(h.Answer).Effect != policy.Executed {
			t.Errorf("%+v", h)
		}
	}
	at := begin(t, "momo", policy.Pay, paid, false, 1)
	at.Arrive(dawn, "o-1", "r-1")
	if hooks := at.Webhooks(); len(hooks) > 0 {
		t.Errorf("reported in the answer, and again: %+v", hooks)
	}
	none := begin(t, "momo", policy.Capture, slow, false, 1)
	none.Arrive(dawn, "o-1", "r-1")
	if hooks := none.Webhooks(); len(hooks) > 0 {
		t.Errorf("there is no webhook for captures: %+v", hooks)
	}
}

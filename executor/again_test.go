package executor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// keeper is a client that keeps what it was given: nothing of it may change afterwards, nor
// become another payment's.
type keeper struct {
	code    string
	ctx     context.Context
	attempt *executor.Attempt
	was     executor.Attempt
	payment policy.Payment
}

func (k *keeper) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	k.ctx, k.attempt, k.was, k.payment = ctx, a, *a, *a.Payment
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: k.code}}, nil
}

func (k *keeper) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{}, errors.New("no query is expected")
}

// Memory of one payment is never used for the next. A holder of a result, an attempt, a
// context or a handle must not notice: not the caller, not the client, not those who joined by
// the payment key, not a webhook or a sweep that came upon the flow just then.
func TestAPaymentIsNotMistakenForTheNext(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			c := config()
			x, err := executor.New(defaults(), &c)
			if err != nil {
				t.Fatal(err)
			}
			const goers, each = 8, 100
			var payers, others sync.WaitGroup
			stop := make(chan struct{})
			for n := range 2 { // who looks at flows that are not his
				others.Go(func() {
					for i := 0; ; i++ {
						select {
						case <-stop:
							return
						default:
							runtime.Gosched()
						}
						_ = x.Notify(context.Background(), hook(fmt.Sprintf("o-%d-%d", i%goers, i%each), "7000", n == 0))
					}
				})
			}
			for g := range goers {
				payers.Go(func() {
					var results []*executor.Result
					var clients []*keeper
					for i := range each {
						k := &keeper{code: []string{"0", "1001"}[(g+i)%2]}
						q := payment(fmt.Sprintf("%d-%d", g, i))
						q.RequestID, q.Amount = "", int64(1000*g+i)+1
						shared := i%4 == 0
						if shared { // two goroutines, one payment
							q.Key = fmt.Sprint("shared ", g/2, i)
							q.OrderID, q.Amount, k.code = fmt.Sprint("o-", q.Key), 7, "0"
						}
						r, err := x.Do(context.Background(), q, k)
						if err != nil {
							t.Errorf("%s: %v", q.OrderID, err)
							continue
						}
						if shared && k.attempt == nil { // the other has paid
							k = nil
						}
						results, clients = append(results, r), append(clients, k)
					}
					for i, r := range results {
						check(t, r, clients[i])
					}
				})
			}
			payers.Wait()
			close(stop)
			others.Wait()
			if err := shutDown(x); err != nil {
				t.Error(err)
			}
		})
	}
}

// check holds a result, long after its end, against what the client was given.
func check(t *testing.T, r *executor.Result, k *keeper) {
	s, trace := r.State(), r.Trace()
	if r.Repeated { // nothing of it was done here
		k = nil
	}
	if s.Outcome != r.Outcome || s.Reason != r.Reason || len(s.Ledger) != 1 || len(trace) < 3 && !r.Repeated {
		t.Errorf("%s: %s, %d identities, %d entries, its state says %s", r.Flow, r.Outcome, len(s.Ledger), len(trace), s.Outcome)
		return
	}
	if k == nil {
		return
	}
	want := policy.Succeeded
	if k.code != "0" {
		want = policy.Failed
	}
	id := s.Ledger[0]
	answered := slices.IndexFunc(s.Evidence, func(e flow.Evidence) bool { return e.Phase == policy.Send }) // a webhook may come before
	if answered < 0 {
		t.Errorf("%s: no evidence of its send", r.Flow)
		return
	}
	sent, isSend := trace[0].Command.(flow.Send)
	switch {
	case r.Outcome != want || s.Evidence[answered].Answer.Code != k.code || s.Payment.Amount != k.payment.Amount:
		t.Errorf("%s of %d: %s with %q, want %s of %d", r.Flow, s.Payment.Amount, r.Outcome, s.Evidence[answered].Answer.Code, want, k.payment.Amount)
	case r.Flow != k.was.Flow || id.OrderID != k.was.OrderID || id.RequestID != k.was.RequestID:
		t.Errorf("%s has sent %s %s; it was sent as %s %s of %s", r.Flow, id.OrderID, id.RequestID, k.was.OrderID, k.was.RequestID, k.was.Flow)
	case !isSend || sent.Identity.RequestID != k.was.RequestID:
		t.Errorf("%s: the trace begins with %s", r.Flow, flow.Describe(trace[0].Command))
	case fmt.Sprint(*k.attempt) != fmt.Sprint(k.was) || k.attempt.Payment.Amount != k.payment.Amount:
		t.Errorf("%s: the client's attempt was %+v and is %+v", r.Flow, k.was, *k.attempt)
	case !errors.Is(k.ctx.Err(), context.Canceled):
		t.Errorf("%s: the context of a call that is over says %v", r.Flow, k.ctx.Err())
	}
}

// looker is an observer that writes down what a trace holds.
type looker struct {
	executor.NoopObserver
	said []string
}

func (l *looker) Decided(_ context.Context, e *executor.DecisionEvent) {
	l.said = append(l.said, flow.Describe(*e.Decided))
}

func (l *looker) Ended(_ context.Context, e *executor.EndEvent) {
	l.said = append(l.said, flow.Describe(flow.Finish{Outcome: e.Outcome, Reason: e.Reason}))
}

// A flow that ends with its first answer keeps little. Its trace and state are what
// was written down, and what was seen, for every code of every provider.
func TestAShortTraceIsWhatWasObserved(t *testing.T) {
	ends := 0
	for _, name := range defaults().Catalogs.Names() {
		catalog, err := defaults().Catalogs.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range catalog.Codes {
			bubble(t, func(t *testing.T) {
				seen, written := &looker{}, newSpy()
				x := open(t, defaults(), executor.Config{Journal: written, Observers: []executor.Observer{seen}})
				q := payment("k")
				q.Provider = name
				if !catalog.Offers(q.Operation) {
					q.Operation = catalog.Operations[0]
				}
				q.ProviderID = "theirs"
				k := &keeper{code: row.Code}
				ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
				defer cancel()
				r, err := x.Do(ctx, q, k) // a handle may find an escalated flow in the journal, without its trace
				if err != nil {           // it asks, or sends again
					return
				}
				ends++
				state, err := json.Marshal(r.State())
				if err != nil {
					t.Fatal(err)
				}
				puts := written.list()
				if stored, _ := json.Marshal(puts[len(puts)-1].state); string(stored) != string(state) {
					t.Errorf("%s %s is in memory\n%s\nand was written down as\n%s", name, row.Code, state, stored)
				}
				var reported []string
				for _, e := range r.Trace() {
					switch e.Command.(type) {
					case flow.Decided, flow.Finish:
						reported = append(reported, flow.Describe(e.Command))
					}
				}
				if !slices.Equal(reported, seen.said) {
					t.Errorf("%s %s has the trace %q and was observed as %q", name, row.Code, reported, seen.said)
				}
			})
		}
	}
	if ends < 100 {
		t.Errorf("only %d flows ended with their first answer", ends)
	}
}

// A result is never written to after it was returned, whatever its flow receives afterwards and has
// no effect: what does not fit any more, or what the journal does not take.
func TestAResultIsNotWrittenTwice(t *testing.T) {
	for name, after := range map[string]func(*executor.Executor, *executor.Handle, *spy) error{
		"misfit": func(_ *executor.Executor, h *executor.Handle, _ *spy) error { return h.Withdraw("not wanted") },
		"refused": func(x *executor.Executor, h *executor.Handle, j *spy) error {
			j.kill(true)
			defer j.kill(false)
			s := h.State()
			err := x.Resolve(context.Background(), h.Flow(), executor.Resolution{
				OrderID: s.Ledger[0].OrderID, Effect: policy.NotExecuted, Who: "ops", Why: "a file",
			})
			if !errors.Is(err, errBroken) {
				return fmt.Errorf("Resolve: %w", err)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := newSpy()
			rules := rulesOf(t, map[string]string{"merchants/acme.toml": `
[[rule]]
id     = "look"
when   = 'class == "insufficient_funds"'
then   = "escalate"
reason = "for a person"
`})
			x, err := executor.New(rules, &executor.Config{Journal: j, OnEscalate: func(context.Context, *executor.Result) error {
				return errors.New("the hook fails") // so that it stays in memory
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = shutDown(x) }()
			h := begin(t, x, of("acme", payment("k")), &keeper{code: "1001"})
			first := end(t, h, 10*time.Second)
			was := *first
			read := make(chan executor.Result)
			go func() { read <- *first }() // the race detector looks
			if err := after(x, h, j); err != nil {
				t.Fatal(err)
			}
			second := end(t, h, 10*time.Second)
			if got := <-read; !reflect.DeepEqual(got, was) {
				t.Errorf("it was %+v, is %+v", was, got)
			}
			if a, b := fmt.Sprint(first.Story()), fmt.Sprint(second.Story()); a != b {
				t.Errorf("was\n%s\nand then as\n%s", a, b)
			}
		})
	}
}

// strict are rules that have no decider for a payment with which something is wrong.
type strict struct{ *engine.Engine }

func (strict) For(*policy.Payment) (policy.Decider, error) {
	return nil, errors.New("no such provider")
}

// What is in the journal goes on, whatever the rules of today say of its provider.
func TestAFlowGoesOnWithoutADeciderOfItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{silence}, asks: []reply{paidAsk}}
		crashed(t, j, b, 1)
		x := open(t, strict{defaults()}, executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": b}})
		if n, err := x.Resume(context.Background()); n != 1 || err != nil {
			t.Fatalf("%d flows go on: %v", n, err)
		}
		time.Sleep(time.Hour)
		if _, s := standing(t, j, rows(t, j, keyOf(payment("k")))[0].ID); s.Outcome != policy.Succeeded {
			t.Errorf("it stands at %s %s", s.Stage, s.Outcome)
		}
	})
}

// The result holds what the shopper had to do: of one call, and of more.
func TestAResultNamesTheShoppersAction(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{})
		for name, codes := range map[string][]string{"one call": {"0"}, "refused at first": {"10", "0"}} {
			link := policy.ShopperAction{PayURL: "https://pay.example/" + name}
			n := 0
			r := carry(t, x, payment(name), sender(func() executor.Reply {
				n++
				return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: codes[n-1]}, Shopper: link}
			}))
			if r.Shopper() != link || n != len(codes) {
				t.Errorf("%s: after %d sends it is %+v", name, n, r.Shopper())
			}
		}
	})
}

// sender is a client that is never asked.
type sender func() executor.Reply

func (s sender) Send(context.Context, *executor.Attempt) (executor.Reply, error) { return s(), nil }

func (sender) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{}, errors.New("no query is expected")
}

func TestAnEmptyResultHasZeroValues(t *testing.T) {
	var r executor.Result
	if r.Story() != "" || r.Trace() != nil || !r.Shopper().IsZero() || r.State().Outcome != policy.Open {
		t.Errorf("%q, %v, %v", r.Story(), r.Trace(), r.State())
	}
}

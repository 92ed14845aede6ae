package executor_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// atEnd calls a function when the first flow has ended, while its driver still has it in memory.
type atEnd struct {
	executor.NoopObserver
	call func(*executor.EndEvent)
}

func (o *atEnd) Ended(_ context.Context, e *executor.EndEvent) {
	if call := o.call; call != nil {
		o.call = nil
		call(e)
	}
}

// What a request gets does not depend on whether the flow that ended before it has left the memory.
func TestAPaymentIsMadeAgainAtTheMomentThatItEnds(t *testing.T) {
	sameKey := func(q *executor.Request) {}
	for name, config := range journals {
		for _, c := range []struct {
			name, code string
			again      func(*executor.Request)
			want       func(t *testing.T, first string, h *executor.Handle, err error)
		}{
			{"failed", "1001", sameKey, isAnother},
			{"failed, its order under another key", "1001", func(q *executor.Request) { q.Key = "another" }, isAnother},
			{"failed, its likeness under another key", "1001", func(q *executor.Request) { q.Key, q.OrderID = "another", "another" }, isAnother},
			{"succeeded", "0", sameKey, isTheSame},
			{"succeeded, its order under another key", "0", func(q *executor.Request) { q.Key = "another" }, isError[*executor.OrderError]},
			{"succeeded, its likeness under another key", "0", func(q *executor.Request) { q.Key, q.OrderID = "another", "another" }, isError[*executor.DuplicateError]},
			{"another amount, after success", "0", func(q *executor.Request) { q.Amount++ }, isError[*executor.MismatchError]},
		} {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					o := new(atEnd)
					settings := config()
					settings.Observers = []executor.Observer{o}
					settings.Duplicate = executor.Duplicates{Within: time.Hour, Tag: "customer"}
					x := open(t, defaults(), settings)
					q := payment("k")
					q.RequestID, q.Tags = "", map[string]string{"customer": "c"}
					looked := false
					o.call = func(e *executor.EndEvent) {
						looked = true
						again := q
						c.again(&again)
						h, err := x.Start(context.Background(), again, &bank{sends: []reply{code("1001")}})
						c.want(t, e.Flow, h, err)
					}
					end(t, begin(t, x, q, &bank{sends: []reply{code(c.code)}}), time.Minute)
					synctest.Wait() // whoever waits for a flow may know of its end before the observers
					if !looked {
						t.Error("the end was not seen")
					}
				})
			})
		}
	}
}

func isAnother(t *testing.T, first string, h *executor.Handle, err error) {
	t.Helper()
	if err != nil || h.Flow() == first {
		t.Errorf("the payment was not made again: %v", err)
	}
}

func isTheSame(t *testing.T, first string, h *executor.Handle, err error) {
	t.Helper()
	if err != nil || h.Flow() != first || h.State().Outcome != policy.Succeeded {
		t.Errorf("the request is not answered by the payment that succeeded: %v", err)
	}
}

func isError[E error](t *testing.T, _ string, _ *executor.Handle, err error) {
	t.Helper()
	if want := *new(E); !errors.As(err, &want) {
		t.Errorf("the error is %v, want a %T", err, want)
	}
}

// turning are rules that take no payment any more once they are turned.
type turning struct {
	executor.Rules
	turned atomic.Bool
}

var errNotUsed = errors.New("merchant m does not use provider bank")

func (r *turning) For(p *policy.Payment) (policy.Decider, error) {
	if r.turned.Load() {
		return nil, errNotUsed
	}
	return r.Rules.For(p)
}

// A request that is repeated after the rules refuse its payment is answered by the flow that stands: the error of the rules would say that
// nothing was sent.
func TestAFlowStandsThoughTheRulesRefuseIt(t *testing.T) {
	for name, config := range journals {
		kept := config().Journal != nil
		for _, c := range []struct {
			name    string
			sends   []reply
			outcome policy.Outcome // of the flow when the request is repeated
			forgets bool           // without a journal
		}{
			{"open", []reply{code("7000")}, policy.Open, false},
			{"succeeded", []reply{code("0")}, policy.Succeeded, true},
			{"failed", []reply{code("1001")}, policy.Failed, true},
		} {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					rules := &turning{Rules: defaults()}
					x := open(t, rules, config())
					q := payment("k")
					first := begin(t, x, q, &bank{sends: c.sends})
					time.Sleep(time.Second)
					if got := first.State().Outcome; got != c.outcome {
						t.Fatalf("the flow is %s", got)
					}
					rules.turned.Store(true)
					h, err := x.Start(context.Background(), q, &bank{})
					switch gone := c.outcome == policy.Failed || c.forgets && !kept; {
					case gone && !errors.Is(err, errNotUsed):
						t.Errorf("nothing stands, and the error is %v", err)
					case !gone && (err != nil || h.Flow() != first.Flow()):
						t.Errorf("the flow stands, and the error is %v", err)
					}
					other := q
					if other.Amount++; c.outcome == policy.Open {
						_, err = x.Start(context.Background(), other, &bank{})
						wantError[*executor.MismatchError](t, err)
					}
					other.Key = "another"
					if _, err = x.Start(context.Background(), other, &bank{}); !errors.Is(err, errNotUsed) {
						t.Errorf("another payment is taken: %v", err)
					}
					other.Key, other.Amount = "", -1
					if _, err = x.Start(context.Background(), other, &bank{}); !errors.Is(err, errNotUsed) || !strings.Contains(err.Error(), "Amount") {
						t.Errorf("not all mistakes are named: %v", err)
					}
					rules.turned.Store(false)
				})
			})
		}
	}
}

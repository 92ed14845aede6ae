package executor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// panics keeps the panics that OnError gets, by where they were.
type panics struct {
	mu sync.Mutex
	in map[string]int
}

func (p *panics) record(err error) {
	if e := (*executor.PanicError)(nil); errors.As(err, &e) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.in == nil {
			p.in = map[string]int{}
		}
		p.in[e.In]++
	}
}

func (p *panics) count(in string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.in[in]
}

// net/http recovers from a panic of a handler: had Do fallen with the hook, the flow would stand in
// memory without a driver.
func TestAPanicOfAHookIsAnErrorOfTheHook(t *testing.T) {
	for name, want := range map[string]policy.Outcome{"NewOrder": policy.Failed, "NewRequestID": policy.Succeeded} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b, reported := &bank{sends: []reply{refused, paidNow}}, &panics{}
				bug := func(in string) {
					if in == name {
						panic("a bug of the hook's")
					}
				}
				x := open(t, newOrders(t), executor.Config{
					Journal: newSpy(), OnError: reported.record,
					NewOrder: func(context.Context, *policy.Payment, []flow.Identity) (string, error) {
						bug("NewOrder")
						return "o-2", nil
					},
					NewRequestID: func(*policy.Payment) string { bug("NewRequestID"); return "r-2" },
				})
				r := carry(t, x, of("acme", payment("k")), b)
				wantOutcome(t, r, want)
				if reported.count(name) != 1 || r.State().NewOrderPossible != (want == policy.Failed) {
					t.Errorf("OnError got %d panics; new order possible: %v", reported.count(name), r.State().NewOrderPossible)
				}
			})
		})
	}
}

// A mistake of the machine's own ends neither this process nor the next: the flow stays as its row says, in doubt, nothing more is sent, and the
// answer is applied when the machine can.
func TestAPanicOfTheMachineLeavesTheFlowAsItIs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, reported := newSpy(), &panics{}
		var x *executor.Executor
		var mend func()
		b := &bank{sends: []reply{{answer: paidNow.answer, do: func(_ context.Context, a *executor.Attempt) { mend = x.BreakMachine(a.Flow) }}}}
		x = open(t, defaults(), executor.Config{Journal: j, OnError: reported.record})
		h := begin(t, x, payment("k"), b)
		time.Sleep(time.Minute)
		if row, s := standing(t, j, h.Flow()); !row.Open || s.Stage != flow.Sending || row.Due.IsZero() {
			t.Errorf("the row is %s, open %t, due %s", s.Stage, row.Open, row.Due)
		}
		if reported.count("flow.Step") == 0 {
			t.Error("OnError got no panic")
		}
		mend()
		wantOutcome(t, end(t, h, time.Minute), policy.Succeeded)
		b.wantCalls(t, 1, 0)
	})
}

// A hook that ends its goroutine, as a test's helper does, has failed; Do goes on.
func TestAHookThatEndsItsGoroutineHasFailed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bank{sends: []reply{refused, paidNow}}
		x := open(t, newOrders(t), executor.Config{Journal: newSpy(), NewOrder: func(context.Context, *policy.Payment, []flow.Identity) (string, error) {
			runtime.Goexit()
			return "o-2", nil
		}})
		r := carry(t, x, of("acme", payment("k")), b)
		wantOutcome(t, r, policy.Failed)
		b.wantCalls(t, 1, 0)
	})
}

// A client may panic too. Its call is then in doubt, and is queried.
func TestAClientThatEndsItsGoroutineIsASilence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		b := &bank{sends: []reply{{do: func(context.Context, *executor.Attempt) { runtime.Goexit() }}}, asks: []reply{paidAsk}}
		wantOutcome(t, end(t, begin(t, x, payment("k"), b), time.Hour), policy.Succeeded)
		b.wantCalls(t, 1, 1)
	})
}

// The same in the goroutine of Do: what the client may have sent is not sent again by the goroutine that
// goes on with the flow.
func TestAClientThatEndsTheGoroutineOfDoIsASilence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, left := newSpy(), make(chan struct{})
		x := open(t, defaults(), executor.Config{Journal: j})
		b := &bank{sends: []reply{{do: func(context.Context, *executor.Attempt) { runtime.Goexit() }}, paidNow}, asks: []reply{paidAsk}}
		go func() {
			defer close(left)
			_, _ = x.Do(context.Background(), payment("k"), b)
			t.Error("Do returned")
		}()
		<-left
		time.Sleep(time.Hour)
		b.wantCalls(t, 1, 1)
		if s := decodeState(t, &rows(t, j, keyOf(payment("k")))[0]); s.Outcome != policy.Succeeded {
			t.Errorf("it is %s %s", s.Stage, s.Outcome)
		}
	})
}

// buggy is an observer that panics in one of its methods.
type buggy struct{ in string }

func (o *buggy) bug(in string) {
	if o.in == in {
		panic("a bug of the observer's")
	}
}

func (o *buggy) Calling(ctx context.Context, _ *executor.CallEvent) context.Context {
	o.bug("Calling")
	return ctx
}
func (o *buggy) Called(context.Context, *executor.CallEvent)             { o.bug("Called") }
func (o *buggy) Decided(context.Context, *executor.DecisionEvent)        { o.bug("Decided") }
func (o *buggy) Waiting(context.Context, *executor.WaitEvent)            { o.bug("Waiting") }
func (o *buggy) Ended(context.Context, *executor.EndEvent)               { o.bug("Ended") }
func (o *buggy) Alerted(context.Context, *executor.AlertEvent)           { o.bug("Alerted") }
func (o *buggy) WebhookReceived(context.Context, *executor.WebhookEvent) { o.bug("WebhookReceived") }

// An observer that panics leaves no lock behind: neither its flow nor the sweeper stops, and the
// executor can be closed.
func TestAPanicOfAnObserverStopsNothing(t *testing.T) {
	for _, in := range []string{"Calling", "Called", "Decided", "Waiting", "Ended", "Alerted", "WebhookReceived"} {
		t.Run(in, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				reported, seen := &panics{}, &held{}
				o := &buggy{in}
				x := open(t, defaults(), executor.Config{Journal: newSpy(), Observers: []executor.Observer{o, seen}, OnError: reported.record})
				b := &bank{sends: []reply{working}, asks: []reply{working, refused}}
				h := begin(t, x, payment("k"), b)
				synctest.Wait()
				notify(t, x, hookOf("k", "7000"))
				wantOutcome(t, end(t, h, time.Hour), policy.Failed)
				notify(t, x, hookOf("k", "0"))
				synctest.Wait()
				if reported.count(fmt.Sprintf("%T", o)) == 0 {
					t.Error("OnError got no panic")
				}
				hung := &bank{sends: []reply{{after: 40 * time.Second, deaf: true, err: errBroken}}, asks: []reply{paidAsk}}
				wantOutcome(t, carry(t, x, payment("l"), hung), policy.Succeeded) // the sweeper lives
				if err := shutDown(x); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A panic of OnEscalate counts as a failure: it is called again.
func TestOnEscalateIsCalledAgainAfterAPanic(t *testing.T) {
	bubble(t, func(t *testing.T) {
		calls, reported := &failing{}, &panics{}
		x := open(t, defaults(), executor.Config{Journal: newSpy(), OnError: reported.record, OnEscalate: func(context.Context, *executor.Result) error {
			if _ = calls.call(); calls.calls() == 1 {
				panic("a bug of the hook's")
			}
			return nil
		}})
		wantOutcome(t, carry(t, x, payment("k"), &bank{asks: []reply{working}}), policy.Escalated)
		time.Sleep(time.Hour)
		if calls.calls() != 2 || reported.count("OnEscalate") != 1 {
			t.Errorf("%d calls, OnError got %d panics", calls.calls(), reported.count("OnEscalate"))
		}
	})
}

// What a process owes to its hooks may be read by one that has none: it keeps it for the next.
func TestNoticesAreRetainedWithoutTheirHook(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, failingHook, workingHook := newSpy(), &failing{failures: 1000}, &failing{}
		hooks := func(f *failing) executor.Config {
			return executor.Config{
				Journal: j, OnEscalate: func(context.Context, *executor.Result) error { return f.call() },
				OnAlert: func(context.Context, *executor.Alert) error { return f.call() },
			}
		}
		x := open(t, defaults(), hooks(failingHook))
		wantOutcome(t, carry(t, x, payment("k"), &bank{sends: []reply{silence}, asks: []reply{working}}), policy.Escalated)
		wantOutcome(t, carry(t, x, payment("l"), &bank{sends: []reply{refused}}), policy.Failed)
		notify(t, x, hookOf("l", "0"))
		none := executor.Config{Journal: j, OnError: func(err error) { t.Errorf("OnError got %v", err) }}
		for _, c := range []executor.Config{none, hooks(workingHook)} {
			if err := shutDown(x); err != nil {
				t.Fatal(err)
			}
			x = open(t, defaults(), c)
			if _, err := x.Resume(context.Background()); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Hour)
		}
		if failingHook.calls() < 2 || workingHook.calls() != 2 {
			t.Errorf("%d calls in vain, and %d that were taken; want 2", failingHook.calls(), workingHook.calls())
		}
	})
}

// leaver is an observer that ends the goroutine it is called by, once.
type leaver struct {
	executor.NoopObserver
	in   string
	once sync.Once
}

func (o *leaver) leave(in string) {
	if o.in == in {
		o.once.Do(runtime.Goexit)
	}
}

func (o *leaver) Called(context.Context, *executor.CallEvent)      { o.leave("Called") }
func (o *leaver) Decided(context.Context, *executor.DecisionEvent) { o.leave("Decided") }
func (o *leaver) Waiting(context.Context, *executor.WaitEvent)     { o.leave("Waiting") }
func (o *leaver) Ended(context.Context, *executor.EndEvent)        { o.leave("Ended") }

// fragile are rules that panic the first time.
type fragile struct {
	*engine.Engine
	once *sync.Once
}

func (f fragile) For(*policy.Payment) (policy.Decider, error) { return f, nil }

func (f fragile) Decide(s *policy.Situation) policy.Decision {
	f.once.Do(func() { panic("a bug of the rules'") })
	return f.Engine.Decide(s)
}

// Whatever ends the goroutine that has an answer in hand, the request is not sent once more: the
// answer was not taken to its end, and the one who goes on does not know that there was any.
func TestNoOtherDriverSendsWhileAnAnswerIsApplied(t *testing.T) {
	for _, in := range []string{"Called", "Decided", "Waiting", "Ended", "rules"} {
		for _, said := range []reply{paidNow, refused, working} {
			t.Run(in+" "+said.answer.Code, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					var rules executor.Rules = defaults()
					c := executor.Config{Observers: []executor.Observer{&leaver{in: in}}}
					if in == "rules" {
						rules, c = fragile{defaults(), new(sync.Once)}, executor.Config{}
					}
					b := &bank{sends: []reply{said}, asks: []reply{working, paidAsk}}
					x := open(t, rules, c)
					go func() {
						defer func() { _ = recover() }()
						_, _ = x.Do(context.Background(), payment("k"), b)
					}()
					time.Sleep(time.Hour)
					if sends, _ := b.calls(); sends != 1 {
						t.Errorf("it was sent %d times", sends)
					}
				})
			})
		}
	}
}

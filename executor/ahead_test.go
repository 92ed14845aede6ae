package executor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// When a request leaves, the journal holds the flow as sending, under that identity.
func TestEverySendIsWrittenAhead(t *testing.T) {
	rules := newOrders(t)
	for name, b := range map[string]*bank{ // sends of every kind
		"first":     {sends: []reply{paidNow}},
		"the same":  {sends: []reply{{err: executor.ErrNotSent}, paidNow}},
		"new":       {sends: []reply{shut, paidNow}},
		"new order": {sends: []reply{refused, paidNow}},
		"replayed":  {sends: []reply{silence, paidNow}, asks: []reply{missing}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				j := newSpy()
				for i := range b.sends {
					b.sends[i].do = func(_ context.Context, a *executor.Attempt) {
						row, s := standing(t, j, a.Flow)
						id := s.Ledger[len(s.Ledger)-1]
						if s.Stage != flow.Sending || s.Attempts != a.Number || id.OrderID != a.OrderID || id.RequestID != a.RequestID || !row.Open {
							t.Errorf("send %d of %s %s: the journal has %s, %d sends, %+v", a.Number, a.OrderID, a.RequestID, s.Stage, s.Attempts, id)
						}
						last := j.list()[len(j.list())-1]
						if last.durability != journal.Synced || last.Version != row.Version {
							t.Errorf("send %d: the row before it is version %d of %d, durability %d", a.Number, last.Version, row.Version, last.durability)
						}
					}
				}
				x := open(t, rules, executor.Config{Journal: j, NewOrder: numbered("o2-")})
				r := carry(t, x, of("acme", payment("k")), b)
				wantOutcome(t, r, policy.Succeeded)
				b.wantCalls(t, len(b.sends), r.State().Queries)
				for i, p := range j.list() {
					if p.Version != int64(i+1) {
						t.Errorf("put %d is of version %d", i, p.Version)
					}
				}
			})
		})
	}
}

// Events that their source does not repeat are written so that they survive the loss of power; the rest need
// only be written before what comes later.
func TestOnlyWhatMattersWaitsForTheDisk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		b := &bank{sends: []reply{silence}, asks: []reply{working, paidAsk}}
		x := open(t, defaults(), executor.Config{Journal: j})
		h := begin(t, x, payment("k"), b)
		time.Sleep(33 * time.Second)
		synctest.Wait()
		if err := x.Notify(context.Background(), hook("o-k", "7000", true)); err != nil {
			t.Fatal(err)
		}
		end(t, h, time.Hour)
		if err := x.Notify(context.Background(), hook("o-k", "1001", true)); err != nil {
			t.Fatal(err)
		}
		for _, p := range j.list() {
			reported := p.state.Stage == flow.Sending || p.state.Stage == flow.Ended ||
				len(p.state.Evidence) > 0 && p.state.Evidence[len(p.state.Evidence)-1].Phase == policy.Webhook && p.state.Stage == flow.Waiting
			if reported != (p.durability == journal.Synced) {
				t.Errorf("version %d, %s: durability %d", p.Version, p.state.Stage, p.durability)
			}
		}
	})
}

func TestAPutThatFailsBeforeTheFirstSendSendsNothing(t *testing.T) {
	for _, start := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			j, b := newSpy(), &bank{sends: []reply{paidNow}}
			x := open(t, defaults(), executor.Config{Journal: j})
			for range 7 {
				j.before = func(*put) error { return errBroken }
				var err error
				if start {
					_, err = x.Start(context.Background(), payment("k"), b)
				} else {
					_, err = x.Do(context.Background(), payment("k"), b)
				}
				if !errors.Is(err, errBroken) {
					t.Fatalf("the error is %v", err)
				}
			}
			b.wantCalls(t, 0, 0)
			j.before = nil
			began := time.Now()
			wantOutcome(t, carry(t, x, payment("k"), b), policy.Succeeded)
			if took := time.Since(began); took != 0 {
				t.Errorf("it waited %s for a provider that never failed", took)
			}
		})
	}
}

func TestAPutThatFailsBeforeARetryIsMadeGood(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{shut, paidNow}}
		failures := 0
		j.before = func(p *put) error {
			if p.state.Stage == flow.Sending && p.state.Attempts == 2 && failures < 5 {
				failures++
				return errBroken
			}
			return nil
		}
		var reported int
		x := open(t, defaults(), executor.Config{Journal: j, OnError: func(err error) {
			if errors.Is(err, errBroken) {
				reported++
			}
		}})
		wantOutcome(t, carry(t, x, payment("k"), b), policy.Succeeded)
		b.wantCalls(t, 2, 0)
		if reported != 5 {
			t.Errorf("OnError got %d failures, want 5", reported)
		}
	})
}

// An answer that the journal does not take is brought again until it does; no call is made
// meanwhile.
func TestAnAnswerThatCannotBeWrittenIsNotLost(t *testing.T) {
	tests := []struct {
		name string
		bank *bank
		want policy.Outcome
	}{
		{"paid", &bank{sends: []reply{paidNow}}, policy.Succeeded},
		{"refused", &bank{sends: []reply{refused}}, policy.Failed},
		{"pending, then paid", &bank{sends: []reply{working}, asks: []reply{paidAsk}}, policy.Succeeded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				j, b := newSpy(), tt.bank
				b.sends[0].do = func(context.Context, *executor.Attempt) { j.kill(true) }
				time.AfterFunc(20*time.Minute, func() {
					b.wantCalls(t, 1, 0)
					j.kill(false)
				})
				x := open(t, defaults(), executor.Config{Journal: j})
				r := carry(t, x, payment("k"), b)
				wantOutcome(t, r, tt.want)
				b.wantCalls(t, 1, len(b.asks))
			})
		})
	}
}

func TestNotifySaysWhenItCouldNotWrite(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{working}, asks: []reply{working}}
		x := open(t, defaults(), executor.Config{Journal: j})
		h := begin(t, x, payment("k"), b)
		synctest.Wait()
		j.before = func(*put) error { return errBroken }
		if err := x.Notify(context.Background(), hook("o-k", "0", true)); !errors.Is(err, errBroken) {
			t.Errorf("Notify: %v", err)
		}
		if h.State().Stage == flow.Ended {
			t.Error("what is not written has happened")
		}
		j.before = nil
		if err := x.Notify(context.Background(), hook("o-k", "0", true)); err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, end(t, h, 0), policy.Succeeded)
	})
}

// A process that was paused after it had written ahead does not send when it wakes.
func TestASendWhoseTimeIsOverIsNotMade(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{paidNow}}
		j.after = func(p *put) error {
			if p.n == 1 {
				time.Sleep(31 * time.Second)
			}
			return nil
		}
		x := open(t, defaults(), executor.Config{Journal: j, Sweep: time.Hour})
		r := carry(t, x, payment("k"), b)
		wantOutcome(t, r, policy.Succeeded)
		if b.wantCalls(t, 1, 0); r.State().Attempts != 2 || !b.sent[0].at.Before(b.sent[0].Deadline) {
			t.Errorf("%d attempts; the one that was made: %+v", r.State().Attempts, b.sent[0])
		}
	})
}

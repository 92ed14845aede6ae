package executor_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// hurried is a merchant whose payments must end within ten minutes.
func hurried(t *testing.T) executor.Rules {
	return rulesOf(t, map[string]string{"merchants/acme.toml": "[limits]\nmax_elapsed = \"10m\"\n"})
}

// The breaker is open longer than payments may take. None of them is charged late: each ends failed,
// and was never sent. The time counts from when the payment was accepted, also in the next process.
func TestPaymentsThatTheBreakerHeldTooLongAreNeverSent(t *testing.T) {
	waits := func(x *executor.Executor, q executor.Request, b *bank) { _, _ = x.Start(context.Background(), q, b) }
	blocks := func(x *executor.Executor, q executor.Request, b *bank) {
		go func() { _, _ = x.Do(context.Background(), q, b) }()
	}
	for name, ask := range map[string]func(*executor.Executor, executor.Request, *bank){"Start": waits, "Do": blocks} {
		for _, restart := range []bool{false, true} {
			if restart && name == "Do" {
				continue // its caller is gone, and nothing was written
			}
			t.Run(fmt.Sprint(name, " restart ", restart), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					j, b := newSpy(), &bank{sends: []reply{paidNow}}
					config := executor.Config{Journal: j, Breaker: executor.Breaker{Open: 24 * time.Hour}, Clients: map[string]executor.Client{"momo": b}}
					rules := hurried(t)
					x := open(t, rules, config)
					tripFor(t, x, "acme")
					const n = 20
					for i := range n {
						ask(x, of("acme", payment(fmt.Sprint("k", i))), b)
					}
					if restart {
						if err := shutDown(x); err != nil {
							t.Fatal(err)
						}
						time.Sleep(11 * time.Minute)
						config.Journal = j.beside()
						x = open(t, rules, config)
						if _, err := x.Resume(context.Background()); err != nil {
							t.Fatal(err)
						}
					}
					time.Sleep(11 * time.Minute)
					for i := range n {
						all := rows(t, j, keyOf(of("acme", payment(fmt.Sprint("k", i)))))
						if len(all) != 1 {
							t.Fatalf("%d rows", len(all))
						}
						if s := decodeState(t, &all[0]); s.Outcome != policy.Failed || !strings.Contains(s.Reason, "max_elapsed") {
							t.Fatalf("payment %d ended %s: %s", i, s.Outcome, s.Reason)
						}
					}
					time.Sleep(72 * time.Hour)
					b.wantCalls(t, 0, 0)
				})
			})
		}
	}
}

// tripFor opens the breaker of a merchant's payments.
func tripFor(t *testing.T, x *executor.Executor, merchant string) {
	t.Helper()
	for i := range 5 {
		_, err := x.Do(within(t, time.Second), of(merchant, payment(fmt.Sprint("trip", i))), &bank{sends: []reply{shut}})
		wantError[*executor.WithdrawnError](t, err)
	}
}

// until is a payment that must not be sent after a while.
func until(d time.Duration) executor.Request {
	q := payment("k")
	q.NotAfter = time.Now().Add(d)
	return q
}

// Request.NotAfter bounds the first send, the retries, and a call that a pause has delayed.
func TestNothingIsSentAfterNotAfter(t *testing.T) {
	for name, config := range journals {
		t.Run("a retry/"+name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{shut, paidNow}}
				r := carry(t, open(t, defaults(), config()), until(30*time.Second), b)
				wantOutcome(t, r, policy.Failed)
				b.wantCalls(t, 1, 0)
				if took := r.State().Evidence[0].At.Sub(r.State().Started); took > time.Minute {
					t.Error(took)
				}
			})
		})
		t.Run("in doubt/"+name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{silence}, asks: []reply{missing, working, paidAsk}}
				wantOutcome(t, carry(t, open(t, defaults(), config()), until(31*time.Second), b), policy.Succeeded)
				b.wantCalls(t, 1, 3)
			})
		})
		t.Run("the breaker/"+name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := config()
				c.Breaker.Open = time.Hour
				x, b := open(t, defaults(), c), &bank{sends: []reply{paidNow}}
				trip(t, x)
				start := time.Now()
				wantOutcome(t, carry(t, x, until(2*time.Minute), b), policy.Failed)
				if took := time.Since(start); took != 2*time.Minute {
					t.Errorf("it took %s", took)
				}
				b.wantCalls(t, 0, 0)
			})
		})
		t.Run("it has passed/"+name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{paidNow}}
				q := until(0)
				_, err := open(t, defaults(), config()).Do(context.Background(), q, b)
				if err == nil || !strings.Contains(err.Error(), "Request.NotAfter is "+q.NotAfter.Format(time.RFC3339)+"; it must not have passed") {
					t.Errorf("the error is %v", err)
				}
				b.wantCalls(t, 0, 0)
			})
		})
	}
}

// A request that is repeated after its NotAfter, as a program does that was started again, gets its payment: an
// error would say that nothing was sent.
func TestARequestRepeatedAfterNotAfterGetsItsPayment(t *testing.T) {
	for name, config := range journals {
		for _, ended := range []bool{false, true} {
			if ended && name == "in memory" {
				continue // nothing is known there of a flow that has ended
			}
			t.Run(fmt.Sprintf("%s/ended %t", name, ended), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					b := &bank{sends: []reply{silence}, asks: []reply{missing, working, paidAsk}}
					if ended {
						b = &bank{sends: []reply{paidNow}}
					}
					x, q := open(t, defaults(), config()), until(31*time.Second)
					h := begin(t, x, q, b)
					time.Sleep(32 * time.Second)
					if got := h.State().Stage == flow.Ended; got != ended {
						t.Fatalf("the flow has ended: %t", got)
					}
					again := begin(t, x, q, b)
					if again.Flow() != h.Flow() {
						t.Errorf("the repeated request has flow %s, not %s", again.Flow(), h.Flow())
					}
					wantOutcome(t, end(t, again, time.Hour), policy.Succeeded)
				})
			})
		}
	}
}

// The limit holds for a process that was paused, and for the next one.
func TestNothingIsSentAfterNotAfterByASlowOrALaterProcess(t *testing.T) {
	t.Run("a pause after the write", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			j, b := newSpy(), &bank{sends: []reply{paidNow}}
			j.after = func(p *put) error {
				if p.Version == 1 {
					time.Sleep(3 * time.Second) // less than the call has
				}
				return nil
			}
			wantOutcome(t, carry(t, open(t, defaults(), executor.Config{Journal: j}), until(2*time.Second), b), policy.Failed)
			b.wantCalls(t, 0, 0)
		})
	})
	t.Run("a restart", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			j, b := newSpy(), &bank{sends: []reply{shut, paidNow}}
			x := open(t, defaults(), executor.Config{Journal: j})
			begin(t, x, until(time.Minute), b)
			time.Sleep(time.Second)
			_ = shutDown(x)
			time.Sleep(time.Hour)
			y := open(t, defaults(), executor.Config{Journal: j.beside(), Clients: map[string]executor.Client{"momo": b}})
			if n, err := y.Resume(context.Background()); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			time.Sleep(time.Minute)
			all := rows(t, journal.Journal(j), keyOf(payment("k")))
			if s := decodeState(t, &all[0]); s.Outcome != policy.Failed {
				t.Errorf("it is %s %s", s.Stage, s.Outcome)
			}
			b.wantCalls(t, 1, 0)
		})
	})
}

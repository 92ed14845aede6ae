package executor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// mail is what processes leave for each other.
type mail struct {
	mu   sync.Mutex
	left [][2]string // flow, message
	shut bool        // nothing is collected
}

// apart is one process's view of a journal that several use. The holder holds every flow that is open.
type apart struct {
	*spy

	holder bool
	mail   *mail
}

func (a *apart) Claim(ctx context.Context, by time.Time, after journal.Cursor, limit int) ([]journal.Row, error) {
	if !a.holder {
		return nil, nil
	}
	return a.Due(ctx, by, after, limit)
}

func (a *apart) Take(ctx context.Context, id string) (journal.Row, bool, error) {
	row, err := a.Get(ctx, id)
	return row, row.Open && !a.holder, err
}

func (a *apart) GiveUp(context.Context, string) error { return nil }

func (a *apart) Leave(_ context.Context, id string, message []byte) error {
	a.mail.mu.Lock()
	defer a.mail.mu.Unlock()
	a.mail.left = append(a.mail.left, [2]string{id, string(message)})
	return nil
}

func (a *apart) Collect(_ context.Context, apply func(string, []byte) error) (n int, err error) {
	a.mail.mu.Lock()
	all := a.mail.left
	if !a.holder || a.mail.shut {
		all = nil
	} else {
		a.mail.left = nil
	}
	a.mail.mu.Unlock()
	for _, m := range all {
		if failed := apply(m[0], []byte(m[1])); failed != nil {
			err = errors.Join(err, failed)
			_ = a.Leave(context.Background(), m[0], []byte(m[1]))
		} else {
			n++
		}
	}
	return n, err
}

// waiting is how many messages were left and not taken.
func (m *mail) waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.left)
}

func (a *apart) letter(shut bool) {
	a.mail.mu.Lock()
	defer a.mail.mu.Unlock()
	a.mail.shut = shut
}

// A person's word is left for the process that holds the flow, and a proof is there before it is. Without an override it is refused
// there as it would be here: the key stays paid. That is said, and stands on the trail.
func TestAWordMeetsAProofAtAnotherProcess(t *testing.T) {
	for _, override := range []bool{false, true} {
		t.Run(fmt.Sprint("override ", override), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var mu sync.Mutex
				var said []string
				alerts := 0
				here := &apart{newSpy(), true, &mail{shut: true}}
				there := &apart{here.beside(), false, here.mail}
				a := open(t, defaults(), executor.Config{Journal: here,
					OnError: func(err error) { mu.Lock(); said = append(said, err.Error()); mu.Unlock() },
					OnAlert: func(context.Context, *executor.Alert) error { mu.Lock(); alerts++; mu.Unlock(); return nil }})
				b := open(t, defaults(), executor.Config{Journal: there})
				h, path := inDoubt(t, a, "k")
				wantAnswer(t, b.AdminHandler(), "POST", path+"/resolve", sayNotExecuted("k", fmt.Sprintf(`,"override":%t`, override)), 200)
				w := executor.Webhook{Provider: "momo", Verified: true, Answer: &policy.Answer{Code: "0", OrderID: "o-k", RequestID: "r-k", Amount: 120_000, Currency: "VND"}}
				if err := a.Notify(context.Background(), w); err != nil {
					t.Fatal(err)
				}
				here.letter(false)
				time.Sleep(time.Second)
				if n := here.mail.waiting(); n != 0 {
					t.Errorf("%d messages come again and again", n)
				}
				fresh, err := a.Handle(context.Background(), h.Flow())
				if err != nil {
					t.Fatal(err)
				}
				s := fresh.State()
				want := policy.Executed
				if override {
					want = policy.NotExecuted
				}
				if s.Outcome != policy.Succeeded || s.Ledger[0].Effect != want {
					t.Errorf("the flow ended %s, and its request is %s", s.Outcome, s.Ledger[0].Effect)
				}
				mu.Lock()
				words := strings.Join(said, "; ")
				if refused := strings.Contains(words, "contradicts"); refused == override || override == (alerts == 0) {
					t.Errorf("said: %q, and %d alerts", words, alerts)
				}
				mu.Unlock()
				if override {
					return
				}
				wantAnswer(t, a.AdminHandler(), "GET", path, "", 200, `"result":"refused: executor: flow`, `"who":"ann"`)
				again := &bank{sends: []reply{paidNow}}
				if r := carry(t, a, payment("k"), again); !r.Repeated {
					t.Errorf("the key is free: %+v", r)
				}
				again.wantCalls(t, 0, 0)
			})
		})
	}
}

// A person's word that nothing executed is left for the process that holds the flow, and the request is sent again before it is applied: it
// says nothing of that send, with an override either.
func TestAWordMeetsALaterSendAtAnotherProcess(t *testing.T) {
	for _, override := range []bool{false, true} {
		t.Run(fmt.Sprint("override ", override), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var mu sync.Mutex
				var said []string
				here := &apart{newSpy(), true, &mail{shut: true}}
				there := &apart{here.beside(), false, here.mail}
				a := open(t, defaults(), executor.Config{Journal: here, OnError: func(err error) { mu.Lock(); said = append(said, err.Error()); mu.Unlock() }})
				b := open(t, defaults(), executor.Config{Journal: there})
				h := begin(t, a, payment("k"), &bank{sends: []reply{silence}, asks: []reply{missing}})
				time.Sleep(40 * time.Second) // the send has timed out
				wantAnswer(t, b.AdminHandler(), "POST", "/flows/"+h.Flow()+"/resolve", sayNotExecuted("k", fmt.Sprintf(`,"override":%t`, override)), 200)
				for h.State().Ledger[0].Sends < 2 {
					time.Sleep(time.Second)
				}
				time.Sleep(40 * time.Second) // so has the second one
				here.letter(false)
				time.Sleep(time.Second)
				if n := here.mail.waiting(); n != 0 {
					t.Errorf("%d messages come again and again", n)
				}
				if s := h.State(); s.Outcome != policy.Open || s.Ledger[0].Effect == policy.NotExecuted {
					t.Errorf("the flow is %s, and its request %s", s.Outcome, s.Ledger[0].Effect)
				}
				mu.Lock()
				defer mu.Unlock()
				if words := strings.Join(said, "; "); !strings.Contains(words, "was sent again at") {
					t.Errorf("said: %q", words)
				}
			})
		})
	}
}

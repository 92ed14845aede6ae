package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// A payment key guards one purchase, if the caller gives one purchase one key. The most frequent cause of a
// second charge is a caller that does not: a page that is loaded again, a cart that is built anew, another
// provider tried after a timeout. So payments that are alike may be held apart too.

// Duplicates is a second guard beside the payment key: a new payment that is like another one of the last
// while, under another key, is refused, or held until the other has ended. Alike are payments of one
// merchant with the same amount, currency and customer; a pay and a checkout, two payouts, or two refunds
// of one payment. A payment that failed, and executed nothing, is no reason. The zero value is off.
//
// With a journal it works across restarts, for payments that were accepted while it was on. Without one,
// and at a provider that [Config].Clients does not know, only payments of this process that are open count.
type Duplicates struct {
	Within time.Duration // since the other was accepted; 0: off; at most 48 h
	Tag    string        // the tag of a payment that names its customer; a payment without it is not compared
	Hold   bool          // Do and Start wait, while ctx allows, for the other to end; else it is refused at once
}

// longestWithin bounds how much of the journal is asked for.
const longestWithin = 48 * time.Hour

func (d *Duplicates) validate() error {
	switch {
	case *d == (Duplicates{}):
		return nil
	case d.Within <= 0 || d.Within > longestWithin:
		return fmt.Errorf("executor: Config.Duplicate.Within is %s; it must be more than 0 and at most %s", d.Within, longestWithin)
	case d.Tag == "":
		return errors.New("executor: Config.Duplicate.Tag must name the tag that names the customer")
	}
	return nil
}

// DuplicateError says that a payment is like another one of the last while, and has another payment key.
// Nothing was sent. If it is meant, [Request].Distinct names the other flow.
type DuplicateError struct {
	Flow string // the other one
	Key  string // its payment key; empty: it has none
	Age  time.Duration
	Open bool // it has not ended
}

// Error names the flow.
func (e *DuplicateError) Error() string {
	how := "has ended"
	if e.Open {
		how = "is open"
	}
	return fmt.Sprintf("executor: flow %s of payment key %q, accepted %s ago, is a payment of the same merchant, customer, amount and currency, and %s; name it in Request.Distinct if both are meant",
		e.Flow, e.Key, e.Age.Round(time.Second), how)
}

// likeness is what alike payments have in common. The zero value is alike to none. It does not change.
type likeness struct {
	text string
	at   time.Time // when the payment was accepted
}

// like is the likeness of a payment.
func (x *Executor) like(q *Request, at time.Time) likeness {
	d := &x.cfg.Duplicate
	customer := q.Tags[d.Tag]
	if d.Within == 0 || customer == "" {
		return likeness{}
	}
	class, target := q.Operation, ""
	switch q.Operation {
	case policy.Pay, policy.Checkout:
		class = policy.Pay
	case policy.Payout:
	case policy.Refund:
		target = q.ProviderID
	default:
		return likeness{} // of a capture or a cancel there is one for each payment
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q %q %d %q %q", class, q.Merchant, customer, q.Amount, q.Currency, target))
	return likeness{hex.EncodeToString(sum[:16]), at}
}

// likenessStep is the length of the intervals by which rows are found.
const likenessStep = time.Hour

// name is what stands among the names of the row. The hour keeps the rows that are read few.
func (l likeness) name(at time.Time) string {
	return fmt.Sprintf("alike:%s:%d", l.text, at.Unix()/int64(likenessStep/time.Second))
}

// names are those of all rows that may be alike.
func (l likeness) names(within time.Duration) (all []string) {
	for at := l.at.Add(-within); at.Before(l.at.Add(within + likenessStep)); at = at.Add(likenessStep) {
		all = append(all, l.name(at))
	}
	return all
}

// duplicate returns an error if another flow's payment is like a new one.
func (r *run) duplicate(other *run, open bool) error {
	a, b := r.alike, other.alike
	age := a.at.Sub(b.at)
	switch {
	case a.text == "" || a.text != b.text || r == other || age.Abs() > r.x.cfg.Duplicate.Within:
		return nil
	case r.req.Key != "" && r.key() == other.key():
		return nil // the key guards it
	case slices.Contains(r.req.Distinct, other.id):
		return nil
	}
	return &DuplicateError{Flow: other.id, Key: other.req.Key, Age: age, Open: open}
}

// alikeFreeLocked compares a new flow with those in memory. The executor's lock is held.
func (x *Executor) alikeFreeLocked(r *run) error {
	for _, other := range x.byAlike[r.alike.text] {
		if err := r.duplicate(other, true); err != nil {
			return err
		}
	}
	return nil
}

// addAlikeLocked puts a flow into the index by likeness. The executor's lock is held.
func (x *Executor) addAlikeLocked(r *run) {
	if r.alike.text != "" && !slices.Contains(x.byAlike[r.alike.text], r) {
		x.byAlike[r.alike.text] = append(x.byAlike[r.alike.text], r)
	}
}

// removeAlikeLocked takes a flow out of it: the journal knows what became of it. The lock is held.
func (x *Executor) removeAlikeLocked(r *run) {
	text := r.alike.text
	if text == "" {
		return
	}
	if x.byAlike[text] = slices.DeleteFunc(x.byAlike[text], func(o *run) bool { return o == r }); len(x.byAlike[text]) == 0 {
		delete(x.byAlike, text)
	}
}

// alikeFree compares a new flow with those in the journal. It is registered already: one that is alike
// and comes at the same time finds it in memory.
func (x *Executor) alikeFree(ctx context.Context, r *run) error {
	if x.cfg.Journal == nil || r.alike.text == "" {
		return nil
	}
	providers := []string{r.req.Provider}
	for p := range x.cfg.Clients {
		if p != r.req.Provider {
			providers = append(providers, p)
		}
	}
	for _, p := range providers {
		rows, err := x.cfg.Journal.Named(ctx, p, r.alike.names(x.cfg.Duplicate.Within)...)
		if err != nil {
			return err
		}
		for i := range rows {
			if rows[i].ID == r.id {
				continue
			}
			old, err := x.read(&rows[i])
			if err != nil {
				return err
			}
			if !rows[i].Open && noneExecuted(old.state.Ledger) {
				continue
			}
			if err := r.duplicate(old, rows[i].Open); err != nil {
				return err
			}
		}
	}
	return nil
}

// holdLook is how often a payment that is held looks again.
const holdLook = 200 * time.Millisecond

// held waits for the other flow of a duplicate to end. It reports whether the payment may try again.
func (x *Executor) held(ctx context.Context, err error) bool {
	if x.openElsewhere(ctx, err) {
		return true
	}
	d := (*DuplicateError)(nil)
	if !x.cfg.Duplicate.Hold || !errors.As(err, &d) || !d.Open {
		return false
	}
	x.mu.Lock()
	other := x.flows[d.Flow]
	x.mu.Unlock()
	if other != nil {
		_ = other.waitUntil(ctx, func() bool { return other.state.Stage == flow.Ended }) // whatever it is, the next look says
	}
	look := time.NewTimer(holdLook)
	defer look.Stop()
	select {
	case <-look.C:
		return true
	case <-ctx.Done():
	case <-x.life.Done():
	}
	return false
}

package executor

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// Webhook is a message that a provider sent by itself, or that came with the shopper's
// browser.
type Webhook struct {
	Provider string
	Merchant string         // empty: every merchant's flows are looked at
	Header   http.Header    // for Config.VerifyWebhook
	Body     []byte         // raw
	Answer   *policy.Answer // set: what was said, and Body is for Config.VerifyWebhook only
	Verified bool           // its signature was checked; Config.VerifyWebhook overrides it
}

// Notify hands in a webhook. It returns when what was heard is written down, so that the
// provider may be told that it arrived. A message that nobody verified proves nothing: it
// brings a query forward, a few times. The error is [ErrUnknownFlow] when no flow has any
// of the names in it.
func (x *Executor) Notify(ctx context.Context, w Webhook) error {
	if x.cfg.VerifyWebhook != nil {
		err := x.cfg.VerifyWebhook(ctx, &w)
		if w.Verified = err == nil; err != nil {
			x.reportError(fmt.Errorf("executor: a webhook of %s is not genuine: %w", w.Provider, err))
		}
	}
	ids, err := x.findFlows(ctx, &w)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return ErrUnknownFlow
	}
	var errs []error
	for _, id := range ids {
		errs = append(errs, x.applyTo(ctx, id, func(r *run) flow.Event {
			a := x.readWebhook(&w, &r.req.Payment)
			r.observeWebhook(ctx, &w, &a)
			return flow.Received{Moment: x.moment(), Answer: a}
		}))
	}
	return errors.Join(errs...)
}

// heard tells the observers of a webhook.
func (r *run) observeWebhook(ctx context.Context, w *Webhook, a *policy.Answer) {
	if len(r.x.cfg.Observers) == 0 {
		return
	}
	e := &WebhookEvent{Flow: r.id, Payment: &r.req.Payment, At: wallClock(), Body: w.Body, Answer: *a}
	if w.Answer != nil {
		e.Body = nil // it was not read from there
	}
	r.observe(func(o Observer) { o.WebhookReceived(ctx, e) })
}

// hear reads a webhook as one about a payment.
func (x *Executor) readWebhook(w *Webhook, p *policy.Payment) policy.Answer {
	if w.Answer != nil {
		a := *w.Answer
		a.Phase, a.Verified = policy.Webhook, w.Verified
		return a
	}
	a := policy.Answer{Phase: policy.Webhook, Verified: w.Verified}
	if err := x.rules.Read(p, w.Body, &a); err != nil {
		a.Fault = policy.Unreadable
	}
	return a
}

// named finds the flows that a webhook may speak of. What it says, and of whom, depends on
// the operation that it is read as one of.
func (x *Executor) findFlows(ctx context.Context, w *Webhook) ([]string, error) {
	var names []string
	known := false
	for _, op := range policy.Operations() {
		p := policy.Payment{Provider: w.Provider, Merchant: w.Merchant, Operation: op}
		if _, err := x.rules.For(&p); err != nil {
			continue
		}
		known = true
		a := x.readWebhook(w, &p)
		for _, text := range []string{a.OrderID, a.RequestID, a.ProviderID} {
			names = addName(names, text)
		}
	}
	if !known {
		return nil, fmt.Errorf("executor: a webhook of %q, of whom the rules know nothing", w.Provider)
	}
	var ids []string
	add := func(id, merchant string) {
		if w.Merchant == "" || w.Merchant == merchant {
			ids = append(ids, id)
		}
	}
	if x.cfg.Journal == nil {
		for _, r := range x.findByName(w.Provider, names) {
			add(r.id, r.req.Merchant)
		}
		return ids, nil
	}
	if len(names) == 0 {
		return nil, nil
	}
	rows, err := x.cfg.Journal.Named(ctx, w.Provider, names...)
	last := map[journal.Key]int{}
	for i := range rows {
		r, err := x.read(&rows[i])
		if err != nil {
			return nil, err
		}
		if _, known := last[rows[i].Key]; len(r.state.Ledger) > 0 || !known { // it has sent something
			last[rows[i].Key] = i
		}
	}
	for i := range rows {
		if k := rows[i].Key; k.Payment == "" || last[k] == i { // the last flow of a key knows of all before it
			add(rows[i].ID, k.Merchant)
		}
	}
	return ids, err
}

// Resolution is the word of a person, a reconciliation file, or a cancel that worked.
type Resolution struct {
	OrderID   string // of the identity that it speaks of
	RequestID string // needed where several requests have the order id
	Effect    policy.Effect
	Who, Why  string // both needed; they stand in the evidence
}

// Resolve tells a flow, open or not, what became of one of its identities.
func (x *Executor) Resolve(ctx context.Context, id string, w Resolution) error {
	if w.Who == "" || w.Why == "" {
		return errors.New("executor: a resolution says who and why")
	}
	if !w.Effect.Settled() {
		return fmt.Errorf("executor: a resolution says executed or not_executed, not %s", w.Effect)
	}
	var missing error
	err := x.applyTo(ctx, id, func(r *run) flow.Event {
		i, err := r.identity(w.OrderID, w.RequestID)
		if missing = err; err != nil {
			return nil
		}
		return flow.Resolved{Moment: x.moment(), Identity: i, Effect: w.Effect, Who: w.Who, Why: w.Why}
	})
	return errors.Join(missing, err)
}

// identity finds the one that a resolution speaks of. The lock is held.
func (r *run) identity(orderID, requestID string) (int, error) {
	found, n := -1, 0
	for i := range r.state.Ledger {
		if id := &r.state.Ledger[i]; id.OrderID == orderID && (requestID == "" || id.RequestID == requestID) {
			found = i
			n++
		}
	}
	switch n {
	case 0:
		return -1, fmt.Errorf("executor: flow %s sent nothing as order %q, request %q", r.id, orderID, requestID)
	case 1:
		return found, nil
	}
	return -1, fmt.Errorf("executor: flow %s sent %d requests of order %q; say which", r.id, n, orderID)
}

// touch gives an event to a flow, open or ended, in memory or not. event may be asked more
// than once, and is called with the flow's lock held; nil: there is nothing to give.
func (x *Executor) applyTo(ctx context.Context, id string, event func(*run) flow.Event) error {
	const tries = 50 // against others who load the same flow from the journal
	var err error
	for range tries {
		r, letGo, failed := x.find(ctx, id)
		if errors.Is(failed, ErrTakenOver) {
			err = failed
			continue
		}
		if failed != nil {
			return failed
		}
		err = nil
		r.mu.Lock()
		if e := event(r); e != nil {
			err = r.apply(e)
		}
		r.mu.Unlock()
		if err == nil {
			r.deliverNotices()
		}
		letGo()
		if !errors.Is(err, ErrTakenOver) {
			return err
		}
	}
	return err
}

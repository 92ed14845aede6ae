package executor

import (
	"cmp"
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
	Merchant string         // empty: the flows of every merchant are searched
	Header   http.Header    // for Config.VerifyWebhook
	Body     []byte         // raw
	Answer   *policy.Answer // set: the decoded message, and Body is for Config.VerifyWebhook only
	Verified bool           // its signature was checked; Config.VerifyWebhook overrides it
}

// Notify hands in a webhook. It returns when the message is in the journal: only then may the
// provider get its 200. A message that is not verified proves nothing. It brings a query
// forward, a few times. The error is [ErrUnknownFlow] when no flow has any of the names in the
// message.
func (x *Executor) Notify(ctx context.Context, w Webhook) error {
	if x.cfg.VerifyWebhook != nil {
		err := x.cfg.VerifyWebhook(ctx, &w)
		if w.Verified = err == nil; err != nil {
			x.reportError(fmt.Errorf("executor: Config.VerifyWebhook refused a webhook of %q: %w", w.Provider, err))
		}
	}
	d := &decoding{x: x, w: &w}
	ids, err := x.findFlows(ctx, d)
	if len(ids) == 0 {
		return cmp.Or(err, ErrUnknownFlow)
	}
	errs := []error{err} // of flows that cannot be read: the provider sends again for them
	for _, id := range ids {
		errs = append(errs, x.applyTo(ctx, id, func(r *run) flow.Event {
			a := d.answer(&r.req.Payment)
			r.observeWebhook(ctx, &w, &a)
			return flow.Received{Moment: x.moment(), Answer: a}
		}))
	}
	return errors.Join(errs...)
}

func (r *run) observeWebhook(ctx context.Context, w *Webhook, a *policy.Answer) {
	if len(r.x.cfg.Observers) == 0 {
		return
	}
	e := &WebhookEvent{Flow: r.id, Payment: &r.req.Payment, At: wallClock(), Body: w.Body, Answer: *a}
	if w.Answer != nil {
		e.Body = nil // the answer was not read from it
	}
	r.observe(func(o Observer) { o.WebhookReceived(ctx, e) })
}

// decoding is what a webhook says, for each operation that it may be about. The operation is
// known only when a flow is found, by names that the same decoding gives. It belongs to one
// goroutine.
type decoding struct {
	x       *Executor
	w       *Webhook
	decoded []decoded
}

type decoded struct {
	operation policy.Operation
	currency  string // of the payment
	answer    policy.Answer
}

// answer reads the webhook as one about a payment. A body that names its currency is decoded
// once for each operation, others once more for the currency of the payment: an amount of "100"
// depends on it.
func (d *decoding) answer(p *policy.Payment) policy.Answer {
	if d.w.Answer != nil {
		a := *d.w.Answer
		a.Phase, a.Verified = policy.Webhook, d.w.Verified
		return a
	}
	for i := range d.decoded {
		k := &d.decoded[i]
		if k.operation == p.Operation && (k.currency == p.Currency || k.currency == "" && k.answer.Currency != "") {
			return k.answer
		}
	}
	a, _, err := d.x.rules.Read(p, policy.Webhook, d.w.Body)
	a.Phase, a.Verified = policy.Webhook, d.w.Verified
	if err != nil {
		a.Fault = policy.Unreadable
	}
	d.decoded = append(d.decoded, decoded{operation: p.Operation, currency: p.Currency, answer: a})
	return a
}

// names are the identifiers in the message, under every operation that the rules know for its
// provider. known is false if they know none.
func (d *decoding) names() (names []string, known bool) {
	for _, op := range policy.Operations() {
		p := policy.Payment{Provider: d.w.Provider, Merchant: d.w.Merchant, Operation: op}
		if _, err := d.x.rules.For(&p); err != nil {
			continue
		}
		known = true
		a := d.answer(&p)
		for _, text := range []string{a.OrderID, a.RequestID, a.ProviderID} {
			names = addName(names, text)
		}
	}
	return names, known
}

// findFlows lists the ids of the flows that a webhook may be about.
func (x *Executor) findFlows(ctx context.Context, d *decoding) ([]string, error) {
	w := d.w
	names, known := d.names()
	switch {
	case !known:
		return nil, fmt.Errorf("executor: Webhook.Provider is %q; it must be a provider that the rules know", w.Provider)
	case x.cfg.Journal != nil && len(names) == 0:
		return nil, nil
	case x.cfg.Journal != nil:
		return x.findInJournal(ctx, w, names)
	}
	var ids []string
	for _, r := range x.findByName(w.Provider, names) {
		if w.Merchant == "" || w.Merchant == r.req.Merchant {
			ids = append(ids, r.id)
		}
	}
	return ids, nil
}

// findInJournal lists the flows by name, of each payment key only the last that has sent
// something: it knows the identities of all flows before it. A row that cannot be read is an
// error beside the flows of other keys and merchants, and does not keep the message from them.
func (x *Executor) findInJournal(ctx context.Context, w *Webhook, names []string) ([]string, error) {
	rows, err := x.cfg.Journal.Named(ctx, w.Provider, names...)
	errs := []error{err}
	last := map[journal.Key]int{}
	unreadable := map[int]bool{}
	for i := range rows {
		if w.Merchant != "" && w.Merchant != rows[i].Key.Merchant {
			continue
		}
		r, err := x.read(&rows[i])
		if err != nil {
			errs = append(errs, err)
			unreadable[i] = true
			last[rows[i].Key] = i // it may have sent something
			continue
		}
		if _, known := last[rows[i].Key]; len(r.state.Ledger) > 0 || !known {
			last[rows[i].Key] = i
		}
	}
	var ids []string
	for i := range rows {
		k := rows[i].Key
		if (k.Payment == "" || last[k] == i) && (w.Merchant == "" || w.Merchant == k.Merchant) && !unreadable[i] {
			ids = append(ids, rows[i].ID)
		}
	}
	return ids, errors.Join(errs...)
}

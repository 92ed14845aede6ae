package executor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/policy"
)

// Webhook is a message that a provider sent by itself, or that came with the shopper's
// browser.
type Webhook struct {
	Provider string

	// Merchant is whose account at the provider the message is from. Empty: the flows of every
	// merchant are searched, and a message that fits several proves nothing.
	Merchant string

	// Operations are those that the URL receives messages about. Empty: any. They matter where a
	// message does not say what it is about, and ids of two operations may have the same text.
	Operations []policy.Operation

	Header   http.Header    // for Config.VerifyWebhook, and for catalogues that read one
	Query    string         // of the URL that it came to, without the "?": some providers say everything there
	Body     []byte         // raw
	Answer   *policy.Answer // set: the decoded message, and Body is for Config.VerifyWebhook only
	Verified bool           // its signature was checked; Config.VerifyWebhook overrides it
}

// Bounds of webhooks.
const (
	largestWebhook = 256 << 10 // bytes; those of the built-in catalogues have less than 4 kB
	forgedAtOnce   = 200       // not verified, for all providers together
	forgedEvery    = 20 * time.Millisecond
)

// Notify hands in a webhook. It returns when what it changes is in the journal: only then may the
// provider get its 200. The message is about the flows that it names, as read for their own
// operation. One that is not verified proves nothing, and brings a query forward, a few times; so
// does one that would prove something of several payments. The error is [ErrUnknownFlow] when it
// names no flow.
func (x *Executor) Notify(ctx context.Context, w Webhook) error {
	if len(w.Body) > largestWebhook || len(w.Query) > largestWebhook {
		return fmt.Errorf("executor: Webhook.Body and Query have %d and %d bytes; at most %d are read", len(w.Body), len(w.Query), largestWebhook)
	}
	w.Body = bytes.Clone(w.Body) // the caller may use its buffer again, when ctx is over before this has ended
	return boundedError(ctx, x, func() error { return x.notify(ctx, w) })
}

func (x *Executor) notify(ctx context.Context, w Webhook) error {
	x.reportError(x.verify(ctx, &w))
	if !w.Verified {
		// Whoever knows the URL can send it, and each costs a look into the journal.
		if wait := x.forged.take(1, time.Now()); wait > 0 {
			return fmt.Errorf("executor: more than %g webhooks at once that are not verified; the next one is read in %s", x.forged.terms.Tokens, wait.Round(time.Millisecond))
		}
	}
	d := &decoding{x: x, w: &w}
	named, err := x.findFlows(ctx, d)
	if named = relevant(named, &w); len(named) == 0 {
		return cmp.Or(err, ErrUnknownFlow)
	}
	if w.Verified && ambiguous(named) {
		w.Verified = false
		d.decoded = nil
	}
	errs := []error{err} // of flows that cannot be read: the provider sends again for them
	for _, id := range idsOf(named) {
		errs = append(errs, x.applyTo(ctx, id, func(r *run) flow.Event {
			read := d.read(&r.req.Payment)
			r.observeWebhook(ctx, &w, &read)
			return flow.Received{Moment: x.moment(), Answer: read.answer}
		}))
	}
	return errors.Join(errs...)
}

// verify asks VerifyWebhook about a webhook. One that it does not answer in time is not verified.
func (x *Executor) verify(ctx context.Context, w *Webhook) error {
	if x.cfg.VerifyWebhook == nil {
		return nil
	}
	theirs := *w // it may return too late, and may set the merchant
	checked, err := patiently(ctx, hookPatience, "VerifyWebhook", "", func(ctx context.Context) (Webhook, error) {
		err := x.cfg.VerifyWebhook(ctx, &theirs)
		return theirs, err
	})
	if err != nil {
		w.Verified = false
		return fmt.Errorf("executor: Config.VerifyWebhook refused a webhook of %q: %w", w.Provider, err)
	}
	*w = checked
	w.Verified = true
	return nil
}

func (r *run) observeWebhook(ctx context.Context, w *Webhook, read *decoded) {
	if len(r.x.cfg.Observers) == 0 {
		return
	}
	e := &WebhookEvent{Flow: r.id, Payment: &r.req.Payment, At: r.x.clock.now(), Header: read.header, Query: w.Query, Body: w.Body, Answer: read.answer}
	if w.Answer != nil {
		e.Header, e.Query, e.Body = nil, "", nil // the answer was not read from them
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
	merchant  string
	currency  string // of the payment
	answer    policy.Answer
	header    map[string]string // that was read
}

// answer is what the webhook says of a payment.
func (d *decoding) answer(p *policy.Payment) policy.Answer { return d.read(p).answer }

// read reads the webhook as one about a payment. A body that names its currency is decoded
// once for each operation and merchant, others once more for the currency of the payment: an amount of "100"
// depends on it.
func (d *decoding) read(p *policy.Payment) decoded {
	if d.w.Answer != nil {
		a := *d.w.Answer
		a.HTTPStatus = statusOf(a.HTTPStatus)
		a.Phase, a.Verified, a.Message = policy.Webhook, d.w.Verified, stored.Text(a.Message)
		return decoded{answer: a}
	}
	for i := range d.decoded {
		k := &d.decoded[i]
		if k.operation == p.Operation && k.merchant == p.Merchant && (k.currency == p.Currency || k.currency == "" && k.answer.Currency != "") {
			return *k
		}
	}
	m := policy.Message{Header: joined(d.w.Header), Query: d.w.Query, Body: d.w.Body}
	a, _, err := d.x.decode(p, policy.Webhook, &m)
	a.Phase, a.Verified, a.Message = policy.Webhook, d.w.Verified, stored.Text(a.Message)
	if err != nil {
		a.Fault = policy.Unreadable
	}
	k := decoded{operation: p.Operation, merchant: p.Merchant, currency: p.Currency, answer: a, header: m.Header}
	d.decoded = append(d.decoded, k)
	return k
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
			names = stored.AddName(names, text)
		}
	}
	return names, known
}

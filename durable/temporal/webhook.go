package temporal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// largestWebhook is the most that is read of one.
const largestWebhook = 256 << 10

// Notify hands in a webhook. It returns nil when Temporal has stored it for every flow that it is about: only then may
// the provider get its 200. One that is not verified is refused: everyone who knows the URL can send it, and each signal
// stays in a history. The error is [executor.ErrUnknownFlow] when it names no flow.
func (d *Driver) Notify(ctx context.Context, w executor.Webhook) error {
	if len(w.Body) > largestWebhook || len(w.Query) > largestWebhook {
		return fmt.Errorf("temporal: Webhook.Body and Query have %d and %d bytes; at most %d are read", len(w.Body), len(w.Query), largestWebhook)
	}
	if d.o.VerifyWebhook != nil {
		if err := d.o.VerifyWebhook(ctx, &w); err != nil {
			return fmt.Errorf("temporal: the webhook is not verified: %w", err)
		}
		w.Verified = true
	}
	if !w.Verified {
		return errors.New("temporal: the webhook is not verified")
	}
	rows, err := d.o.Journal.Named(ctx, w.Provider, d.names(&w)...)
	if err != nil {
		return err
	}
	to, err := d.addressees(&w, rows)
	if err != nil {
		return err
	}
	var errs []error
	for _, a := range to {
		errs = append(errs, d.signal(ctx, a.id, &event{Kind: evReceived, Answer: (*stored.Answer)(&a.answer)}))
	}
	return errors.Join(errs...)
}

// names are the identifiers in a webhook, under every operation of its provider.
func (d *Driver) names(w *executor.Webhook) (names []string) {
	for _, op := range policy.Operations() {
		p := policy.Payment{Provider: w.Provider, Merchant: w.Merchant, Operation: op}
		if _, err := d.hosts[0].rules.For(&p); err != nil {
			continue
		}
		a := d.read(w, &p)
		for _, text := range []string{a.OrderID, a.RequestID, a.ProviderID} {
			names = stored.AddName(names, text)
		}
	}
	return names
}

// read reads a webhook as one about a payment, by the rules of today.
func (d *Driver) read(w *executor.Webhook, p *policy.Payment) (a policy.Answer) {
	if w.Answer != nil {
		a = *w.Answer
	} else {
		var err error
		a, _, err = d.hosts[0].rules.Read(p, policy.Webhook, &policy.Message{Header: joined(w.Header), Query: w.Query, Body: w.Body})
		if err != nil {
			a.Fault = policy.Unreadable
		}
	}
	a.Phase, a.Verified, a.Message = policy.Webhook, true, stored.Text(a.Message)
	return a
}

func joined(h http.Header) map[string]string {
	all := make(map[string]string, len(h))
	for name, values := range h {
		all[name] = strings.Join(values, ", ")
	}
	return all
}

// addressee is a flow that a webhook is about.
type addressee struct {
	id     string
	key    journal.Key
	exact  bool // it names an identity; else only an order, with a request that the flow does not know
	answer policy.Answer
}

// addressees are the flows that a webhook names. One that fits flows of several merchants or keys proves nothing.
func (d *Driver) addressees(w *executor.Webhook, rows []journal.Row) ([]addressee, error) {
	var all []addressee
	for i := range rows {
		row := &rows[i]
		if w.Merchant != "" && w.Merchant != row.Key.Merchant || len(w.Operations) > 0 && !slices.Contains(w.Operations, row.Key.Operation) {
			continue
		}
		f, err := readRow(row)
		if err != nil {
			return nil, err
		}
		s := f.State.State()
		to := addressee{id: row.ID, key: row.Key, answer: d.read(w, &s.Payment)}
		if n := sizeOf(stored.Answer(to.answer)); n > largestAnswer {
			return nil, fmt.Errorf("temporal: the webhook's answer has %d bytes; at most %d are read", n, largestAnswer)
		}
		exact, order := s.Names(&to.answer)
		if to.exact = exact; exact || order {
			all = append(all, to)
		}
	}
	if slices.ContainsFunc(all, func(a addressee) bool { return a.exact }) {
		all = slices.DeleteFunc(all, func(a addressee) bool { return !a.exact })
	}
	for _, a := range all {
		if a.key != all[0].key {
			return nil, fmt.Errorf("temporal: the webhook fits flow %s and flow %s, of different payments; Webhook.Merchant or Operations must say which", all[0].id, a.id)
		}
	}
	if len(all) == 0 {
		return nil, executor.ErrUnknownFlow
	}
	return all, nil
}

package ruletest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

// givenKeys are the fields that describe an answer and the flow before it: the fields of
// `recourse decide`, with durations and times as people write them, and answer, the short form
// of an answer.
var givenKeys = []string{
	"provider", "merchant", "operation", "phase", "answer", "code", "unlisted", "sub_code", "status", "sub_status", "http_status",
	"fault", "message", "body", "attempt", "queries", "fired", "elapsed", "at", "retry_after", "amount", "currency", "capture",
	"tags", "replay", "in_doubt", "verified", "order_id", "request_id", "provider_id", "payment_key",
}

// given is a parsed question, with the catalogue and the rules for it.
type given struct {
	question advice.Question
	said     string // the answer in its short form
	catalog  *providers.Catalog
	layers   rules.Layers
}

// describe names a test that has no name.
func (g *given) describe() string {
	q := &g.question
	parts := []string{q.Provider, q.Operation.String()}
	if q.Phase != policy.Send {
		parts = append(parts, q.Phase.String())
	}
	if q.Merchant != "" {
		parts = append(parts, "of "+q.Merchant)
	}
	name := strings.Join(parts, " ") + ": " + g.said
	for _, id := range slices.Sorted(maps.Keys(q.Fired)) {
		name += fmt.Sprintf(", %s x%d", id, q.Fired[id])
	}
	if q.ElapsedMS > 0 {
		name += ", after " + short(time.Duration(q.ElapsedMS)*time.Millisecond)
	}
	if q.Amount > 0 {
		name += ", " + policy.FormatAmount(q.Amount, q.Currency)
	}
	for _, p := range []struct {
		on   bool
		text string
	}{{q.InDoubt, "in doubt"}, {q.Replay, "of a replay"}, {q.Verified && q.Phase == policy.Webhook, "verified"}} {
		if p.on {
			name += ", " + p.text
		}
	}
	return name
}

// withDefaults fills in the defaults of the file.
func (r *reader) withDefaults(f fields) fields {
	for key, v := range r.defaults {
		if _, said := f[key]; !said {
			f[key] = v
		}
	}
	return f
}

// paymentOf reads the payment. Without a catalogue nothing more can be read. ok is false after
// any mistake.
func (r *reader) paymentOf(f fields, pos source.Pos) (p policy.Payment, cat *providers.Catalog, ok bool) {
	f = r.withDefaults(f)
	p.Provider, p.Merchant = r.text(f, "provider"), r.text(f, "merchant")
	if _, said := f["merchant"]; !said {
		p.Merchant = merchantOf(r.suite.File)
	}
	before := len(r.errs.Mistakes)
	for _, need := range []string{"provider", "operation"} {
		if _, said := f[need]; !said {
			r.fail(pos, "%s is missing", need)
		}
	}
	r.word(f, "operation", &p.Operation)
	r.word(f, "capture", &p.Capture)
	p.Amount, p.Currency = r.count(f, "amount"), r.text(f, "currency")
	p.Key = r.text(f, "payment_key")
	r.pairs(f, "tags", func(name string, value any) bool {
		text, ok := value.(string)
		if !ok {
			r.fail(f["tags"].Pos(), "tag %q must be a string", name)
		}
		if p.Tags == nil {
			p.Tags = map[string]string{}
		}
		p.Tags[name] = text
		return ok
	})
	cat, err := r.e.Catalogs.Get(p.Provider)
	if v, said := f["provider"]; err != nil && said {
		r.unknown(v.Pos(), "provider", p.Provider, r.e.Catalogs.Names())
	}
	if p.Merchant != "" && r.e.Rules.Merchants[p.Merchant] == nil {
		at := pos
		if v, said := f["merchant"]; said {
			at = v.Pos()
		}
		r.unknown(at, "merchant", p.Merchant, r.e.Rules.MerchantNames())
	}
	if err == nil && len(r.errs.Mistakes) == before && !r.e.Rules.Uses(p.Merchant, p.Provider) {
		at := pos
		if v, said := f["provider"]; said {
			at = v.Pos()
		}
		r.fail(at, "%s", r.e.Check(&p))
	}
	var no *ruleset.NotOfferedError
	if v, said := f["operation"]; said && len(r.errs.Mistakes) == before && errors.As(r.e.Check(&p), &no) {
		r.fail(v.Pos(), "%s", no)
	}
	return p, cat, len(r.errs.Mistakes) == before
}

// given reads the question of a decision.
func (r *reader) given(f fields, pos source.Pos) (g given, ok bool) {
	before := len(r.errs.Mistakes)
	p, cat, _ := r.paymentOf(f, pos)
	if cat == nil {
		return g, false
	}
	g.catalog, g.layers = cat, r.e.Rules.Layers(p.Provider, p.Merchant)
	q := &g.question
	q.Provider, q.Merchant, q.Operation = p.Provider, p.Merchant, &p.Operation
	q.Amount, q.Currency, q.Capture, q.Tags, q.PaymentKey = p.Amount, p.Currency, p.Capture, p.Tags, p.Key
	r.word(f, "phase", &q.Phase)
	a := r.answerFields(f, cat)
	if v, ok := f["answer"]; ok {
		text, isText := v.Text()
		if number, ok := v.Scalar(); ok && !isText {
			text, isText = source.Text{Value: number}, true
		}
		if !isText {
			r.fail(v.Pos(), "answer is %s; it must be a string such as %q", v.Kind(), "FAILED 4701")
		} else {
			said := r.said(placed{text, v.Pos()}, cat)
			if said.OrderID+said.RequestID+said.ProviderID+said.Currency != "" || said.Amount != 0 {
				r.fail(v.Pos(), "whom an answer names, and which amount, is told by its body here, or in a [[flow]]")
			}
			a.join(said)
		}
	}
	a.ask(q)
	g.said = a.String()
	if v, ok := f["body"]; ok {
		g.said = "a body"
		q.Body = r.body(v)
	}
	q.Attempt, q.Queries = int(r.count(f, "attempt")), int(r.count(f, "queries"))
	q.ElapsedMS = r.duration(f, "elapsed").Milliseconds()
	q.Replay, q.InDoubt = r.yes(f, "replay"), r.yes(f, "in_doubt")
	q.PaymentKey = r.text(f, "payment_key")
	r.pairs(f, "fired", func(id string, value any) bool {
		n, isNumber := value.(int64)
		switch {
		case !isNumber || n < 0:
			r.fail(f["fired"].Pos(), "fired counts how often rules were followed: fired = { %s = 2 }", id)
		case !contains(ruleIDs(g.layers), id):
			r.unknown(f["fired"].Pos(), "rule", id, ruleIDs(g.layers))
		default:
			if q.Fired == nil {
				q.Fired = map[string]int{}
			}
			q.Fired[id] = int(n)
		}
		return true
	})
	q.At = r.moment(f, g.layers.Timezone())
	return g, len(r.errs.Mistakes) == before
}

// body returns a raw body: a string with the bytes that came, or a table for a JSON object.
func (r *reader) body(v source.Value) json.RawMessage {
	raw, err := json.Marshal(v.Any())
	if err != nil {
		r.fail(v.Pos(), "body: %s", err)
	}
	return raw
}

func ruleIDs(l rules.Layers) []string {
	all := l.Rules()
	ids := make([]string, len(all))
	for i, r := range all {
		ids[i] = r.ID
	}
	return ids
}

package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/outfile"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// Save writes each trace into a folder, which it makes if necessary: as a recording, NAME.jsonl,
// and as a rule test, NAME.test.toml, which fails until the rules are fixed. It returns the names
// of the files, and a sentence for each form that cannot express a trace, in the order of the report.
func (r *Report) Save(dir string, e *ruleset.Engine) (names, unwritten []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	var errs []error
	used := map[string]int{}
	for i := range r.Products {
		p := &r.Products[i]
		for k := range p.Violations {
			v := &p.Violations[k]
			name := fileName(p, v)
			if used[name]++; used[name] > 1 {
				name = fmt.Sprintf("%s-%d", name, used[name])
			}
			write := func(ext string, content []byte, missing string) {
				file := filepath.Join(dir, name+ext)
				if content == nil {
					unwritten = append(unwritten, file+": "+missing)
					return
				}
				errs = append(errs, outfile.Write(context.Background(), file, content))
				names = append(names, file)
			}
			write(".jsonl", v.recording(e, name), "a step or an answer of this story cannot stand in a recording")
			write(".test.toml", v.test(), "a step or an answer of this story cannot stand in a rule test")
		}
	}
	return names, unwritten, errors.Join(errs...)
}

func fileName(p *Product, v *Violation) string {
	parts := []string{p.Provider, p.Operation.String()}
	if m := v.payment.Merchant; m != "" {
		parts = append([]string{m}, parts...)
	}
	if v.Rule != "" {
		parts = append(parts, v.Rule)
	}
	return strings.Join(append(parts, string(v.Property)), "-")
}

// recorder writes a replayed trace as a client's recording.
type recorder struct {
	v      *Violation
	e      *ruleset.Engine
	flow   string
	key    string
	lines  []*recorded.Line
	call   *recorded.Line // the call under way
	failed bool           // an answer cannot be written as a body
}

// recording returns the trace as a recording, or nil.
func (v *Violation) recording(e *ruleset.Engine, name string) []byte {
	if !v.Replayed {
		return nil
	}
	r := &recorder{v: v, e: e, flow: name, key: name}
	for i := range v.replayed {
		r.step(&v.replayed[i], i)
	}
	if r.failed || len(r.lines) == 0 {
		return nil
	}
	r.addTruth()
	var b bytes.Buffer
	for _, l := range r.lines {
		b.Write(l.Append(nil))
	}
	return b.Bytes()
}

func (r *recorder) step(t *replayedStep, nth int) {
	switch e := t.event.(type) {
	case flow.Start:
		if len(e.Earlier) > 0 {
			r.flow += fmt.Sprintf("-%d", nth)
		}
	case flow.Answered:
		r.answer(t, policy.Send, e.Answer)
	case flow.Queried:
		r.answer(t, policy.Query, e.Answer)
	case flow.Received:
		l := r.line(t.at, policy.Webhook)
		l.Answer.Verified = e.Answer.Verified
		r.setBody(l, t, policy.Webhook, e.Answer)
	}
	for _, c := range t.commands {
		switch c := c.(type) {
		case flow.Send:
			r.call = r.line(t.at, policy.Send)
			r.setNames(r.call, c.Identity)
		case flow.Ask:
			r.call = r.line(t.at, policy.Query)
			r.setNames(r.call, c.Identity)
			r.call.QueryBy = c.By
		case flow.Finish:
			l := r.line(t.at, policy.Send)
			l.Phase, l.Payment, l.Outcome = recorded.End, policy.Payment{Merchant: l.Payment.Merchant}, c.Outcome
		case flow.Record, flow.Wait, flow.Alert, flow.Decided:
		}
	}
}

func (r *recorder) line(at time.Time, ph policy.Phase) *recorded.Line {
	p := &r.v.payment
	l := &recorded.Line{Flow: r.flow, At: at, Phase: recorded.Phase(ph), Payment: policy.Payment{
		Provider: p.Provider, Merchant: p.Merchant, Operation: p.Operation, Key: r.key,
	}}
	if ph == policy.Send {
		l.Payment.Amount, l.Payment.Currency, l.Payment.Capture = p.Amount, p.Currency, p.Capture
	}
	r.lines = append(r.lines, l)
	return l
}

func (r *recorder) setNames(l *recorded.Line, id *flow.Identity) {
	l.OrderID, l.RequestID, l.ProviderID = id.OrderID, id.RequestID, id.ProviderID
}

func (r *recorder) answer(t *replayedStep, ph policy.Phase, a policy.Answer) {
	l := r.call
	if l == nil || l.Phase != recorded.Phase(ph) || t.transition.kind == kindLateAnswer || t.transition.kind == kindLateQueryAnswer {
		return // recordings hold no late replies
	}
	r.call = nil
	l.Latency = t.at.Sub(l.At)
	if a.Fault != policy.NoFault && a.Fault != policy.Unreadable {
		l.Answer.Fault = a.Fault
		return
	}
	r.setBody(l, t, ph, a)
}

func (r *recorder) setBody(l *recorded.Line, t *replayedStep, ph policy.Phase, a policy.Answer) {
	if l.Answer.HTTPStatus = a.HTTPStatus; l.Answer.HTTPStatus == 0 && ph != policy.Webhook {
		l.Answer.HTTPStatus = 200
	}
	if a.Fault == policy.Unreadable {
		l.Body = []byte(`"<html>"`)
		return
	}
	cat, err := r.e.Catalog(&r.v.payment)
	if err != nil {
		r.failed = true
		return
	}
	if i := int(t.transition.id); a.OrderID == "" && i < len(t.from.s.Ledger) {
		a.OrderID, a.RequestID = t.from.s.Ledger[i].OrderID, t.from.s.Ledger[i].RequestID
	}
	a.Phase = ph
	switch {
	case a.Amount == policy.OddAmount:
		a.Amount = r.v.payment.Amount + 1
	case a.Amount == 0:
		a.Amount, a.Currency = r.v.payment.Amount, r.v.payment.Currency
	}
	body, ok := cat.Body(r.v.payment.Operation, &a, t.at)
	if !ok || !json.Valid(body) {
		r.failed = true
		return
	}
	var flat bytes.Buffer
	if json.Compact(&flat, body) == nil {
		l.Body = flat.Bytes()
	}
}

// addTruth adds what the provider executed. It assumes the harm without the interlock: the first
// request is executed, and for a second charge the next one that the provider does not
// deduplicate.
func (r *recorder) addTruth() {
	if l := r.call; l != nil {
		wait := r.v.trace.model.terms.Contract.CallTimeout()
		l.Answer.Fault, l.Latency = policy.Timeout, wait
	}
	most := map[flow.Property]int{flow.S1: 2, flow.S2: 1}[r.v.Harm]
	last := r.lines[len(r.lines)-1]
	at := last.At.Add(time.Second)
	var all []recorded.Execution
	seen := map[string]bool{}
	for _, l := range r.lines {
		key := l.OrderID
		if !r.v.trace.steps[0].from.dedupeByOrder {
			key = fmt.Sprint(len(seen)) // no deduplication by order: each request counts
		}
		if l.Phase == recorded.Send && len(all) < most && !seen[key] {
			all = append(all, recorded.Execution{OrderID: l.OrderID, RequestID: l.RequestID, Amount: r.v.payment.Amount, At: at})
			seen[key] = true
		}
	}
	if r.v.Harm != "" {
		r.lines = append(r.lines, &recorded.Line{
			Flow: r.flow, At: at, Phase: recorded.Truth, Payment: policy.Payment{Merchant: last.Payment.Merchant}, Executions: all,
		})
	}
}

// test returns the trace as a rule test up to the step where the interlock corrected the rules, or
// nil.
func (v *Violation) test() []byte {
	if v.Property != S5 {
		return nil
	}
	var script []string
	for i := range v.trace.steps {
		t := &v.trace.steps[i]
		text, ok := v.trace.model.scriptLine(t)
		if !ok {
			return nil
		}
		if text != "" {
			script = append(script, text)
		}
		if t.transition.bypass {
			break
		}
	}
	p := &v.payment
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n# It fails as long as rule %q (%s) wants %s here.\n", v.Why, v.Rule, v.Source, v.Wanted)
	if p.Merchant != "" {
		fmt.Fprintf(&b, "merchant  = %q\n", p.Merchant)
	}
	fmt.Fprintf(&b, "provider  = %q\noperation = %q\n\n[[flow]]\nname    = %q\n", p.Provider, p.Operation, v.Rule+" is not corrected")
	fmt.Fprintf(&b, "payment = { amount = %d, currency = %q, capture = %q }\nscript  = [\n", p.Amount, p.Currency, p.Capture)
	for _, s := range script {
		fmt.Fprintf(&b, "  %s,\n", quoted(s))
	}
	fmt.Fprint(&b, "  \"stop\",\n]\nexpect  = [\"...\"]\ninterlock = \"none\"\n")
	return []byte(b.String())
}

func quoted(s string) string {
	if strings.Contains(s, `"`) {
		return "'" + s + "'"
	}
	return `"` + s + `"`
}

// scriptLine returns a step as a line of a test's script. It is empty for a step that the test
// takes by itself. The result ok is false if no line can express the step.
func (m *model) scriptLine(t *traceStep) (text string, ok bool) {
	say := func(who string) (string, bool) {
		text := m.scriptAnswer(t)
		return who + ": " + text, text != ""
	}
	switch t.transition.kind {
	case kindStart, kindDue:
		return "", true
	case kindNotSent:
		return "send: not_sent", true
	case kindAnswer:
		return say("send")
	case kindQueryAnswer:
		return say("query")
	case kindLateAnswer:
		return say("late send")
	case kindLateQueryAnswer:
		return say("late query")
	case kindWebhook:
		if t.from.s.Stage == flow.Sending || t.from.s.Stage == flow.Querying {
			return say("meanwhile verified webhook")
		}
		return say("verified webhook")
	case kindResume:
		if t.from.s.Stage == flow.Sending {
			return "send: crash", true
		}
		return "query: crash", true
	case kindWithdraw:
		return "withdraw: no longer wanted", true
	case kindResolve, kindSecondFlow, kindUnverified, kindTime:
	}
	return "", false
}

// scriptAnswer returns the answer of a step in the words of a test's script; empty: it has none.
func (m *model) scriptAnswer(t *traceStep) string {
	a := answerOf(t.event)
	catalog := m.decider.tables[0].facts.catalog
	var parts []string
	add := func(key, text string) {
		if text != "" {
			parts = append(parts, key+text)
		}
	}
	if a.Fault != policy.NoFault {
		add("", a.Fault.String())
	}
	status := a.Status
	if a.SubStatus != "" {
		status += "/" + a.SubStatus
	}
	unlisted := status != "" && !catalog.HasStatus(a.Status) || a.SubStatus != "" && !catalog.HasSubStatus(a.SubStatus) || a.SubCode != "" && !catalog.HasCode(a.SubCode)
	if unlisted {
		return ""
	}
	add("", status)
	if a.Code != "" && !catalog.HasCode(a.Code) {
		add("unlisted=", a.Code)
	} else {
		add("", a.Code)
	}
	add("sub_code=", a.SubCode)
	if a.HTTPStatus != 0 && a.HTTPStatus != 200 {
		add("http_status=", fmt.Sprint(a.HTTPStatus))
	}
	if a.RetryAfter > 0 {
		add("retry_after=", a.RetryAfter.String())
	}
	id := &t.from.s.Ledger[min(int(t.transition.id), len(t.from.s.Ledger)-1)]
	switch t.transition.variant &^ (otherAmount | wholeAmount) {
	case namesOrder:
		add("order_id=", id.OrderID)
	case namesBoth:
		add("order_id=", id.OrderID)
		add("request_id=", id.RequestID)
	case namesOther:
		add("order_id=", "another-clients")
	case namesSibling:
		add("order_id=", id.OrderID)
		add("request_id=", "of-another-operation")
	}
	if t.transition.variant&otherAmount != 0 {
		add("amount=", "1")
		if moneySaid(&t.from.s.Payment) == saysCurrency {
			add("currency=", otherCurrency(&t.from.s.Payment))
		}
	}
	if t.transition.variant&wholeAmount != 0 {
		add("amount=", fmt.Sprint(t.from.s.Payment.Amount))
	}
	return strings.Join(parts, " ")
}

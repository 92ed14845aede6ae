package providers

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Gaps looks for answers that would be evidence though they are about something else. For each operation
// and phase it writes the answers that the rows say to prove something, in the provider's envelope or, where
// there is none, as the [[decode]] blocks read them; then it writes them once more about another order, with
// another amount, under another event, and without any identifier, and reads them back. It calls report
// for each that still proves something of ours: what it is (foreign order, foreign amount, foreign event,
// nameless, or own for an answer about our own order that reads as another's), where the line belongs, what was
// shown, and the line to add. The gap either capture is a success that can be a hold as well, and the gap unsigned a field of a notice
// that proves something and that the signature is not made of. The gap unread id is a phase of same_provider_id whose answers are not read for one.
func (c *Catalog) Gaps(report func(op policy.Operation, ph policy.Phase, gap, at, shown, line string)) {
	for _, op := range c.Operations {
		for _, ph := range policy.Phases() {
			p := &prober{c: c, op: op, ph: ph, seen: map[string]bool{}, report: report}
			for _, r := range c.Codes {
				p.modes(r)
			}
			for _, r := range c.Statuses {
				p.modes(r)
				p.disguised(r)
			}
			if ph == policy.Webhook && c.webhook != nil {
				p.unsigned()
			}
			if slices.Contains(c.contracts[op].SameProviderID, ph) && len(c.decoders[op][ph].at[fieldProviderID]) == 0 {
				report(op, ph, "unread id", c.promised[op].At("same_provider_id").String(), "same_provider_id says that its id is that of the other phases, and none is read", `provider_id = "PATH"`)
			}
		}
	}
}

// Own reports whether a place that [Catalog.Gaps] or [WebhookShape.Weak] names is in a file of the user's, and not in an
// embedded one, which may have the same name.
func (c *Catalog) Own(at string) bool { return c.read.own[at] }

// moved reports whether an operation moves money, so that an amount belongs to it.
func moved(op policy.Operation) bool {
	return slices.Contains([]policy.Operation{policy.Checkout, policy.Pay, policy.Capture, policy.Refund, policy.Payout}, op)
}

// prober looks at one operation and phase.
type prober struct {
	c      *Catalog
	op     policy.Operation
	ph     policy.Phase
	mode   policy.CaptureMode // of the payment
	seen   map[string]bool    // gaps that were reported
	report func(op policy.Operation, ph policy.Phase, gap, at, shown, line string)
}

// probe is one body and how it is meant.
type probe struct {
	a     policy.Answer // what was written
	event string        // in place of the one that fits; empty: that one
	how   func(a *policy.Answer) (policy.Message, bool)
}

func (p *prober) ours(r *Row) policy.Answer {
	currency := p.c.Currency
	if currency == "" {
		currency = "USD"
	}
	return policy.Answer{
		Phase: p.ph, Code: r.Code, Status: r.Status, SubStatus: r.SubStatus,
		OrderID: "ours-1", RequestID: "ours-2", ProviderID: "101", Amount: 120_000, Currency: currency,
	}
}

// modes looks at a row for a payment that is captured by hand, for which a hold is settled as well, and
// where the row tells the two apart, for one that captures itself.
func (p *prober) modes(r *Row) {
	p.mode = policy.Manual
	p.row(r)
	if slices.ContainsFunc(r.Facts, func(f RowFact) bool { return len(f.Capture) > 0 }) {
		p.mode = policy.Auto
		p.row(r)
	}
}

// fact is what a row says for the prober's payments; nil: nothing.
func (p *prober) fact(r *Row) *RowFact {
	for i := range r.Facts {
		if r.Facts[i].For(p.op, p.ph, p.mode) {
			return &r.Facts[i]
		}
	}
	return nil
}

// unsigned shows fields of notices that are read and not signed: whoever has one genuine notice can write
// what he likes there, and the signature holds.
func (p *prober) unsigned() {
	for _, s := range append([]*WebhookShape{p.c.webhook}, p.c.webhook.others...) {
		if name, at := p.c.decoders[p.op][p.ph].unsignedField(s); name != "" {
			line := "within = \"" + strings.Join(s.when.path, ".") + "\""
			if len(s.when.path) == 0 {
				line = "signed = \"body\"  # in [webhook], or leave the field out"
			}
			p.report(p.op, p.ph, "unsigned", s.source, fmt.Sprintf("%s is read at %s, of which the signature is not made: whoever has one genuine notice can write another value there", name, strings.Join(at, ".")), line)
			return
		}
	}
}

// unsignedField is a field that is read in the body of a notice, and where, though the signature is not made of it.
func (d *decoder) unsignedField(s *WebhookShape) (name string, at path) {
	for f, places := range d.at[:fieldPayURL] {
		for _, l := range places {
			if l.part != inBody || field(f) == fieldMessage || field(f) == fieldNotAbout {
				continue
			}
			at := l.path
			if d.within != nil && slices.Equal(d.within, s.when.path) {
				at = append(slices.Clone(d.within), at...)
			}
			if !s.covers(at) {
				return fieldNames[f], at
			}
		}
	}
	return "", nil
}

// covers reports whether a signature is made of what stands at a place of the body.
func (w *WebhookShape) covers(at path) bool {
	switch w.signed {
	case signedFields, signedFilled:
		return !slices.Contains(w.omit, at[0])
	case signedText:
		if strings.Contains(w.template, "{body}") {
			return true
		}
		for _, m := range signedPart().FindAllStringSubmatch(w.template, -1) {
			if signed := splitPath(m[2]); m[1] == "field" && len(signed) <= len(at) && slices.Equal(signed, at[:len(signed)]) {
				return true
			}
		}
		return false
	}
	return true
}

// disguised shows a status without a sub-status that is a success for payments of both captures, while a
// sub-status of it is a hold: a body that leaves the sub-status out says neither.
func (p *prober) disguised(r *Row) {
	p.mode = policy.Auto
	f := p.fact(r)
	if f == nil || r.SubStatus != "" || f.Effect != policy.Executed || f.Class != policy.Success || len(f.Capture) > 0 || !holds(p.op) {
		return
	}
	for _, other := range p.c.Statuses {
		if h := p.fact(other); other.Status == r.Status && h != nil && h.Effect == policy.Executed && h.Class == policy.Authorized {
			p.report(p.op, p.ph, "either capture", r.Source, fmt.Sprintf("status %q proves %s whatever the capture, and with sub-status %q it is a hold: a body that leaves that out says neither",
				r.Status, policy.Success, other.SubStatus), `capture = "auto"`)
			return
		}
	}
}

func (p *prober) row(r *Row) {
	fact := p.fact(r)
	if fact == nil || !fact.Effect.Settled() || strings.Contains(r.SubStatus, "*") {
		return
	}
	bare := r.Status == "" && len(p.c.Statuses) > 0
	if p.ph == policy.Send && (fact.Stage == policy.Door || bare) {
		return // the call pairs it
	}
	ours := p.ours(r)
	for _, how := range []func(*policy.Answer) (policy.Message, bool){p.enveloped, p.decoded} {
		own := probe{a: ours, how: how}
		read, proves := p.read(&own)
		if !proves {
			continue // this answer does not stand alone: nothing to show
		}
		if names(&read, &ours) == others {
			p.gap("own", r, &own, "an answer about our own order reads as another's", p.lineOf("order_id", "provider_id", "request_id"))
			continue
		}
		p.foreign(r, own)
		p.nameless(r, own)
	}
}

// foreign shows answers about something else.
func (p *prober) foreign(r *Row, own probe) {
	order := own
	order.a.OrderID, order.a.RequestID, order.a.ProviderID = "theirs-1", "theirs-2", "202"
	if read, proves := p.read(&order); proves && names(&read, &own.a) != others {
		p.gap("foreign order", r, &order, "an answer about another order proves "+proved(r, p), p.lineOf("order_id", "provider_id", "request_id"))
	}
	if moved(p.op) {
		amount := own
		amount.a.Amount *= 2
		if read, proves := p.read(&amount); proves && read.Amount != amount.a.Amount && read.Amount != policy.OddAmount {
			p.gap("foreign amount", r, &amount, "an answer with another amount proves "+proved(r, p), p.amountLine())
		}
	}
	for _, e := range p.c.events {
		if p.ph != policy.Webhook || slices.Contains(e.operations, p.op) || own.a.Status != "" && len(e.statuses) > 0 && !slices.Contains(e.statuses, own.a.Status) {
			continue
		}
		event := own
		event.event = strings.ReplaceAll(e.names[0], "*", "x")
		if _, proves := p.read(&event); proves {
			p.gap("foreign event", r, &event, "a notice of the event "+event.event+" proves "+proved(r, p), p.lineOf("event"))
		}
	}
}

// nameless shows answers that bear no identifier.
func (p *prober) nameless(r *Row, own probe) {
	for _, none := range []string{"", "0"} {
		nameless := own
		nameless.a.OrderID, nameless.a.RequestID, nameless.a.ProviderID = none, none, none
		if read, proves := p.read(&nameless); proves && names(&read, &own.a) != others {
			p.gap("nameless", r, &nameless, "an answer without an identifier proves "+proved(r, p), p.carriesLine())
		}
	}
}

func proved(r *Row, p *prober) string {
	return p.fact(r).Effect.String() + " by " + strings.TrimSuffix(r.name(), ` of section "-"`)
}

func (p *prober) gap(kind string, r *Row, shown *probe, what, line string) {
	at := p.c.decoders[p.op][p.ph].source
	if at == "" || p.c.Own(r.Source) && !p.c.Own(at) { // the user's row opens the gap, which the embedded file alone had not
		at = r.Source
	}
	if p.seen[kind+at] {
		return
	}
	p.seen[kind+at] = true
	m, _ := p.message(shown)
	p.report(p.op, p.ph, kind, at, fmt.Sprintf("%s: %s%s", what, m.Query, m.Body), line)
}

// read reads a probe back. proves is false if it is set aside, or not settled.
func (p *prober) read(q *probe) (a policy.Answer, proves bool) {
	m, ok := p.message(q)
	if !ok {
		return a, false
	}
	a = policy.Answer{Currency: q.a.Currency}
	if err := p.c.DecodeMessage(p.op, p.ph, &m, &a); err != nil {
		return a, false
	}
	f := p.c.Judge(&policy.Payment{Operation: p.op, Capture: p.mode}, &a)
	return a, f.Effect.Settled()
}

func (p *prober) message(q *probe) (policy.Message, bool) {
	m, ok := q.how(&q.a)
	if !ok || q.event == "" {
		return m, ok
	}
	event := p.c.eventFor(p.op, &q.a)
	if said := p.said(&m, fieldEvent); said != "" {
		event = said
	}
	if event == "" || !strings.Contains(string(m.Body)+m.Query, event) {
		return m, false // there is none to put another in the place of
	}
	m.Body = []byte(strings.ReplaceAll(string(m.Body), event, q.event))
	m.Query = strings.ReplaceAll(m.Query, event, q.event)
	return m, true
}

// said is what a message says in a field.
func (p *prober) said(m *policy.Message, f field) string {
	d := &p.c.decoders[p.op][p.ph]
	read, release, err := d.open(m, nil)
	if err != nil {
		return ""
	}
	defer release()
	return d.text(&read, f)
}

var probeTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// enveloped writes an answer as the provider does.
func (p *prober) enveloped(a *policy.Answer) (policy.Message, bool) {
	m, ok := p.c.Message(p.op, a, probeTime)
	if p.c.Written(p.op, p.ph) == bodyQuery {
		m.Query, m.Body = string(m.Body), nil
	}
	return m, ok
}

// decoded writes an answer as the [[decode]] blocks read it: each field where it is looked for first. A
// list has one entry.
func (p *prober) decoded(a *policy.Answer) (policy.Message, bool) {
	if slices.ContainsFunc(p.c.envelopes, func(e envelope) bool { return contains(e.operations, p.op) && contains(e.phases, p.ph) }) {
		return policy.Message{}, false // its envelope says how it is written
	}
	values := map[field]string{
		fieldCode: a.Code, fieldStatus: a.Status, fieldSubStatus: a.SubStatus, fieldOrderID: a.OrderID, fieldRequestID: a.RequestID,
		fieldProviderID: a.ProviderID, fieldCurrency: a.Currency, fieldEvent: p.c.eventFor(p.op, a),
		fieldAmount: p.c.unitOf(a.Currency).units(a.Amount, a.Currency),
	}
	root, m, query := map[string]any{}, policy.Message{Header: map[string]string{}}, url.Values{}
	d := &p.c.decoders[p.op][p.ph]
	for f, value := range values {
		if len(d.at[f]) == 0 || value == "" {
			continue
		}
		switch l := d.at[f][0]; l.part {
		case inBody:
			put(root, l.path, value, a.OrderID)
		case inHeader:
			m.Header[l.name] = value
		case inQuery:
			query.Set(l.name, value)
		case inPath, inStatus:
		}
	}
	raw, err := json.Marshal(root)
	m.Body, m.Query = raw, query.Encode()
	m.Body = inForm(p.c.Written(p.op, p.ph), raw)
	if p.c.Written(p.op, p.ph) == bodyQuery {
		m.Body, m.Query = nil, string(m.Body)
	}
	return m, err == nil
}

// put writes a value at a path.
func put(at map[string]any, p path, value, orderID string) { //nolint:unparam // the order that a selection asks for
	name, _, selected := strings.Cut(p[0], "[")
	switch {
	case len(p) == 1:
		at[name] = value
		return
	case selected:
		list, ok := at[name].([]any)
		if !ok {
			list = []any{map[string]any{}}
			at[name] = list
		}
		entry, _ := list[0].(map[string]any)
		if key, by := selects(p[0]); by {
			put(entry, splitPath(key), orderID, orderID)
		}
		put(entry, p[1:], value, orderID)
		return
	}
	below, ok := at[name].(map[string]any)
	if !ok {
		below = map[string]any{}
		at[name] = below
	}
	put(below, p[1:], value, orderID)
}

// Three values of a comparison.
type named int

const (
	cannotTell named = iota // none is named that can be compared
	equal
	others
)

// names says of whom an answer speaks.
func names(read, ours *policy.Answer) named {
	said := cannotTell
	for _, pair := range [][2]string{{read.OrderID, ours.OrderID}, {read.RequestID, ours.RequestID}, {read.ProviderID, ours.ProviderID}} {
		switch {
		case pair[0] == "":
		case pair[0] != pair[1]:
			return others
		default:
			said = equal
		}
	}
	return said
}

// lineOf is the line that makes a field be read, with its path if the envelope says where it stands.
func (p *prober) lineOf(fields ...string) string {
	for _, f := range fields {
		if at := p.stands(f); at != "" {
			return fmt.Sprintf("%s = %q", f, at)
		}
	}
	return fields[0] + ` = "…"  # the path at which it stands`
}

// carriesLine demands an identifier that is read, and the rest that was demanded before.
func (p *prober) carriesLine() string {
	d := &p.c.decoders[p.op][p.ph]
	id := "order_id"
	for _, f := range []field{fieldProviderID, fieldRequestID, fieldOrderID} {
		if len(d.at[f]) > 0 {
			id = fieldNames[f]
		}
	}
	all := []string{fmt.Sprintf("%q", id)}
	for _, c := range d.carries {
		all = append(all, fmt.Sprintf("%q", strings.ReplaceAll(c.String(), " or ", "|")))
	}
	return "carries = [" + strings.Join(all, ", ") + "]"
}

func (p *prober) amountLine() string {
	if p.c.unit == unitUnknown {
		return `amount_unit = "minor"  # at the top of the file; or major, or hundredths`
	}
	return p.lineOf("amount")
}

// stands is the path of a place in the envelope.
func (p *prober) stands(f string) string {
	for _, e := range p.c.envelopes {
		if !contains(e.operations, p.op) || !contains(e.phases, p.ph) {
			continue
		}
		valid := placeholder().ReplaceAllString(e.template, `"$$$1"`)
		var root any
		if json.Unmarshal([]byte(valid), &root) == nil {
			if at := find(root, "$"+f, ""); at != "" {
				return at
			}
		}
	}
	return ""
}

var plainKey = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[^.\[\]=: ]+$`) })

func find(v any, want, at string) string {
	switch v := v.(type) {
	case string:
		if v == want {
			return at
		}
	case map[string]any:
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			if found := find(v[key], want, strings.TrimPrefix(at+"."+key, ".")); found != "" && plainKey().MatchString(key) {
				return found
			}
		}
	}
	return ""
}

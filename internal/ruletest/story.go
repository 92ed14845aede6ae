package ruletest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// story is a [[flow]]: what happens to a payment, line by line, and what is expected of it.
type story struct {
	payment     policy.Payment
	providerID  string // the payment that a capture, cancel or refund is for
	at          time.Time
	noNewOrders bool // the caller mints no new order ids

	script []line
	expect []mark
	never  []mark

	expectValue source.Value
	pos         source.Pos
	catalog     *providers.Catalog
}

// verb is what happens in a line of a script.
type verb string

// The verbs, as they are written.
const (
	onSend    verb = "send"     // the answer to a send
	onQuery   verb = "query"    // the answer to a query
	byWebhook verb = "webhook"  // a webhook of the provider
	crash     verb = "crash"    // the process dies, another takes over
	withdraw  verb = "withdraw" // the caller withdraws the payment
	resolve   verb = "resolve"  // a person records what happened at the provider
	stop      verb = "stop"     // the story ends here, whatever the flow does next
)

var verbs = []string{string(onSend), string(onQuery), string(byWebhook), string(crash), string(withdraw), string(resolve), string(stop)}

// line is one line of a script.
type line struct {
	text    string
	pos     source.Pos
	verb    verb
	wait    time.Duration // time that passes before it
	times   int           // how many calls it answers; always: any number
	late    bool          // the answer to a call that was given up
	within  bool          // it comes while the next call is under way
	crashed bool          // the process dies while the call is under way
	answer  answer
	effect  policy.Effect // of resolve
	why     string        // of withdraw and resolve
}

// always stands for any number of times.
const always = -1

// flowKeys are the fields that describe the payment of a story.
var flowKeys = []string{"provider", "merchant", "operation", "amount", "currency", "capture", "tags", "payment_key", "provider_id"}

func (r *reader) flow(t source.Table) {
	c := &Case{Kind: Flow, Name: t.String(r.errs, "name"), pos: t.Pos()}
	s := &story{pos: c.pos}
	c.story = s
	if !t.Has("name") || c.Name == "" {
		r.fail(c.pos, "a [[flow]] needs a name")
	}
	payment := fields{}
	if p, ok := t.Table(r.errs, "payment"); ok {
		payment = take(p, flowKeys)
		p.Done(r.errs)
	}
	more := take(t, []string{"at", "script", "expect", "never", "rules", "reason", "interlock", "limit"})
	s.noNewOrders = t.Has("new_orders") && !t.Bool(r.errs, "new_orders")
	t.Done(r.errs)
	p, cat, ok := r.paymentOf(payment, c.pos)
	if cat == nil {
		return
	}
	before := len(r.errs.Mistakes)
	layers := r.e.Rules.Layers(p.Provider, p.Merchant)
	s.payment, s.catalog, s.providerID = p, cat, r.text(payment, "provider_id")
	s.at = r.moment(more, layers.Timezone())
	r.script(s, more)
	s.expect = r.marks(more, "expect", c.pos)
	s.expectValue = more["expect"]
	if _, said := more["never"]; said {
		s.never = r.marks(more, "never", c.pos)
		r.neverHappening(s.never)
	}
	elsewhere := slices.ContainsFunc([]string{"never", "rules", "reason", "interlock", "limit"}, func(key string) bool {
		_, expected := more[key]
		return expected
	})
	if len(r.errs.Mistakes) == before && !elsewhere && fitsAll(s.expect) {
		r.fail(s.expectValue.Pos(), "this fits whatever the flow does; name what it must do, such as its end, or what it must never do, in never")
	}
	r.followed(c, more, layers)
	if ok {
		r.add(c)
	}
}

func (r *reader) script(s *story, f fields) {
	v, ok := f["script"]
	if !ok {
		r.fail(s.pos, `script is missing: what happens, such as ["send: timeout", "query: 0"]`)
		return
	}
	items, isList := v.Items()
	if !isList {
		r.fail(v.Pos(), "script is %s; it must be an array of lines", v.Kind())
	}
	for _, item := range items {
		text, isText := item.Text()
		if !isText {
			r.fail(item.Pos(), "a line of a script is a string such as %q", "send: timeout")
			continue
		}
		if l, ok := r.line(placed{text, item.Pos()}, s); ok {
			s.script = append(s.script, l)
		}
	}
}

// line reads "[+WAIT] [late|meanwhile] VERB [xN|*]: ANSWER".
func (r *reader) line(p placed, s *story) (l line, ok bool) {
	before := len(r.errs.Mistakes)
	head, rest, _ := strings.Cut(p.text.Value, ":")
	if i := strings.IndexAny(head, "{<\""); i >= 0 {
		head = head[:i]
	}
	l = line{text: p.text.Value, pos: p.pos, times: 1}
	words, err := split(head)
	if err != nil {
		r.fail(p.pos, "%s", err)
		return l, false
	}
	verified := false
	for _, w := range words {
		pos := p.at(w.at)
		switch {
		case strings.HasPrefix(w.text, "+"):
			if l.wait, err = time.ParseDuration(w.text[1:]); err != nil {
				r.fail(pos, "%s is no span of time (write +10m, +24h)", w.text)
			}
		case w.text == "late":
			l.late = true
		case w.text == "meanwhile":
			l.within = true
		case w.text == "verified" || w.text == "unverified":
			verified = w.text == "verified"
		case contains(verbs, strings.TrimSuffix(w.text, "*")) && l.verb == "":
			l.verb = verb(strings.TrimSuffix(w.text, "*"))
			if strings.HasSuffix(w.text, "*") {
				l.times = always
			}
		case w.text == "*":
			l.times = always
		case l.verb != "" && strings.HasPrefix(w.text, "x"):
			if l.times, err = strconv.Atoi(w.text[1:]); err != nil || l.times < 1 {
				r.fail(pos, "%s is no count (write x3)", w.text)
			}
		default:
			r.unknown(pos, "word of a script", w.text, append([]string{"late", "meanwhile", "verified", "unverified"}, verbs...))
		}
	}
	if l.verb == "" && len(r.errs.Mistakes) == before {
		r.fail(p.pos, "a line of a script says what happens: %s", strings.Join(verbs, ", "))
	}
	if len(r.errs.Mistakes) > before {
		return l, false
	}
	r.rest(&l, p, rest, verified, s)
	return l, len(r.errs.Mistakes) == before
}

// rest reads what follows the colon.
func (r *reader) rest(l *line, p placed, rest string, verified bool, s *story) {
	if l.times != 1 && l.verb != onSend && l.verb != onQuery {
		r.fail(l.pos, "only a send or a query can be answered several times")
	}
	if l.late && l.verb != onSend && l.verb != onQuery {
		r.fail(l.pos, "only the answer of a send or a query can be late")
	}
	if l.within && (l.calls() || l.wait > 0) {
		r.fail(l.pos, "meanwhile goes with what happens while a call is under way, at no other time")
	}
	rest = strings.TrimSpace(rest)
	switch l.verb {
	case crash, stop:
		if rest != "" {
			r.fail(l.pos, "nothing follows %s", l.verb)
		}
	case withdraw:
		l.why = rest
	case resolve:
		word, why, _ := strings.Cut(rest, " ")
		if !r.wordAt(l.pos, word, &l.effect) || !l.effect.Settled() {
			r.fail(l.pos, "a person says executed or not_executed")
		}
		l.why = cmp.Or(strings.TrimSpace(why), "the test says so")
	default:
		if rest == string(crash) {
			l.crashed = true
			return
		}
		l.answer = r.said(p.after(":"), s.catalog)
		l.answer.Verified = l.answer.Verified || verified
		if l.answer.body != "" {
			r.decode(l, s)
		}
	}
}

// after returns the part of a text after a mark. The part before is replaced by blanks, so
// that columns in messages stay right.
func (p placed) after(mark string) placed {
	head, _, _ := strings.Cut(p.text.Value, mark)
	p.text.Value = strings.Repeat(" ", len([]rune(head+mark))) + p.text.Value[min(len(head+mark), len(p.text.Value)):]
	return p
}

// decode fills an answer from its raw body, as the provider's decoder does in production.
func (r *reader) decode(l *line, s *story) {
	phase := map[verb]policy.Phase{onSend: policy.Send, onQuery: policy.Query, byWebhook: policy.Webhook}[l.verb]
	if l.answer.Currency == "" {
		l.answer.Currency = s.payment.Currency
	}
	if l.answer.Fault == policy.NoFault {
		// A body that does not decode gives the fault unreadable, and that is an answer too.
		_ = s.catalog.Decode(s.payment.Operation, phase, []byte(l.answer.body), &l.answer.Answer)
	}
}

package providers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/policy"
)

// Judge says what an answer to the first send of an identity, to a query or in a
// webhook proves by itself. What was sent before is not known here; package flow
// takes it into account.
//
// It follows these rules, in this order:
//
//   - A fault proves what faultFact says of it, whatever else the answer holds.
//   - A body that was set aside proves nothing.
//   - A status outranks a code. A reason code beside a failure status can lower the certainty of
//     the failure, and never raise it.
//   - A code or status that no table lists is unknown, unless it is a code beside a status that has a
//     [[fallback]].
//   - A hold is executed for a manual payment, and pending for one that is captured automatically.
//   - A refusal is lowered from not_executed to unknown if it came with HTTP 5xx, unless its code is
//     of stage door: a server that fails after processing can send the same body.
//   - A refusal of a query is lowered as well: the query failed, and not the payment.
func (c *Catalog) Judge(p *policy.Payment, a *policy.Answer) policy.Fact {
	if a.Fault != policy.NoFault {
		return faultFact(a)
	}
	if a.SetAside != "" {
		return policy.Fact{Basis: policy.Documented}
	}
	f, listed := c.statusFact(p, a)
	if !listed {
		f = hold(p, c.codeFact(p, a))
	}
	if f.Effect == policy.NotExecuted {
		serverError := a.HTTPStatus >= 500 && f.Stage != policy.Door
		refusedQuery := a.Phase == policy.Query && (f.Stage == policy.Door || a.HTTPStatus >= 400)
		if serverError || refusedQuery {
			f.Effect = policy.Unknown
		}
	}
	return f
}

// hold is a fact of a payment that captures itself: a hold is not yet its end.
func hold(p *policy.Payment, f policy.Fact) policy.Fact {
	if f.Class == policy.Authorized && f.Effect == policy.Executed && p.Capture == policy.Auto && holds(p.Operation) {
		f.Effect = policy.Pending
	}
	return f
}

// holds reports whether the operation can end in a hold.
func holds(op policy.Operation) bool { return op == policy.Pay || op == policy.Checkout }

func faultFact(a *policy.Answer) policy.Fact {
	f := policy.Fact{Effect: policy.Unknown, Class: policy.NetworkError, Basis: policy.Documented}
	switch {
	case a.Fault == policy.NotSent && a.Phase == policy.Send:
		f.Effect = policy.NotExecuted
	case a.Fault == policy.Unreadable:
		f.Class = httpClass(a.HTTPStatus)
	}
	return f
}

// statusFact is what the status proves; listed is false when there is none.
func (c *Catalog) statusFact(p *policy.Payment, a *policy.Answer) (f policy.Fact, listed bool) {
	if a.Status == "" {
		return f, false
	}
	known := c.known(p.Operation, p.Capture, a)
	if known == nil {
		// A status or sub-status that no table lists still outranks every code.
		return policy.Fact{}, true
	}
	f = hold(p, known.fact(p.Operation, a.Phase, p.Capture))
	reason := c.reason(p.Operation, a)
	if reason == nil {
		return f, true
	}
	r := reason.asReason(p, a.Phase)
	switch {
	case f.Effect == policy.NotExecuted:
		f.Class = r.Class
		if c.stands(reason) && r.Basis == policy.Inferred {
			f.Basis = policy.Inferred // the failure rests on what is supposed of a code that no row lists
		}
		if r.Effect != policy.NotExecuted {
			f.Effect = policy.Unknown
			f.Basis = r.Basis
		}
	case f.Reach == policy.OneAttempt:
		f.Class = r.Class
		if r.Effect == policy.Unknown {
			f.Effect, f.Reach, f.Basis = policy.Unknown, policy.WholePayment, r.Basis
		}
	case r.Class == policy.Mismatch || r.Class == policy.Disputed:
		f.Class = r.Class
	}
	return f, true
}

// known is what the catalogue lists for an answer's status; nil: nothing. A row whose sub-status has a *
// stands for every one that fits it and has no row of its own, for the operations and phases that it lists.
func (c *Catalog) known(op policy.Operation, mode policy.CaptureMode, a *policy.Answer) *cell {
	known := c.states[state{a.Status, a.SubStatus}]
	if known != nil || a.SubStatus == "" {
		return known
	}
	for _, w := range c.wild {
		if w.status == a.Status && fits(w.sub, a.SubStatus) && c.states[w].facts[op][a.Phase][mode] != nil {
			return c.states[w]
		}
	}
	return nil
}

// fits reports whether a text is one that a pattern stands for. A * is any text; all else is itself.
func fits(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	if last == 0 {
		return text == pattern
	}
	rest, begins := strings.CutPrefix(text, parts[0])
	if !begins {
		return false
	}
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[last])
}

// asReason is what a code proves beside a status. A refused query has no status. So a code
// of the door beside a status is not about the query: it is why the send was refused. A
// code that only other operations list proves what all of them agree on.
func (c *cell) asReason(p *policy.Payment, ph policy.Phase) policy.Fact {
	op, mode := p.Operation, p.Capture
	e := c.facts[op][ph][mode]
	if e == nil || (ph == policy.Query && e.Stage == policy.Door && e.Effect == policy.Unknown) {
		ph = policy.Send
	}
	if c.lists(op) {
		return c.fact(op, ph, mode)
	}
	f := c.fallback
	for o := range c.facts {
		for i := range phases * captures {
			switch e := c.facts[o][i/captures][i%captures]; {
			case e == nil:
			case e.Effect != policy.NotExecuted:
				return policy.Fact{Class: e.Class, Final: e.Final}
			default:
				f = e.Fact
			}
		}
	}
	return f
}

// lists reports whether a code is listed for an operation at all.
func (c *cell) lists(op policy.Operation) bool {
	return c.facts[op] != [phases][captures]*entry{}
}

// unlisted stands for a code that is not in the catalogue.
var unlisted = &cell{}

// fallbackOf is what a code that no row lists proves beside an answer's status.
func (c *Catalog) fallbackOf(op policy.Operation, a *policy.Answer) *cell {
	for _, wide := range []bool{false, true} { // the sub-status's own comes first
		for _, o := range c.others {
			if o.status == a.Status && (o.sub == "") == wide && (wide || o.sub == a.SubStatus) && o.lists(op) {
				return o.cell
			}
		}
	}
	return unlisted
}

// stands reports whether a cell is a fallback.
func (c *Catalog) stands(known *cell) bool {
	return slices.ContainsFunc(c.others, func(o other) bool { return o.cell == known })
}

// reason returns the code that explains a status; nil when there is none, or when
// the code says only that the request was received.
func (c *Catalog) reason(op policy.Operation, a *policy.Answer) *cell {
	code := a.SubCode
	if code == "" {
		code = a.Code
	}
	if code == "" {
		return nil
	}
	known := c.cells[code]
	if known == nil {
		return c.fallbackOf(op, a)
	}
	if known.envelope {
		return nil
	}
	return known
}

func (c *Catalog) codeFact(p *policy.Payment, a *policy.Answer) policy.Fact {
	known := c.cells[a.Code]
	if a.SubCode != "" && (known == nil || known.envelope) {
		// A reason without the status it belongs to explains; it proves nothing.
		var f policy.Fact
		if sub := c.cells[a.SubCode]; sub != nil {
			f = sub.fact(p.Operation, a.Phase, p.Capture)
		}
		f.Effect = policy.Unknown
		return f
	}
	if known == nil {
		return policy.Fact{Class: httpClass(a.HTTPStatus)}
	}
	return known.fact(p.Operation, a.Phase, p.Capture)
}

// httpClass is the reason when only the HTTP status is known.
func httpClass(status int) policy.Class {
	switch {
	case status == 429:
		return policy.RateLimited
	case status >= 500:
		return policy.ProviderError
	}
	return policy.Unrecognized
}

// Because gives the documents and reasonings behind what an answer's status and codes
// are taken to prove, one a line, for people.
func (c *Catalog) Because(p *policy.Payment, a *policy.Answer) []string {
	var why []string
	op := p.Operation
	if a.SetAside != "" {
		why = append(why, "set aside: "+a.SetAside)
	}
	add := func(name string, known *cell) {
		if known == nil {
			return
		}
		if e := known.facts[op][a.Phase][p.Capture]; e != nil {
			for _, f := range e.row.Facts {
				if f.For(op, a.Phase, p.Capture) && f.Because != "" {
					why = append(why, fmt.Sprintf("%s: %s (%s, %s)", name, f.Because, f.Basis, e.row.Source))
				}
			}
		}
	}
	if a.Status != "" {
		add("status "+a.Status, c.known(op, p.Capture, a))
	}
	if a.Code != "" {
		add("code "+a.Code, c.cells[a.Code])
	}
	if a.SubCode != "" {
		add("code "+a.SubCode, c.cells[a.SubCode])
	}
	if known := c.reason(op, a); a.Status != "" && known != nil && c.stands(known) {
		add("any other code", known)
	}
	return why
}

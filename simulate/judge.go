package simulate

import (
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// judge is the decider of one merchant at one provider. What an answer proves it works out once for each kind of line: that is
// the catalogue's to say, and nothing of it depends on names and amounts. It is for one goroutine.
type judge struct {
	policy.Decider
	facts *facts
	now   *call // whose answer is judged; nil: it is not known
}

// facts is what a catalogue says of the kinds of lines, by their slot.
type facts struct {
	of []knownFact
}

type knownFact struct {
	fact  policy.Fact
	known bool
}

// Judge implements [policy.Decider].
func (b *judge) Judge(p *policy.Payment, a *policy.Answer) policy.Fact {
	if b.facts == nil || b.now == nil || !b.now.kind.says() || b.now.kind.operation != p.Operation || p.Capture > policy.Manual || !sameButNames(a, &b.now.answer) {
		return b.Decider.Judge(p, a)
	}
	at := 2*b.now.kind.slot + int(p.Capture)
	for at >= len(b.facts.of) {
		b.facts.of = append(b.facts.of, make([]knownFact, max(1024, len(b.facts.of)))...)
	}
	f := &b.facts.of[at]
	if !f.known {
		f.fact, f.known = b.Decider.Judge(p, a), true
	}
	return f.fact
}

// sameButNames reports whether two answers say the same, of whatever payment and amount.
func sameButNames(a, b *policy.Answer) bool {
	return a.Phase == b.Phase && a.Fault == b.Fault && a.HTTPStatus == b.HTTPStatus && a.Verified == b.Verified && a.RetryAfter == b.RetryAfter &&
		a.Code == b.Code && a.SubCode == b.SubCode && a.Status == b.Status && a.SubStatus == b.SubStatus && a.Message == b.Message &&
		a.Currency == b.Currency && a.SetAside == b.SetAside
}

// binder finds the judges of one decider.
type binder struct {
	d          policy.Decider
	byMerchant map[[2]string]*judge
	facts      map[*providers.Catalog]*facts
}

func newBinder(d policy.Decider) *binder {
	return &binder{d: d, byMerchant: map[[2]string]*judge{}, facts: map[*providers.Catalog]*facts{}}
}

// of returns the decider of a payment.
func (x *binder) of(p *policy.Payment) *judge {
	key := [2]string{p.Provider, p.Merchant}
	b := x.byMerchant[key]
	if b != nil {
		return b
	}
	b = &judge{Decider: x.d}
	if d, ok := x.d.(interface {
		For(p *policy.Payment) (policy.Decider, error)
		Catalog(p *policy.Payment) (*providers.Catalog, error)
	}); ok {
		var refused error
		b.Decider, refused = d.For(p)
		b.facts = &facts{}
		// What a merchant does not use proves nothing to it; all others read alike what one catalogue reads.
		if c, err := d.Catalog(p); err == nil && refused == nil {
			if x.facts[c] == nil {
				x.facts[c] = b.facts
			}
			b.facts = x.facts[c]
		}
	}
	if len(x.byMerchant) < mostMerchants {
		x.byMerchant[key] = b
	}
	return b
}

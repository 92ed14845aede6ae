package emulation

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// sample is one reply that the provider can give in one phase, and what it proves.
type sample struct {
	answer policy.Answer
	fact   policy.Fact
}

// replySet is every reply of a provider about one operation.
type replySet struct {
	cat     *providers.Catalog
	payment policy.Payment
	samples [3][]sample
}

// replyCache are kept: collecting one is a thousand times the work of using it.
var replyCache sync.Map // of *replySet by replyKey

type replyKey struct {
	cat       *providers.Catalog
	operation policy.Operation
	capture   policy.CaptureMode
}

// repliesFor returns what the catalogue lists for a payment.
func repliesFor(cat *providers.Catalog, p policy.Payment) *replySet {
	key := replyKey{cat, p.Operation, p.Capture}
	if s, ok := replyCache.Load(key); ok {
		return s.(*replySet)
	}
	s := newReplySet(cat, policy.Payment{Provider: p.Provider, Operation: p.Operation, Capture: p.Capture})
	replyCache.Store(key, s)
	return s
}

// newReplySet collects what the catalogue lists for payments of one kind.
func newReplySet(cat *providers.Catalog, p policy.Payment) *replySet {
	s := &replySet{cat: cat, payment: p}
	for _, ph := range policy.Phases() {
		for _, r := range cat.Statuses {
			if !strings.Contains(r.SubStatus, "*") {
				s.status(r, ph)
			}
		}
		for _, r := range cat.Codes {
			if !r.Envelope && hasFact(r, &p, ph) {
				s.add(policy.Answer{Phase: ph, Code: r.Code}, r)
			}
		}
	}
	return s
}

func hasFact(r *providers.Row, p *policy.Payment, ph policy.Phase) bool {
	return slices.ContainsFunc(r.Facts, func(f providers.RowFact) bool { return f.For(p.Operation, ph, p.Capture) })
}

// status adds a status, and with a failure each reason that leaves it a failure.
func (s *replySet) status(r *providers.Row, ph policy.Phase) {
	op := s.payment.Operation
	if !hasFact(r, &s.payment, ph) {
		return
	}
	plain := policy.Answer{Phase: ph, Status: r.Status, SubStatus: r.SubStatus}
	fact := s.cat.Judge(&s.payment, &plain)
	s.add(plain, r)
	if fact.Effect != policy.NotExecuted {
		return
	}
	for _, c := range s.cat.Codes {
		if c.Envelope || !hasFact(c, &s.payment, policy.Query) && !hasFact(c, &s.payment, policy.Webhook) {
			continue
		}
		a := plain
		if s.cat.SaysSubCode(op, ph) {
			a.SubCode = c.Code
		} else {
			a.Code = c.Code
		}
		if s.cat.Judge(&s.payment, &a).Effect == policy.NotExecuted {
			s.add(a, c)
		}
	}
}

// add keeps a sample that the provider's envelope can carry. The row may say with which HTTP status.
func (s *replySet) add(a policy.Answer, row *providers.Row) {
	fact := s.cat.Judge(&s.payment, &a)
	a.Message = strings.ReplaceAll(fact.Class.String(), "_", " ")
	a.HTTPStatus = s.httpStatus(&a, fact)
	if row.HTTPStatus > 0 && (a.Phase == policy.Send || a.Phase == policy.Query && a.Status == "") {
		a.HTTPStatus = row.HTTPStatus
	}
	if !s.carried(a) {
		return
	}
	s.samples[a.Phase] = append(s.samples[a.Phase], sample{a, s.cat.Judge(&s.payment, &a)})
}

// carried reports whether an answer reads the same when it comes out of its envelope.
func (s *replySet) carried(a policy.Answer) bool {
	a.OrderID, a.RequestID, a.ProviderID, a.Amount, a.Currency = "1", "1", "1", 100_000, "USD" // of some payment
	m, ok := s.cat.Message(s.payment.Operation, &a, time.Unix(0, 0))
	if !ok {
		return false
	}
	read := policy.Answer{Phase: a.Phase, Currency: a.Currency}
	if err := s.cat.DecodeMessage(s.payment.Operation, a.Phase, &m, &read); err != nil {
		return false
	}
	return read.Status == a.Status && read.SubStatus == a.SubStatus && read.SubCode == a.SubCode &&
		(read.Code == a.Code || a.Code == "" && a.Status != "")
}

// httpStatus is 200 for providers whose bodies hold a code for everything, and by reason for
// those whose good answers bear a status.
func (s *replySet) httpStatus(a *policy.Answer, f policy.Fact) int {
	switch {
	case a.Phase == policy.Webhook:
		return 0
	case a.Status != "" || len(s.cat.Statuses) == 0:
		return 200
	case f.Class == policy.RateLimited:
		return 429
	case f.Class == policy.ProviderError:
		return 500
	}
	return 400
}

// pick chooses one of the samples that fit; statuses before bare codes. ok is false
// when the catalogue has no reply for it.
func (s *replySet) pick(r *rand.Rand, ph policy.Phase, fits func(*sample) bool) (sample, bool) {
	var statuses, codes []sample
	for i := range s.samples[ph] {
		p := &s.samples[ph][i]
		switch {
		case !fits(p):
		case p.answer.Status != "":
			statuses = append(statuses, *p)
		default:
			codes = append(codes, *p)
		}
	}
	switch {
	case len(statuses) > 0:
		return statuses[r.IntN(len(statuses))], true
	case len(codes) > 0:
		return codes[r.IntN(len(codes))], true
	}
	return sample{}, false
}

// canSucceed reports whether a reply of the provider reports an execution.
func (s *replySet) canSucceed() bool {
	for _, samples := range s.samples {
		for i := range samples {
			if samples[i].fact.Effect == policy.Executed {
				return true
			}
		}
	}
	return false
}

// underWay fits a reply about a transaction before its end. A hold is only spoken
// of where the money will be taken.
func underWay(executes bool) func(*sample) bool {
	return func(p *sample) bool {
		return p.fact.Effect == policy.Pending && p.fact.Stage == policy.Result && p.fact.Reach == policy.WholePayment &&
			(executes || p.fact.Class != policy.Authorized)
	}
}

func effect(e policy.Effect, stage policy.Stage, classes ...policy.Class) func(*sample) bool {
	return func(p *sample) bool {
		if p.fact.Effect != e || p.fact.Stage != stage {
			return false
		}
		for _, c := range classes {
			if p.fact.Class == c {
				return true
			}
		}
		return len(classes) == 0
	}
}

// refusal is how the provider refuses a request at the door for a reason. ok is false
// when the catalogue has no reply for it.
func (s *replySet) refusal(r *rand.Rand, ph policy.Phase, classes ...policy.Class) (policy.Answer, bool) {
	proves := policy.NotExecuted
	if ph == policy.Query {
		proves = policy.Unknown // a refused query leaves the payment as it was
	}
	p, ok := s.pick(r, ph, effect(proves, policy.Door, classes...))
	if !ok { // a refusal that leaves it open whether the request was recorded
		p, ok = s.pick(r, ph, effect(policy.Unknown, policy.Door, classes...))
	}
	return p.answer, ok
}

// notFound is the reply to a query that finds no transaction.
func (s *replySet) notFound(r *rand.Rand, q *queryKey) policy.Answer {
	missing := effect(policy.Unknown, policy.Door, policy.NotFound)
	p, ok := s.pick(r, policy.Query, func(p *sample) bool {
		return missing(p) && (q.orderID != "" || p.answer.Status == "") // what is asked for by its id is no empty list
	})
	if !ok {
		p, ok = s.pick(r, policy.Query, missing)
	}
	if !ok {
		p.answer = policy.Answer{Phase: policy.Query, HTTPStatus: 404}
	}
	return name(p.answer, q.orderID, q.requestID)
}

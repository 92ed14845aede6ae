package emulator

import (
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// phrase is something the provider can say in one phase, and what it proves.
type phrase struct {
	answer policy.Answer
	fact   policy.Fact
}

// speech is all that a provider can say about one operation.
type speech struct {
	cat     *providers.Catalog
	payment policy.Payment
	phrases [3][]phrase
}

// speeches are kept: collecting one is a thousand times the work of using it.
var speeches sync.Map // of *speech by speechKey

type speechKey struct {
	cat       *providers.Catalog
	operation policy.Operation
	capture   policy.CaptureMode
}

// speechFor returns what the catalogue lists for a payment.
func speechFor(cat *providers.Catalog, p policy.Payment) *speech {
	key := speechKey{cat, p.Operation, p.Capture}
	if s, ok := speeches.Load(key); ok {
		return s.(*speech)
	}
	s := newSpeech(cat, policy.Payment{Provider: p.Provider, Operation: p.Operation, Capture: p.Capture})
	speeches.Store(key, s)
	return s
}

// newSpeech collects what the catalogue lists for payments of one kind.
func newSpeech(cat *providers.Catalog, p policy.Payment) *speech {
	s := &speech{cat: cat, payment: p}
	for _, ph := range policy.Phases() {
		for _, r := range cat.Statuses {
			s.status(r, ph)
		}
		for _, r := range cat.Codes {
			if !r.Envelope && speaks(r, p.Operation, ph) {
				s.add(policy.Answer{Phase: ph, Code: r.Code})
			}
		}
	}
	return s
}

func speaks(r *providers.Row, op policy.Operation, ph policy.Phase) bool {
	for _, f := range r.Facts {
		if f.Operation == op && f.Phase == ph {
			return true
		}
	}
	return false
}

// status adds a status, and with a failure each reason that leaves it a failure.
func (s *speech) status(r *providers.Row, ph policy.Phase) {
	op := s.payment.Operation
	if !speaks(r, op, ph) {
		return
	}
	plain := policy.Answer{Phase: ph, Status: r.Status, SubStatus: r.SubStatus}
	fact := s.cat.Judge(&s.payment, &plain)
	s.add(plain)
	if fact.Effect != policy.NotExecuted {
		return
	}
	for _, c := range s.cat.Codes {
		if c.Envelope || !speaks(c, op, policy.Query) && !speaks(c, op, policy.Webhook) {
			continue
		}
		a := plain
		if s.cat.SaysSubCode(op, ph) {
			a.SubCode = c.Code
		} else {
			a.Code = c.Code
		}
		if s.cat.Judge(&s.payment, &a).Effect == policy.NotExecuted {
			s.add(a)
		}
	}
}

// add keeps a phrase that the provider's envelope can carry.
func (s *speech) add(a policy.Answer) {
	if !s.carried(a) {
		return
	}
	fact := s.cat.Judge(&s.payment, &a)
	a.Message = strings.ReplaceAll(fact.Class.String(), "_", " ")
	a.HTTPStatus = s.httpStatus(&a, fact)
	s.phrases[a.Phase] = append(s.phrases[a.Phase], phrase{a, s.cat.Judge(&s.payment, &a)})
}

// carried reports whether an answer reads the same when it comes out of its envelope.
func (s *speech) carried(a policy.Answer) bool {
	body, ok := s.cat.Body(s.payment.Operation, &a, time.Unix(0, 0))
	if !ok {
		return false
	}
	read := policy.Answer{Phase: a.Phase}
	if err := s.cat.Decode(s.payment.Operation, a.Phase, body, &read); err != nil {
		return false
	}
	return read.Status == a.Status && read.SubStatus == a.SubStatus && read.SubCode == a.SubCode &&
		(read.Code == a.Code || a.Code == "" && a.Status != "")
}

// httpStatus is 200 for providers that tell everything by codes, and by reason for
// those whose good answers bear a status.
func (s *speech) httpStatus(a *policy.Answer, f policy.Fact) int {
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

// pick chooses one of the phrases that fit; statuses before bare codes. ok is false
// when the provider has no words for it.
func (s *speech) pick(r *rand.Rand, ph policy.Phase, fits func(*phrase) bool) (phrase, bool) {
	var statuses, codes []phrase
	for i := range s.phrases[ph] {
		p := &s.phrases[ph][i]
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
	return phrase{}, false
}

// canSucceed reports whether the provider has words for an execution.
func (s *speech) canSucceed() bool {
	for _, phrases := range s.phrases {
		for i := range phrases {
			if phrases[i].fact.Effect == policy.Executed {
				return true
			}
		}
	}
	return false
}

// underWay fits what is said of a transaction before its end. A hold is only spoken
// of where the money will be taken.
func underWay(executes bool) func(*phrase) bool {
	return func(p *phrase) bool {
		return p.fact.Effect == policy.Pending && p.fact.Stage == policy.Result && p.fact.Reach == policy.WholePayment &&
			(executes || p.fact.Class != policy.Authorized)
	}
}

func effect(e policy.Effect, stage policy.Stage, classes ...policy.Class) func(*phrase) bool {
	return func(p *phrase) bool {
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

// refusal is how the provider turns a request away at the door for a reason. ok is false
// when it has no words for it.
func (s *speech) refusal(r *rand.Rand, ph policy.Phase, classes ...policy.Class) (policy.Answer, bool) {
	proves := policy.NotExecuted
	if ph == policy.Query {
		proves = policy.Unknown // a refused query leaves the payment as it was
	}
	p, ok := s.pick(r, ph, effect(proves, policy.Door, classes...))
	return p.answer, ok
}

// notFound is what a query is told about nothing.
func (s *speech) notFound(r *rand.Rand, q *question) policy.Answer {
	p, ok := s.pick(r, policy.Query, effect(policy.Unknown, policy.Door, policy.NotFound))
	if !ok {
		p.answer = policy.Answer{Phase: policy.Query, HTTPStatus: 404}
	}
	return name(p.answer, q.orderID, q.requestID)
}

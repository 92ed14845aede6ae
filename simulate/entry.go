package simulate

import (
	"hash/maphash"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// kind is what many lines have in common: all but their names, times and amounts. Each is kept once, so lines refer to it.
type kind struct {
	kindContent

	slot int // its number, from 1 on; 0: it is of one line alone
}

type kindContent struct {
	phase     recorded.Phase
	provider  string // of the payment, as are the next three
	operation policy.Operation
	currency  string
	capture   policy.CaptureMode
	queryBy   policy.Identifier
	outcome   policy.Outcome
	answer    policy.Answer // without the names and the amount
}

// place is where a text stands in the data of a batch.
type place struct{ from, to uint32 }

func (x place) of(data []byte) []byte { return data[x.from:x.to] }

// The texts of an entry.
const (
	flowText = iota
	keyText
	orderText
	requestText
	providerText
	saidOrder // by the answer
	saidRequest
	saidProvider
	entryTexts
)

// entry is a line on its way to its flow. Its texts are places in the data of its batch, so it costs no memory of its own.
type entry struct {
	kind     *kind
	merchant string
	tags     map[string]string
	number   int // of the line in its file
	at       moment
	latency  int64 // in milliseconds
	amount   int64 // of the payment
	said     int64 // amount of the answer
	texts    [entryTexts]place

	executions, executionsEnd int // in the batch's list
}

// finding is an execution of a truth line, as [recorded.Execution] has it.
type finding struct {
	order, request place
	amount         int64
	at             moment
	dated          bool
}

func (l *entry) text(data []byte, i int) []byte { return l.texts[i].of(data) }

// kinds is those of a run, by the hash of their content: a table that held each once more would be the greater part of them.
type kinds struct {
	known map[uint64]*kind
	hash  func(*kindContent) uint64
}

var kindSeed = maphash.MakeSeed()

func newKinds() kinds {
	return kinds{known: map[uint64]*kind{}, hash: func(c *kindContent) uint64 { return maphash.Comparable(kindSeed, *c) }}
}

// mostKinds bounds the kinds that are kept: a recording may have a new one in each line.
const mostKinds = 1 << 14

func (all kinds) of(l *line) *kind {
	c := kindContent{
		phase: l.Phase, provider: l.Payment.Provider, operation: l.Payment.Operation, currency: l.Payment.Currency, capture: l.Payment.Capture,
		queryBy: l.QueryBy, outcome: l.Outcome, answer: l.Answer,
	}
	c.answer.OrderID, c.answer.RequestID, c.answer.ProviderID, c.answer.Amount = "", "", "", 0
	hash := all.hash(&c)
	known := all.known[hash]
	if known != nil && known.kindContent == c {
		return known
	}
	k := &kind{kindContent: c}
	if known == nil && len(all.known) < mostKinds {
		all.known[hash] = k
		k.slot = len(all.known)
	}
	return k
}

// take adds a line to the batch.
func (b *batch) take(all kinds, l *line) {
	a := &l.Answer
	e := entry{
		kind: all.of(l), merchant: l.Payment.Merchant, tags: l.Payment.Tags, number: l.number, at: momentOf(l.At), latency: int64(l.Latency / time.Millisecond),
		amount: l.Payment.Amount, said: a.Amount, executions: len(b.executions),
	}
	for i, s := range [entryTexts]string{l.Flow, l.Payment.Key, l.OrderID, l.RequestID, l.ProviderID, a.OrderID, a.RequestID, a.ProviderID} {
		e.texts[i] = b.keep(s)
	}
	for _, x := range l.Executions {
		b.executions = append(b.executions, finding{b.keep(x.OrderID), b.keep(x.RequestID), x.Amount, momentOf(x.At), !x.At.IsZero()})
	}
	e.executionsEnd = len(b.executions)
	b.lines = append(b.lines, e)
}

// keep adds a text to the batch's data, behind its lines.
func (b *batch) keep(s string) place {
	from := uint32(len(b.data))
	b.data = append(b.data, s...)
	return place{from, from + uint32(len(s))}
}

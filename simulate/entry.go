package simulate

import (
	"encoding/binary"
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

// says reports whether a kind holds all of its lines' answers that proves anything.
func (k *kind) says() bool { return k != nil && k.apart != itsWords }

// apart is what a kind leaves out of its answer, because it may differ in each line.
type apart uint8

const (
	nothing   apart = iota
	unread          // the message: nothing reads it, so of it only a hash stands in the log, by which lines that repeat are found
	itsSaying       // the message, which stands in the log
	itsWords        // all words, which stand there
)

type kindContent struct {
	phase     recorded.Phase
	provider  string // of the payment, as are the next three
	operation policy.Operation
	currency  string
	capture   policy.CaptureMode
	queryBy   policy.Identifier
	outcome   policy.Outcome
	answer    policy.Answer // without the names and the amount
	apart     apart
}

// sayings reports whether the message is left out, and nothing else.
func (a apart) sayings() bool { return a == unread || a == itsSaying }

// spare leaves more out of a kind. It reports false where there is no more.
func (c *kindContent) spare(reads bool) bool {
	a := &c.answer
	switch {
	case c.apart == nothing && a.Message != "":
		a.Message, c.apart = "", unread
		if reads {
			c.apart = itsSaying
		}
	case c.apart < itsWords && (c.apart != nothing || len(wordsOf(a)) > 0):
		for _, word := range wordFields(a) {
			*word = ""
		}
		a.Message, a.RetryAfter, c.apart = "", 0, itsWords
	default:
		return false
	}
	return true
}

// wordFields are the words of an answer, but for its message.
func wordFields(a *policy.Answer) [6]*string {
	return [...]*string{&a.Code, &a.SubCode, &a.Status, &a.SubStatus, &a.Currency, &a.SetAside}
}

// wordsOf writes the words of an answer; nil: it has none.
func wordsOf(a *policy.Answer) (b []byte) {
	some := a.RetryAfter != 0
	b = binary.AppendVarint(b, int64(a.RetryAfter))
	for _, word := range wordFields(a) {
		some = some || *word != ""
		b = append(binary.AppendUvarint(b, uint64(len(*word))), *word...)
	}
	if !some {
		return nil
	}
	return b
}

// setWords reads what wordsOf wrote.
func setWords(a *policy.Answer, words string) {
	if words == "" {
		return
	}
	b := []byte(words)
	n, size := binary.Varint(b)
	a.RetryAfter = time.Duration(n)
	at := size
	for _, word := range wordFields(a) {
		n, size := binary.Uvarint(b[at:])
		at += size + int(n)
		*word = words[at-int(n) : at]
	}
}

// like reports whether two kinds are the same but for the words of their answers, and what is left out of them.
func (k *kind) like(o *kind) bool {
	if k == o || k == nil || o == nil {
		return k == o
	}
	a, b := k.kindContent, o.kindContent
	a.answer, a.apart, b.answer, b.apart = policy.Answer{}, nothing, policy.Answer{}, nothing
	return a == b
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
	sayingText // its message, where the kind leaves it out
	wordsText  // its words, likewise
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
	most  [4]int // by what is left out: when there are so many kinds, more is left out
	reads bool   // messages are read: by a rule, or in the story of a flow
}

var kindSeed = maphash.MakeSeed()

func newKinds(reads bool) kinds {
	return kinds{reads: reads, known: map[uint64]*kind{}, most: [...]int{nothing: mostKinds / 4, unread: mostKinds / 2, itsSaying: mostKinds / 2, itsWords: mostKinds}, hash: func(c *kindContent) uint64 { return maphash.Comparable(kindSeed, *c) }}
}

// mostKinds bounds the kinds that are kept: a recording may have a new one in each line.
const mostKinds = 1 << 14

func (all kinds) of(l *line) *kind {
	c := kindContent{
		phase: l.Phase, provider: l.Payment.Provider, operation: l.Payment.Operation, currency: l.Payment.Currency, capture: l.Payment.Capture,
		queryBy: l.QueryBy, outcome: l.Outcome, answer: l.Answer,
	}
	c.answer.OrderID, c.answer.RequestID, c.answer.ProviderID, c.answer.Amount = "", "", "", 0
	if !all.reads && c.answer.Message != "" && isPlain(c.answer.Message) {
		c.spare(false)
	}
	for {
		hash := all.hash(&c)
		known := all.known[hash]
		if known != nil && known.kindContent == c {
			return known
		}
		sparer := c
		left := sparer.spare(all.reads)
		most := all.most[itsWords]
		if left && sparer.apart == itsWords {
			most = all.most[unread]
		} else if left {
			most = all.most[nothing]
		}
		if known == nil && len(all.known) < most {
			k := &kind{kindContent: c, slot: len(all.known) + 1}
			all.known[hash] = k
			return k
		}
		if !left {
			return &kind{kindContent: c}
		}
		c = sparer
	}
}

// isPlain reports whether a text may stand in the hole of a pattern.
func isPlain(s string) bool {
	for i := range len(s) {
		if !plainByte[s[i]] {
			return false
		}
	}
	return true
}

// take adds a line to the batch.
func (b *batch) take(all kinds, l *line) {
	a := &l.Answer
	e := entry{
		kind: all.of(l), merchant: l.Payment.Merchant, tags: l.Payment.Tags, number: l.number, at: momentOf(l.At), latency: int64(l.Latency / time.Millisecond),
		amount: l.Payment.Amount, said: a.Amount, executions: len(b.executions),
	}
	for i, s := range [...]string{l.Flow, l.Payment.Key, l.OrderID, l.RequestID, l.ProviderID, a.OrderID, a.RequestID, a.ProviderID} {
		e.texts[i] = b.keep(s)
	}
	if e.kind.apart != nothing {
		e.texts[sayingText] = b.keep(a.Message)
	}
	if e.kind.apart == itsWords {
		e.texts[wordsText] = b.keep(string(wordsOf(a)))
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

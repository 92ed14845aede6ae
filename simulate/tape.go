package simulate

import (
	"encoding/binary"
	"sort"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// tape is one flow's lines while the flow is open, packed: a few tens of bytes a line.
type tape struct {
	flow     string
	payment  policy.Payment // of the first send; of another line until then
	hasSend  bool
	first    moment // of the line that opened it
	earliest moment // send
	order    string // the identifiers of the first line that has them
	request  string
	provider string
	lines    int
	log      []byte
}

// packer packs lines. Texts that recur are kept once; a slot is written before the tape
// that refers to it is handed on, and never again.
type packer struct {
	texts []string
	index map[string]int
}

const maxTexts = 1 << 16

func newPacker() *packer {
	return &packer{texts: make([]string, 0, maxTexts), index: map[string]int{}}
}

// How a text is written: 0 none, 1 the tape's order id, 2 its request id, 3 the
// provider's id; from 4 on even numbers are indexes of shared texts and odd ones lengths of
// what follows.
const (
	textNone = iota
	textOrder
	textRequest
	textProvider
	textOther
)

func (p *packer) text(t *tape, v string, shared bool) {
	switch {
	case v == "":
		t.log = append(t.log, textNone)
		return
	case v == t.order:
		t.log = append(t.log, textOrder)
		return
	case v == t.request:
		t.log = append(t.log, textRequest)
		return
	case v == t.provider:
		t.log = append(t.log, textProvider)
		return
	}
	if shared {
		slot, ok := p.index[v]
		if !ok && len(p.texts) < maxTexts {
			slot, ok = len(p.texts), true
			p.texts = append(p.texts, v)
			p.index[v] = slot
		}
		if ok {
			t.log = binary.AppendUvarint(t.log, textOther+uint64(slot)*2)
			return
		}
	}
	t.log = binary.AppendUvarint(t.log, textOther+uint64(len(v))*2+1)
	t.log = append(t.log, v...)
}

func (p *packer) number(t *tape, n int64) { t.log = binary.AppendVarint(t.log, n) }

// put packs a line onto a tape.
func (p *packer) put(t *tape, l *line) {
	at := momentOf(l.At)
	if t.lines == 0 {
		t.first = at
		t.payment = l.Payment
	}
	if l.Phase == recorded.Send && (!t.hasSend || at < t.earliest) {
		t.payment, t.hasSend, t.earliest = l.Payment, true, at
	}
	if t.order == "" {
		t.order = l.OrderID
	}
	if t.request == "" && l.Phase == recorded.Send {
		t.request = l.RequestID
	}
	t.lines++
	if t.provider == "" {
		t.provider = l.Answer.ProviderID
	}
	if l.Phase == recorded.Query && l.QueryBy != policy.RequestID {
		l.RequestID = "" // the query's own id, which names no identity
	}
	t.grow()
	t.log = append(t.log, byte(l.Phase))
	p.number(t, int64(at-t.first))
	switch l.Phase {
	case recorded.End:
		t.log = append(t.log, byte(l.Outcome))
	case recorded.Truth:
		p.number(t, int64(len(l.Executions)))
		for _, x := range l.Executions {
			p.text(t, x.OrderID, false)
			p.text(t, x.RequestID, false)
			p.number(t, x.Amount)
			executed := at // where the line does not say
			if !x.At.IsZero() {
				executed = momentOf(x.At)
			}
			p.number(t, int64(executed-t.first))
		}
	case recorded.Send, recorded.Query, recorded.Webhook:
		p.call(t, l)
	}
}

// grow makes room for a line without the half-empty space that appending leaves.
func (t *tape) grow() {
	const room, step = 48, 64
	if cap(t.log)-len(t.log) < room {
		t.log = append(make([]byte, 0, len(t.log)+len(t.log)/8+room+step), t.log...)
	}
}

func (p *packer) call(t *tape, l *line) {
	p.text(t, l.OrderID, false)
	p.text(t, l.RequestID, false)
	p.text(t, l.ProviderID, false)
	p.text(t, string(l.QueryBy), true)
	p.number(t, int64(l.Latency/time.Millisecond))
	a := &l.Answer
	flags := byte(a.Fault)
	if a.Verified {
		flags |= 0x80
	}
	t.log = append(t.log, flags)
	p.number(t, int64(a.HTTPStatus))
	p.number(t, int64(a.RetryAfter/time.Millisecond))
	p.number(t, a.Amount)
	p.text(t, a.Code, true)
	p.text(t, a.SubCode, true)
	p.text(t, a.Status, true)
	p.text(t, a.SubStatus, true)
	p.text(t, a.Message, true)
	p.text(t, a.Currency, true)
	p.text(t, a.OrderID, false)
	p.text(t, a.RequestID, false)
	p.text(t, a.ProviderID, false)
}

// unpacker reads a tape's log.
type unpacker struct {
	texts []string
	t     *tape
	log   []byte
}

func (u *unpacker) byte() byte {
	b := u.log[0]
	u.log = u.log[1:]
	return b
}

func (u *unpacker) number() int64 {
	n, size := binary.Varint(u.log)
	u.log = u.log[size:]
	return n
}

func (u *unpacker) text() string {
	n, size := binary.Uvarint(u.log)
	u.log = u.log[size:]
	switch n {
	case textNone:
		return ""
	case textOrder:
		return u.t.order
	case textRequest:
		return u.t.request
	case textProvider:
		return u.t.provider
	}
	n -= textOther
	if n%2 == 0 {
		return u.texts[n/2]
	}
	v := string(u.log[:n/2])
	u.log = u.log[n/2:]
	return v
}

// call is a send, a query or a webhook of a recording.
type call struct {
	at                             moment
	latency                        time.Duration
	orderID, requestID, providerID string
	queryBy                        policy.Identifier
	after                          int // sends recorded before it
	answer                         policy.Answer
}

// execution is one movement of money that reconciliation found.
type execution struct {
	orderID, requestID string
	amount             int64
	at                 moment
}

// record is a tape unpacked and in the order of time.
type record struct {
	flow     string
	payment  policy.Payment
	sends    []call
	queries  []call
	webhooks []call
	ended    bool
	outcome  policy.Outcome
	endAt    moment
	hasTruth bool
	truth    []execution
}

// unpack fills r, reusing its slices.
func (r *record) unpack(texts []string, t *tape) {
	*r = record{flow: t.flow, payment: t.payment, sends: r.sends[:0], queries: r.queries[:0], webhooks: r.webhooks[:0], truth: r.truth[:0]}
	u := unpacker{texts: texts, t: t, log: t.log}
	for len(u.log) > 0 {
		phase := recorded.Phase(u.byte())
		at := t.first + moment(u.number())
		switch phase {
		case recorded.End:
			r.ended, r.outcome, r.endAt = true, policy.Outcome(u.byte()), at
		case recorded.Truth:
			r.hasTruth = true
			for n := u.number(); n > 0; n-- {
				r.truth = append(r.truth, execution{u.text(), u.text(), u.number(), t.first + moment(u.number())})
			}
		case recorded.Send:
			r.sends = append(r.sends, u.call(phase, at))
		case recorded.Query:
			r.queries = append(r.queries, u.call(phase, at))
		case recorded.Webhook:
			r.webhooks = append(r.webhooks, u.call(phase, at))
		}
	}
	r.order()
}

func (u *unpacker) call(phase recorded.Phase, at moment) call {
	c := call{at: at, orderID: u.text(), requestID: u.text(), providerID: u.text(), queryBy: policy.Identifier(u.text())}
	c.latency = time.Duration(u.number()) * time.Millisecond
	a := &c.answer
	a.Phase = policy.Phase(phase)
	flags := u.byte()
	a.Fault, a.Verified = policy.Fault(flags&0x7f), flags&0x80 != 0
	a.HTTPStatus = int(u.number())
	a.RetryAfter = time.Duration(u.number()) * time.Millisecond
	a.Amount = u.number()
	a.Code, a.SubCode, a.Status, a.SubStatus = u.text(), u.text(), u.text(), u.text()
	a.Message, a.Currency = u.text(), u.text()
	a.OrderID, a.RequestID, a.ProviderID = u.text(), u.text(), u.text()
	return c
}

// order sorts the calls and counts the sends before each.
func (r *record) order() {
	for _, calls := range [][]call{r.sends, r.queries, r.webhooks} {
		if !sort.SliceIsSorted(calls, func(i, j int) bool { return calls[i].at < calls[j].at }) {
			sort.SliceStable(calls, func(i, j int) bool { return calls[i].at < calls[j].at })
		}
	}
	for _, calls := range [][]call{r.queries, r.webhooks} {
		sent := 0
		for i := range calls {
			for sent < len(r.sends) && r.sends[sent].at <= calls[i].at {
				sent++
			}
			calls[i].after = sent
		}
	}
}

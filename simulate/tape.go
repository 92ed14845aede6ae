package simulate

import (
	"encoding/binary"
	"sort"
	"time"

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

// shelf packs lines. Texts that recur are kept once; a slot is written before the tape
// that refers to it is handed on, and never again.
type shelf struct {
	texts []string
	index map[string]int
}

const shelfSize = 1 << 16

func newShelf() *shelf {
	return &shelf{texts: make([]string, 0, shelfSize), index: map[string]int{}}
}

// How a text is written: 0 none, 1 the tape's order id, 2 its request id, 3 the
// provider's id; from 4 on even numbers are slots of the shelf and odd ones lengths of
// what follows.
const (
	textNone = iota
	textOrder
	textRequest
	textProvider
	textOther
)

func (s *shelf) text(t *tape, v string, shared bool) {
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
		slot, ok := s.index[v]
		if !ok && len(s.texts) < shelfSize {
			slot, ok = len(s.texts), true
			s.texts = append(s.texts, v)
			s.index[v] = slot
		}
		if ok {
			t.log = binary.AppendUvarint(t.log, textOther+uint64(slot)*2)
			return
		}
	}
	t.log = binary.AppendUvarint(t.log, textOther+uint64(len(v))*2+1)
	t.log = append(t.log, v...)
}

func (s *shelf) number(t *tape, n int64) { t.log = binary.AppendVarint(t.log, n) }

// put packs a line onto a tape.
func (s *shelf) put(t *tape, l *line) {
	if t.lines == 0 {
		t.first = l.at
		t.payment = l.payment
	}
	if l.phase == lineSend && (!t.hasSend || l.at < t.earliest) {
		t.payment, t.hasSend, t.earliest = l.payment, true, l.at
	}
	if t.order == "" {
		t.order = l.orderID
	}
	if t.request == "" && l.phase == lineSend {
		t.request = l.requestID
	}
	t.lines++
	if t.provider == "" {
		t.provider = l.answer.ProviderID
	}
	if l.phase == lineQuery && l.queryBy != policy.RequestID {
		l.requestID = "" // the query's own name, which nobody asks for
	}
	t.grow()
	t.log = append(t.log, byte(l.phase))
	s.number(t, int64(l.at-t.first))
	switch l.phase {
	case lineEnd:
		t.log = append(t.log, byte(l.outcome))
	case lineTruth:
		s.number(t, int64(len(l.executions)))
		for _, x := range l.executions {
			s.text(t, x.orderID, false)
			s.text(t, x.requestID, false)
			s.number(t, x.amount)
			s.number(t, int64(x.at-t.first))
		}
	case lineSend, lineQuery, lineWebhook:
		s.call(t, l)
	}
}

// grow makes room for a line without the half-empty space that appending leaves.
func (t *tape) grow() {
	const room, step = 48, 64
	if cap(t.log)-len(t.log) < room {
		t.log = append(make([]byte, 0, len(t.log)+len(t.log)/8+room+step), t.log...)
	}
}

func (s *shelf) call(t *tape, l *line) {
	s.text(t, l.orderID, false)
	s.text(t, l.requestID, false)
	s.text(t, l.providerID, false)
	s.text(t, string(l.queryBy), true)
	s.number(t, int64(l.latency/time.Millisecond))
	a := &l.answer
	flags := byte(a.Fault)
	if a.Verified {
		flags |= 0x80
	}
	t.log = append(t.log, flags)
	s.number(t, int64(a.HTTPStatus))
	s.number(t, int64(a.RetryAfter/time.Millisecond))
	s.number(t, a.Amount)
	s.text(t, a.Code, true)
	s.text(t, a.SubCode, true)
	s.text(t, a.Status, true)
	s.text(t, a.SubStatus, true)
	s.text(t, a.Message, true)
	s.text(t, a.Currency, true)
	s.text(t, a.OrderID, false)
	s.text(t, a.RequestID, false)
	s.text(t, a.ProviderID, false)
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
		phase := linePhase(u.byte())
		at := t.first + moment(u.number())
		switch phase {
		case lineEnd:
			r.ended, r.outcome, r.endAt = true, policy.Outcome(u.byte()), at
		case lineTruth:
			r.hasTruth = true
			for n := u.number(); n > 0; n-- {
				r.truth = append(r.truth, execution{u.text(), u.text(), u.number(), t.first + moment(u.number())})
			}
		case lineSend:
			r.sends = append(r.sends, u.call(phase, at))
		case lineQuery:
			r.queries = append(r.queries, u.call(phase, at))
		case lineWebhook:
			r.webhooks = append(r.webhooks, u.call(phase, at))
		}
	}
	r.order()
}

func (u *unpacker) call(phase linePhase, at moment) call {
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

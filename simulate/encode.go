package simulate

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// flowLog is the lines of one open flow, encoded in a few tens of bytes a line. Memory grows with
// the open flows, so their form decides how much memory a simulation needs.
type flowLog struct {
	name                     string // the merchant's, NUL, and the flow's
	merchant                 uint32 // how long that of the merchant is
	hasSend, hasTruth        bool
	of                       *kind // of the first send, as are the next three; of another line until then
	key                      string
	amount                   int64
	tags                     map[string]string
	first                    moment // of the line that opened it
	earliest                 moment // send
	order, request, provider place  // in data: the identifiers of the first line that has them
	data                     []byte
	odd                      []*kind // those of its lines that are of no other
}

func (t *flowLog) flow() string { return t.name[t.merchant+1:] }

// payment is that of the first send, its texts as they are in the log.
func (t *flowLog) payment() policy.Payment {
	return policy.Payment{
		Provider: t.of.provider, Merchant: t.name[:t.merchant], Operation: t.of.operation, Key: t.key, Amount: t.amount, Currency: t.of.currency, Capture: t.of.capture, Tags: t.tags,
	}
}

// encoder encodes lines. Kinds of lines are kept once, by their slots. A slot is written before a log that refers to it is sent to another
// goroutine, and never again: no lock is needed.
type encoder struct {
	kinds []*kind
}

// A text begins with a number: 0 is none, 1 the log's order id, 2 its request id, 3 its provider id. From 4 on it is the length of what follows.
const (
	textNone = iota
	textOrder
	textRequest
	textProvider
	textOther
)

// text writes a text. Where it is the first of its name, which may be nil, the log refers to it from then on.
func (e *encoder) text(t *flowLog, v []byte, name *place) {
	switch {
	case len(v) == 0:
		t.data = append(t.data, textNone)
	case bytes.Equal(v, t.order.of(t.data)):
		t.data = append(t.data, textOrder)
	case bytes.Equal(v, t.request.of(t.data)):
		t.data = append(t.data, textRequest)
	case bytes.Equal(v, t.provider.of(t.data)):
		t.data = append(t.data, textProvider)
	default:
		t.data = binary.AppendUvarint(t.data, textOther+uint64(len(v)))
		from := len(t.data)
		t.data = append(t.data, v...)
		if name != nil && *name == (place{}) {
			*name = place{uint32(from), uint32(len(t.data))}
		}
	}
}

func (e *encoder) number(t *flowLog, n int64) { t.data = binary.AppendVarint(t.data, n) }

// kind writes which kind a line is.
func (e *encoder) kind(t *flowLog, k *kind) {
	t.data = binary.AppendUvarint(t.data, uint64(k.slot))
	if k.slot == 0 {
		t.odd = append(t.odd, k)
		return
	}
	if more := k.slot + 1 - len(e.kinds); more > 0 {
		e.kinds = append(e.kinds, make([]*kind, more)...)
	}
	if e.kinds[k.slot] == nil {
		e.kinds[k.slot] = k
	}
}

// add encodes a line at the end of a log.
func (e *encoder) add(t *flowLog, b *batch, l *entry) {
	k := l.kind
	if t.of == nil {
		t.first = l.at
	}
	if first := k.phase == recorded.Send && (!t.hasSend || l.at < t.earliest); first || t.of == nil {
		t.of, t.amount, t.tags = k, l.amount, l.tags
		if key := l.text(b.data, keyText); string(key) != t.key {
			t.key = string(key)
		}
		if first {
			t.hasSend, t.earliest = true, l.at
		}
	}
	request, sent := l.text(b.data, requestText), (*place)(nil)
	if k.phase == recorded.Send {
		sent = &t.request
	}
	if k.phase == recorded.Query && k.queryBy != policy.RequestID {
		request = nil // the query's own id, which names no identity
	}
	t.grow(k.phase)
	e.kind(t, k)
	e.number(t, int64(l.at-t.first))
	switch k.phase {
	case recorded.End:
		t.data = bytes.Clone(t.data) // nearly all that follows is the truth, a day later
	case recorded.Truth:
		t.hasTruth = true
		e.number(t, int64(l.executionsEnd-l.executions))
		for i := l.executions; i < l.executionsEnd; i++ {
			x := &b.executions[i]
			e.text(t, x.order.of(b.data), nil)
			e.text(t, x.request.of(b.data), nil)
			e.number(t, x.amount)
			if !x.dated {
				t.data = append(t.data, 0)
				continue
			}
			t.data = append(t.data, 1)
			e.number(t, int64(x.at-t.first))
		}
	case recorded.Send, recorded.Query, recorded.Webhook:
		e.text(t, l.text(b.data, orderText), &t.order)
		e.text(t, request, sent)
		e.text(t, l.text(b.data, providerText), nil)
		e.number(t, l.latency)
		e.number(t, l.said)
		e.text(t, l.text(b.data, saidOrder), nil)
		e.text(t, l.text(b.data, saidRequest), nil)
		e.text(t, l.text(b.data, saidProvider), &t.provider)
	}
}

// grow makes room for one more line. It does not double the capacity as append does: with many open
// flows the unused half would be much of the memory.
func (t *flowLog) grow(ph recorded.Phase) {
	const room, step = 48, 64
	more := step + len(t.data)/8
	if ph == recorded.End || ph == recorded.Truth { // little follows
		more = 0
	}
	if cap(t.data)-len(t.data) < room {
		t.data = append(make([]byte, 0, len(t.data)+room+more), t.data...)
	}
}

// decoder reads a log.
type decoder struct {
	kinds []*kind
	t     *flowLog
	texts string // all of the log's data
	data  []byte // the rest of it
	odd   int    // kinds that were read
}

func (d *decoder) byte() byte {
	b := d.data[0]
	d.data = d.data[1:]
	return b
}

func (d *decoder) number() int64 {
	n, size := binary.Varint(d.data)
	d.data = d.data[size:]
	return n
}

func (d *decoder) kind() *kind {
	n, size := binary.Uvarint(d.data)
	d.data = d.data[size:]
	if n > 0 {
		return d.kinds[n]
	}
	d.odd++
	return d.t.odd[d.odd-1]
}

func (d *decoder) text() string {
	n, size := binary.Uvarint(d.data)
	d.data = d.data[size:]
	switch n {
	case textNone:
		return ""
	case textOrder:
		return d.at(d.t.order)
	case textRequest:
		return d.at(d.t.request)
	case textProvider:
		return d.at(d.t.provider)
	}
	n -= textOther
	from := len(d.texts) - len(d.data)
	d.data = d.data[n:]
	return d.texts[from : from+int(n)]
}

func (d *decoder) at(x place) string { return d.texts[x.from:x.to] }

// call is a send, a query or a webhook of a recording.
type call struct {
	at                             moment
	latency                        time.Duration
	orderID, requestID, providerID string
	queryBy                        policy.Identifier
	after                          int // sends recorded before it
	answer                         policy.Answer
	kind                           *kind // nil: it is of one line alone
}

// received is when the answer arrived.
func (c *call) received() moment { return c.at.plus(c.latency) }

// call appends one to others.
func (d *decoder) call(to []call, k *kind, at moment) []call {
	to = append(to, call{at: at, queryBy: k.queryBy, answer: k.answer})
	c := &to[len(to)-1]
	if k.slot > 0 {
		c.kind = k
	}
	c.orderID, c.requestID, c.providerID = d.text(), d.text(), d.text()
	c.latency = time.Duration(d.number()) * time.Millisecond
	a := &c.answer
	a.Amount = d.number()
	a.OrderID, a.RequestID, a.ProviderID = d.text(), d.text(), d.text()
	return to
}

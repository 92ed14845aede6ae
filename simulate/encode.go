package simulate

import (
	"encoding/binary"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// flowLog is the lines of one open flow, encoded in a few tens of bytes a line. Memory grows with
// the open flows, so their form decides how much memory a simulation needs.
type flowLog struct {
	flow     string
	payment  policy.Payment // of the first send; of another line until then
	hasSend  bool
	hasTruth bool
	first    moment // of the line that opened it
	earliest moment // send
	order    string // the identifiers of the first line that has them
	request  string
	provider string
	lines    int
	data     []byte
	odd      []*kind // those of its lines that the encoder has no room for
}

// encoder encodes lines. Kinds of lines are kept once. A slot of kinds is written before a log that refers to it is sent to another
// goroutine, and never again: no lock is needed.
type encoder struct {
	kinds []*kind
	index map[kindContent]int
}

func newEncoder() *encoder {
	return &encoder{kinds: make([]*kind, 0, mostKinds), index: map[kindContent]int{}}
}

// A text begins with a number: 0 is none, 1 the log's order id, 2 its request id, 3 its provider id. From 4 on it is the length of what follows.
const (
	textNone = iota
	textOrder
	textRequest
	textProvider
	textOther
)

func (e *encoder) text(t *flowLog, v []byte) {
	switch {
	case len(v) == 0:
		t.data = append(t.data, textNone)
	case string(v) == t.order:
		t.data = append(t.data, textOrder)
	case string(v) == t.request:
		t.data = append(t.data, textRequest)
	case string(v) == t.provider:
		t.data = append(t.data, textProvider)
	default:
		t.data = binary.AppendUvarint(t.data, textOther+uint64(len(v)))
		t.data = append(t.data, v...)
	}
}

func (e *encoder) number(t *flowLog, n int64) { t.data = binary.AppendVarint(t.data, n) }

// kind writes which kind a line is.
func (e *encoder) kind(t *flowLog, k *kind) {
	if k.slot == 0 {
		slot, known := e.index[k.kindContent]
		if !known && len(e.kinds) < mostKinds {
			e.kinds, slot, known = append(e.kinds, k), len(e.kinds), true
			e.index[k.kindContent] = slot
		}
		if !known {
			t.data = binary.AppendUvarint(t.data, mostKinds+uint64(len(t.odd)))
			t.odd = append(t.odd, k)
			return
		}
		k.slot = slot + 1
	}
	t.data = binary.AppendUvarint(t.data, uint64(k.slot-1))
}

// add encodes a line at the end of a log.
func (e *encoder) add(t *flowLog, b *batch, l *entry) {
	k := l.kind
	if t.lines == 0 {
		t.first = l.at
	}
	if first := k.phase == recorded.Send && (!t.hasSend || l.at < t.earliest); first || t.lines == 0 {
		t.payment = l.payment(b.data)
		if first {
			t.hasSend, t.earliest = true, l.at
		}
	}
	order, request := l.text(b.data, orderText), l.text(b.data, requestText)
	if t.order == "" {
		t.order = string(order)
	}
	if t.request == "" && k.phase == recorded.Send {
		t.request = string(request)
	}
	t.lines++
	if t.provider == "" {
		t.provider = string(l.text(b.data, saidProvider))
	}
	if k.phase == recorded.Query && k.queryBy != policy.RequestID {
		request = nil // the query's own id, which names no identity
	}
	t.grow()
	e.kind(t, k)
	e.number(t, int64(l.at-t.first))
	switch k.phase {
	case recorded.End:
	case recorded.Truth:
		t.hasTruth = true
		e.number(t, int64(l.executionsEnd-l.executions))
		for i := l.executions; i < l.executionsEnd; i++ {
			x := &b.executions[i]
			e.text(t, x.order.of(b.data))
			e.text(t, x.request.of(b.data))
			e.number(t, x.amount)
			if !x.dated {
				t.data = append(t.data, 0)
				continue
			}
			t.data = append(t.data, 1)
			e.number(t, int64(x.at-t.first))
		}
	case recorded.Send, recorded.Query, recorded.Webhook:
		e.text(t, order)
		e.text(t, request)
		e.text(t, l.text(b.data, providerText))
		e.number(t, l.latency)
		e.number(t, l.said)
		e.text(t, l.text(b.data, saidOrder))
		e.text(t, l.text(b.data, saidRequest))
		e.text(t, l.text(b.data, saidProvider))
	}
}

// grow makes room for one more line. It does not double the capacity as append does: with many open
// flows the unused half would be much of the memory.
func (t *flowLog) grow() {
	const room, step = 48, 64
	if cap(t.data)-len(t.data) < room {
		t.data = append(make([]byte, 0, len(t.data)+len(t.data)/8+room+step), t.data...)
	}
}

// decoder reads a log.
type decoder struct {
	kinds []*kind
	t     *flowLog
	data  []byte
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
	if n < mostKinds {
		return d.kinds[n]
	}
	return d.t.odd[n-mostKinds]
}

func (d *decoder) text() string {
	n, size := binary.Uvarint(d.data)
	d.data = d.data[size:]
	switch n {
	case textNone:
		return ""
	case textOrder:
		return d.t.order
	case textRequest:
		return d.t.request
	case textProvider:
		return d.t.provider
	}
	n -= textOther
	v := string(d.data[:n])
	d.data = d.data[n:]
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
	kind                           *kind // nil: the encoder had no room for it
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

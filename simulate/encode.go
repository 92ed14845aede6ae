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
}

// encoder encodes lines. Texts that recur are kept once. A slot of texts is written before a log
// that refers to it is sent to another goroutine, and never again: no lock is needed.
type encoder struct {
	texts []string
	index map[string]int
}

const maxTexts = 1 << 16

func newEncoder() *encoder {
	return &encoder{texts: make([]string, 0, maxTexts), index: map[string]int{}}
}

// A text begins with a number: 0 is none, 1 the log's order id, 2 its request id, 3 its provider id.
// From 4 on even numbers are indexes of shared texts, and odd ones are the length of what follows.
const (
	textNone = iota
	textOrder
	textRequest
	textProvider
	textOther
)

func (e *encoder) text(t *flowLog, v string, shared bool) {
	switch {
	case v == "":
		t.data = append(t.data, textNone)
		return
	case v == t.order:
		t.data = append(t.data, textOrder)
		return
	case v == t.request:
		t.data = append(t.data, textRequest)
		return
	case v == t.provider:
		t.data = append(t.data, textProvider)
		return
	}
	if shared {
		slot, ok := e.index[v]
		if !ok && len(e.texts) < maxTexts {
			slot, ok = len(e.texts), true
			e.texts = append(e.texts, v)
			e.index[v] = slot
		}
		if ok {
			t.data = binary.AppendUvarint(t.data, textOther+uint64(slot)*2)
			return
		}
	}
	t.data = binary.AppendUvarint(t.data, textOther+uint64(len(v))*2+1)
	t.data = append(t.data, v...)
}

func (e *encoder) number(t *flowLog, n int64) { t.data = binary.AppendVarint(t.data, n) }

// add encodes a line at the end of a log.
func (e *encoder) add(t *flowLog, l *line) {
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
	t.data = append(t.data, byte(l.Phase))
	e.number(t, int64(at-t.first))
	switch l.Phase {
	case recorded.End:
		t.data = append(t.data, byte(l.Outcome))
	case recorded.Truth:
		t.hasTruth = true
		e.number(t, int64(len(l.Executions)))
		for _, x := range l.Executions {
			e.text(t, x.OrderID, false)
			e.text(t, x.RequestID, false)
			e.number(t, x.Amount)
			if x.At.IsZero() {
				t.data = append(t.data, 0)
				continue
			}
			t.data = append(t.data, 1)
			e.number(t, int64(momentOf(x.At)-t.first))
		}
	case recorded.Send, recorded.Query, recorded.Webhook:
		e.call(t, l)
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

func (e *encoder) call(t *flowLog, l *line) {
	e.text(t, l.OrderID, false)
	e.text(t, l.RequestID, false)
	e.text(t, l.ProviderID, false)
	e.text(t, string(l.QueryBy), true)
	e.number(t, int64(l.Latency/time.Millisecond))
	a := &l.Answer
	flags := byte(a.Fault)
	if a.Verified {
		flags |= 0x80
	}
	t.data = append(t.data, flags)
	e.number(t, int64(a.HTTPStatus))
	e.number(t, int64(a.RetryAfter/time.Millisecond))
	e.number(t, a.Amount)
	e.text(t, a.Code, true)
	e.text(t, a.SubCode, true)
	e.text(t, a.Status, true)
	e.text(t, a.SubStatus, true)
	e.text(t, a.Message, true)
	e.text(t, a.Currency, true)
	e.text(t, a.OrderID, false)
	e.text(t, a.RequestID, false)
	e.text(t, a.ProviderID, false)
	e.text(t, a.SetAside, true)
}

// decoder reads a log.
type decoder struct {
	texts []string
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
	if n%2 == 0 {
		return d.texts[n/2]
	}
	v := string(d.data[:n/2])
	d.data = d.data[n/2:]
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

// received is when the answer arrived.
func (c *call) received() moment { return c.at.plus(c.latency) }

func (d *decoder) call(phase recorded.Phase, at moment) call {
	c := call{at: at, orderID: d.text(), requestID: d.text(), providerID: d.text(), queryBy: policy.Identifier(d.text())}
	c.latency = time.Duration(d.number()) * time.Millisecond
	a := &c.answer
	a.Phase = policy.Phase(phase)
	flags := d.byte()
	a.Fault, a.Verified = policy.Fault(flags&0x7f), flags&0x80 != 0
	a.HTTPStatus = int(d.number())
	a.RetryAfter = time.Duration(d.number()) * time.Millisecond
	a.Amount = d.number()
	a.Code, a.SubCode, a.Status, a.SubStatus = d.text(), d.text(), d.text(), d.text()
	a.Message, a.Currency = d.text(), d.text()
	a.OrderID, a.RequestID, a.ProviderID = d.text(), d.text(), d.text()
	a.SetAside = d.text()
	return c
}

package simulate

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// flowLog is the lines of one open flow, encoded in a few tens of bytes a line. Memory grows with
// the open flows, so their form decides how much memory a simulation needs.
type flowLog struct {
	data                     []byte // the merchant's name, NUL, and the flow's; then the lines
	of                       *kind  // of the first send, as are the next two; of another line until then
	amount                   int64
	key                      place  // in data
	first                    moment // of the line that opened it
	earliest                 moment // send
	order, request, provider place  // in data: the identifiers of the first line that has them
	rare                     *rareLog
	merchant, names          uint32 // how long the merchant's name is, and all up to the lines
	hasSend, hasTruth        bool
}

// rareLog is what few logs have.
type rareLog struct {
	tags map[string]string // of the first send
	odd  []*kind           // those of the lines that are of no other
}

// tags are those of the first send.
func (t *flowLog) tags() map[string]string {
	if t.rare == nil {
		return nil
	}
	return t.rare.tags
}

// odd is how many kinds only this log has.
func (t *flowLog) odd() int {
	if t.rare == nil {
		return 0
	}
	return len(t.rare.odd)
}

// more is the place for what few logs have.
func (t *flowLog) more() *rareLog {
	if t.rare == nil {
		t.rare = &rareLog{}
	}
	return t.rare
}

// named reports whether a log is that of a merchant's flow. One that is not in use is that of none.
func (t *flowLog) named(merchant string, flow []byte) bool {
	return t.names > 0 && int(t.merchant) == len(merchant) && string(t.data[:t.merchant]) == merchant && bytes.Equal(t.data[t.merchant+1:t.names], flow)
}

func (t *flowLog) flow() string { return string(t.data[t.merchant+1 : t.names]) }

// encoder encodes lines. Kinds of lines are kept once, by their slots. A slot is written before a log that refers to it is sent to another
// goroutine, and never again: no lock is needed.
type encoder struct {
	kinds []*kind
	rooms rooms
}

// rooms is memory for logs, in pieces of whole steps, each used again when its log is done with: nothing of it is garbage.
type rooms struct {
	free  [mostRoom/roomStep + 1][][]byte // by their steps
	chunk []byte                          // of which no piece is cut yet
}

const (
	roomStep  = 32 // not doubled, as append does it: of many open flows the unused half would be much of the memory
	mostRoom  = 4 << 10
	roomChunk = 64 << 10
)

// get returns an empty piece for at least n bytes.
func (r *rooms) get(n int) []byte {
	steps := (n + roomStep - 1) / roomStep
	if steps >= len(r.free) {
		return make([]byte, 0, n+n/8)
	}
	if free := r.free[steps]; len(free) > 0 {
		r.free[steps] = free[:len(free)-1]
		return free[len(free)-1]
	}
	size := steps * roomStep
	if len(r.chunk) < size {
		r.chunk = make([]byte, roomChunk)
	}
	piece := r.chunk[:0:size]
	r.chunk = r.chunk[size:]
	return piece
}

// put takes a piece back.
func (r *rooms) put(piece []byte) {
	if steps := cap(piece) / roomStep; steps > 0 && steps < len(r.free) {
		r.free[steps] = append(r.free[steps], piece[:0])
	}
}

// begin makes t the log of a flow without lines.
func (e *encoder) begin(t *flowLog, names []byte, merchant int, first moment) {
	*t = flowLog{data: append(e.rooms.get(len(names)+lineRoom), names...), merchant: uint32(merchant), names: uint32(len(names)), first: first}
}

// lineRoom is what a line takes at most beside the texts that stand in it: six numbers, eight short texts and a hash.
const lineRoom = 64

// room makes room for so many bytes.
func (e *encoder) room(t *flowLog, n int) {
	if was := t.data; cap(was)-len(was) < n {
		t.data = append(e.rooms.get(len(was)+n), was...)
		e.rooms.put(was)
	}
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
		e.room(t, len(v)+lineRoom)
		t.data = binary.AppendUvarint(t.data, textOther+uint64(len(v)))
		from := len(t.data)
		t.data = append(t.data, v...)
		if name != nil && *name == (place{}) {
			*name = place{uint32(from), uint32(len(t.data))}
		}
	}
}

func (e *encoder) number(t *flowLog, n int64) { t.data = binary.AppendVarint(t.data, n) }

// A line begins with its kind: from lineSlot on, that of a slot.
const (
	lineOdd = iota // a kind that is of this line alone
	lineKey        // no line: a payment key, which stands here
	lineSlot
)

// kind writes which kind a line is.
func (e *encoder) kind(t *flowLog, k *kind) {
	if k.slot == 0 {
		t.data = append(t.data, lineOdd)
		rare := t.more()
		rare.odd = append(rare.odd, k)
		return
	}
	t.data = binary.AppendUvarint(t.data, lineSlot+uint64(k.slot))
	if more := k.slot + 1 - len(e.kinds); more > 0 {
		e.kinds = append(e.kinds, make([]*kind, more)...)
	}
	if e.kinds[k.slot] == nil {
		e.kinds[k.slot] = k
	}
}

// trim gives up the room that is left where little follows: of nearly all flows the truth, a day later, and then nothing.
func (e *encoder) trim(t *flowLog) {
	if was := t.data; cap(was)-len(was) >= roomStep {
		t.data = append(e.rooms.get(len(was)), was...)
		e.rooms.put(was)
	}
}

// key writes the payment key of a flow.
func (e *encoder) key(t *flowLog, key []byte) {
	if bytes.Equal(key, t.key.of(t.data)) {
		return
	}
	e.room(t, len(key)+lineRoom)
	t.data = binary.AppendUvarint(append(t.data, lineKey), uint64(len(key)))
	from := len(t.data)
	t.data = append(t.data, key...)
	t.key = place{uint32(from), uint32(len(t.data))}
}

// add encodes a line at the end of a log.
func (e *encoder) add(t *flowLog, b *batch, l *entry) {
	k := l.kind
	if t.of == nil {
		t.first = l.at
	}
	if first := k.phase == recorded.Send && (!t.hasSend || l.at < t.earliest); first || t.of == nil {
		t.of, t.amount = k, l.amount
		if l.tags != nil || t.rare != nil {
			t.more().tags = l.tags
		}
		e.key(t, l.text(b.data, keyText))
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
	e.room(t, lineRoom)
	e.kind(t, k)
	e.number(t, int64(l.at-t.first))
	switch k.phase {
	case recorded.End:
		e.trim(t)
	case recorded.Truth:
		t.hasTruth = true
		e.number(t, int64(l.executionsEnd-l.executions))
		for i := l.executions; i < l.executionsEnd; i++ {
			x := &b.executions[i]
			e.room(t, lineRoom)
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
		e.trim(t)
	case recorded.Send, recorded.Query, recorded.Webhook:
		e.text(t, l.text(b.data, orderText), &t.order)
		e.text(t, request, sent)
		e.text(t, l.text(b.data, providerText), nil)
		e.number(t, l.latency)
		e.number(t, l.said)
		e.text(t, l.text(b.data, saidOrder), nil)
		e.text(t, l.text(b.data, saidRequest), nil)
		e.text(t, l.text(b.data, saidProvider), &t.provider)
		e.apart(t, k.apart, l.text(b.data, sayingText), l.text(b.data, wordsText))
	}
}

// apart writes what the kind of a line leaves out.
func (e *encoder) apart(t *flowLog, what apart, saying, words []byte) {
	switch what {
	case unread:
		t.data = binary.LittleEndian.AppendUint32(t.data, uint32(maphash.Bytes(kindSeed, saying)))
	case itsWords:
		e.text(t, words, nil)
		e.text(t, saying, nil)
	case itsSaying:
		e.text(t, saying, nil)
	case nothing:
	}
}

// decoder reads a log.
type decoder struct {
	kinds []*kind
	t     *flowLog
	texts string // how the log's data begins
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

func (d *decoder) size() uint64 {
	n, size := binary.Uvarint(d.data)
	d.data = d.data[size:]
	return n
}

func (d *decoder) kind() *kind {
	n := d.size()
	for n == lineKey {
		skip := d.size()
		d.data = d.data[skip:]
		n = d.size()
	}
	if n >= lineSlot {
		return d.kinds[n-lineSlot]
	}
	d.odd++
	return d.t.rare.odd[d.odd-1]
}

func (d *decoder) text() string {
	n := d.size()
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
	from := len(d.t.data) - len(d.data)
	to := from + int(n)
	d.data = d.data[n:]
	if to > len(d.texts) {
		return string(d.t.data[from:to])
	}
	return d.texts[from:to]
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
	saying                         uint32 // a hash of its message, where nothing reads that
	kind                           *kind  // nil: it is of one line alone
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
	switch k.apart {
	case unread:
		c.saying = binary.LittleEndian.Uint32(d.data)
		d.data = d.data[4:]
	case itsWords:
		setWords(a, d.text())
		a.Message = d.text()
	case itsSaying:
		a.Message = d.text()
	case nothing:
	}
	return to
}

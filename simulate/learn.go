package simulate

import (
	"bytes"
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

const (
	leastTries = 1 << 12 // lines of which a goroutine tries to make a pattern, whether patterns help or not
	worth      = 4       // lines that are read by a pattern for each that it tries then: of lines that all differ, patterns cost time and memory in vain
	pieceSize  = 100     // bytes that a piece of a pattern takes beside its own, about
	mostPages  = 1 << 9  // tries at lines whose body is a text
)

// roles is what the keys of a line hold that differ from line to line.
var roles = map[string]role{
	"flow": isFlow, "at": isAt, "merchant": isMerchant, "payment_key": isKey, "order_id": isOrder, "request_id": isRequest, "provider_id": isProvider,
	"amount": isAmount, "latency_ms": isLatency,
}

// rolesInBody is the same of what a catalogue takes from a body; the empty text is what is read for what it says.
var rolesInBody = map[string]role{"order_id": isSaidOrder, "request_id": isSaidRequest, "provider_id": isSaidProvider, "amount": isSaidAmount, "same_order": isSameOrder, "message": isSaying}

var rolesOfFound = map[string]role{"order_id": isFoundOrder, "request_id": isFoundRequest, "amount": isFoundAmount, "at": isFoundAt}

// learn makes a pattern of the line that the batch took last. What it cannot describe, or describes otherwise than the line was
// read, it leaves to the general reader.
func (r *lineReader) learn(b *batch, raw []byte, l *line) {
	if r.tries >= leastTries+r.known/worth || r.size >= mostLearned || len(raw) > longestKnown || !r.common(l) {
		return
	}
	r.tries++
	v, err := r.parser.ParseBytes(raw)
	if err != nil {
		return
	}
	w := walk{raw: raw, holes: map[*fastjson.Value]hole{}, fixed: map[*fastjson.Value]bool{}}
	last := &b.lines[len(b.lines)-1]
	if !w.assign(r, l, last.kind, v) || !w.value(v) || w.at != len(raw) {
		return
	}
	p := &pattern{
		kind: last.kind, catalog: r.catalogOf(l), holes: slices.Clone(w.filled), found: len(l.Executions),
		request: l.Phase == recorded.Send && !slices.ContainsFunc(w.filled, func(h hole) bool { return h.role == isRequest }) && l.RequestID != "",
	}
	p.defaults = defaultsOf(l)
	if p.catalog != nil {
		p.unit = p.catalog.Minor("1", p.kind.answer.Currency)
	}
	pieces := append(w.pieces, piece{bytes: raw[w.from:]})
	probe := lineReader{lore: &lore{merchants: r.merchants}}
	probe.patterns.add(pieces, p)
	read := batch{data: raw}
	if !r.meet(l.Payment.Merchant, p.catalog) || probe.readKnown(&read, raw, 0, l.number) == 0 || !sameEntry(b, last, &read, &read.lines[0]) {
		return
	}
	r.patterns.add(pieces, p)
	r.learned++
	for i := range pieces {
		r.size += len(pieces[i].bytes) + pieceSize
	}
}

// common reports whether a line holds nothing but what a pattern can describe.
func (r *lineReader) common(l *line) bool {
	asked, decided := r.lines.Decision()
	return asked == nil && decided == nil && len(r.lines.Others()) == 0 && len(l.Lacks) == 0 && l.Query == "" && len(l.Header) == 0 &&
		l.Payment.Tags == nil && l.Rules == "" && len(l.Executions) <= mostFound
}

// defaultsOf is what an answer says of itself where its body does not.
func defaultsOf(l *line) (of [entryTexts]int8) {
	for i := range of {
		of[i] = -1
	}
	if l.Phase.IsAnswer() {
		of[saidProvider] = providerText
	}
	if l.Phase == recorded.Webhook {
		of[saidOrder], of[saidRequest] = orderText, requestText
	}
	return of
}

// sameEntry reports whether two lines of two batches are the same.
func sameEntry(b *batch, l *entry, c *batch, m *entry) bool {
	for i := range l.texts {
		if !bytes.Equal(l.text(b.data, i), m.text(c.data, i)) {
			return false
		}
	}
	found, others := b.executions[l.executions:l.executionsEnd], c.executions[m.executions:m.executionsEnd]
	return l.kind == m.kind && l.merchant == m.merchant && l.at == m.at && l.latency == m.latency && l.amount == m.amount && l.said == m.said &&
		l.tags == nil && m.tags == nil && slices.EqualFunc(found, others, func(x, y finding) bool {
		return bytes.Equal(x.order.of(b.data), y.order.of(c.data)) && bytes.Equal(x.request.of(b.data), y.request.of(c.data)) &&
			x.amount == y.amount && x.dated == y.dated && (!x.dated || x.at == y.at)
	})
}

// walk goes through a line and its values side by side and cuts it into the pieces of a pattern.
type walk struct {
	raw   []byte
	at    int
	from  int  // of the piece under way
	loose bool // what nothing reads here may differ

	holes  map[*fastjson.Value]hole
	fixed  map[*fastjson.Value]bool // read for what they say
	pieces []piece
	filled []hole
	depth  int
}

// assign says what the values of a line are. It reports whether that can be said.
func (w *walk) assign(r *lineReader, l *line, k *kind, v *fastjson.Value) bool {
	for key, is := range roles {
		if of := v.Get(key); of != nil && recorded.Holds(l.Phase, key) {
			w.holes[of] = hole{role: is}
		}
	}
	for i, x := range v.GetArray("executions") {
		if !recorded.Holds(l.Phase, "executions") {
			break
		}
		for key, is := range rolesOfFound {
			if of := x.Get(key); of != nil {
				w.holes[of] = hole{role: is, which: uint8(i)}
			}
		}
	}
	body := v.Get("body")
	if body == nil || body.Type() == fastjson.TypeNull || !l.Phase.IsAnswer() {
		return body == nil || l.Phase.IsAnswer()
	}
	if body.Type() == fastjson.TypeString { // which has no places: what it names is not seen in the bytes of a line
		r.pages++
		w.fixed[body] = true
		return r.pages <= mostPages && (l.Answer.Fault != policy.NoFault || !names(&l.Answer))
	}
	if l.Answer.Fault != policy.NoFault {
		return false
	}
	taken, ok := r.catalogOf(l).Taken(l.Payment.Operation, body, &l.Answer)
	for of, name := range taken {
		if is, names := rolesInBody[name]; names && (is != isSaying || k.apart.sayings()) {
			w.holes[of] = hole{role: is}
		} else {
			w.fixed[of] = true
		}
	}
	return ok
}

// names reports whether an answer names a payment.
func names(a *policy.Answer) bool { return a.OrderID != "" || a.RequestID != "" || a.ProviderID != "" }

func (w *walk) space() {
	for w.at < len(w.raw) && (w.raw[w.at] == ' ' || w.raw[w.at] == '\t' || w.raw[w.at] == '\r') {
		w.at++
	}
}

// next moves behind a byte, which has to stand there.
func (w *walk) next(c byte) bool {
	w.space()
	if w.at >= len(w.raw) || w.raw[w.at] != c {
		return false
	}
	w.at++
	return true
}

// value moves behind a value. It reports whether that has a common form.
func (w *walk) value(v *fastjson.Value) bool {
	w.space()
	if w.depth++; w.depth > 50 {
		return false
	}
	defer func() { w.depth-- }()
	switch v.Type() {
	case fastjson.TypeObject:
		return w.object(v)
	case fastjson.TypeArray:
		if !w.next('[') {
			return false
		}
		for i, item := range v.GetArray() {
			if i > 0 && !w.next(',') || !w.value(item) {
				return false
			}
		}
		return w.next(']')
	case fastjson.TypeString:
		if !w.next('"') {
			return false
		}
		end := w.at
		for end < len(w.raw) && w.raw[end] != '"' {
			if w.raw[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(w.raw) {
			return false
		}
		return w.leaf(v, end-w.at, false) && w.next('"')
	case fastjson.TypeNumber:
		return w.leaf(v, len(v.MarshalTo(nil)), true)
	case fastjson.TypeNull, fastjson.TypeTrue, fastjson.TypeFalse:
		w.at += len(v.MarshalTo(nil))
		return w.at <= len(w.raw)
	}
	return false
}

// leaf moves behind a text or a number, and makes a hole of it where lines may differ. It reports false where a value that is read cannot be
// a hole: a name that is written with an escape would be the name of every line of the pattern.
func (w *walk) leaf(v *fastjson.Value, length int, number bool) bool {
	from := w.at
	w.at = min(w.at+length, len(w.raw))
	h, known := w.holes[v]
	if !known && (!w.loose || w.fixed[v]) || length == 0 {
		return true
	}
	b := w.raw[from:w.at]
	if number && numberLength(b) != len(b) || !number && slices.ContainsFunc(b, func(c byte) bool { return !plainByte[c] }) {
		return !known
	}
	w.pieces = append(w.pieces, piece{bytes: w.raw[w.from:from], hole: true, number: number})
	w.filled = append(w.filled, h)
	w.from = w.at
	return true
}

// object moves behind an object. Which of two keys counts that are the same but for case is for the general reader.
func (w *walk) object(v *fastjson.Value) (ok bool) {
	if ok = w.next('{'); !ok {
		return false
	}
	var keys []string
	outer := w.loose
	v.GetObject().Visit(func(key []byte, of *fastjson.Value) {
		if ok = ok && (len(keys) == 0 || w.next(',')) && w.next('"') && bytes.HasPrefix(w.raw[w.at:], key); !ok {
			return
		}
		name := string(key)
		if ok = !slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, name) }); !ok {
			return
		}
		keys = append(keys, name)
		w.at += len(key)
		w.loose = outer || w.depth == 1 && name == "body"
		ok = w.next('"') && w.next(':') && w.value(of)
	})
	w.loose = outer
	return ok && w.next('}')
}

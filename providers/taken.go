package providers

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/policy"
)

// Taken says what decoding takes from the values of a body that gave an answer: of a value that names the payment or its amount, "order_id",
// "request_id", "provider_id" or "amount"; of one that is its message, "message"; of one by which an entry of a list is found, because it is the order id, "same_order"; and of
// every other value that is read the empty text. A value that is not in it is not read. As long as the values that are read as a name or
// an amount are texts or numbers, and none is [Catalog.NoName], and the last ones are the order id, what else stands there changes nothing
// but the name or the amount of the answer. ok is false where that cannot be said of the body.
func (c *Catalog) Taken(op policy.Operation, body *fastjson.Value, a *policy.Answer) (taken map[*fastjson.Value]string, ok bool) {
	d := &c.decoders[op][a.Phase]
	if d.written != "" || body.Type() != fastjson.TypeObject || d.within != nil && body.Exists(d.within[0]) {
		return nil, false
	}
	w := taker{orderID: a.OrderID, taken: map[*fastjson.Value]string{}}
	for f, places := range d.at {
		if !w.field(field(f), places, body) {
			return nil, false
		}
	}
	return w.taken, true
}

// nameOf is what a field names the payment or its amount by, or is its message; empty: it is read for what it says.
func nameOf(f field) string {
	switch f {
	case fieldOrderID, fieldRequestID, fieldProviderID, fieldAmount, fieldMessage:
		return fieldNames[f]
	default:
		return ""
	}
}

// field notes what a field is taken from, and reports whether that can be said.
func (w *taker) field(f field, places []locator, body *fastjson.Value) bool {
	name := nameOf(f)
	for _, l := range places {
		if l.part != inBody {
			if name != "" && f != fieldMessage {
				return false
			}
			continue
		}
		w.found = w.found[:0]
		if !w.walk(l.path, body) || name != "" && f != fieldMessage && len(w.found) > 1 {
			return false
		}
		if f >= fieldPayURL {
			continue // what the shopper has to do next is no part of the answer
		}
		if w.note(name) && name != "" {
			break // the first that is there counts
		}
	}
	return true
}

// note notes what was found, and reports whether it is there for the decoder.
func (w *taker) note(name string) (there bool) {
	for _, v := range w.found {
		if _, known := w.taken[v]; known || !isName(v) {
			w.taken[v] = ""
		} else {
			w.taken[v] = name
		}
		there = there || v.Type() == fastjson.TypeNumber || len(v.GetStringBytes()) > 0
	}
	return there
}

// NoName reports whether a text in the place of a name or an amount may be none: decoding passes it over, or reads more of the body.
func (*Catalog) NoName(text []byte) bool { return noName(text) }

func noName(text []byte) bool {
	return len(text) == 0 || string(text) == "0" || string(text) == emptyList
}

// isName reports whether a value is a text or a number that is read as it stands.
func isName(v *fastjson.Value) bool {
	switch v.Type() {
	case fastjson.TypeString:
		return !noName(v.GetStringBytes())
	case fastjson.TypeNumber:
		return !noName(v.MarshalTo(nil))
	case fastjson.TypeNull, fastjson.TypeObject, fastjson.TypeArray, fastjson.TypeTrue, fastjson.TypeFalse:
	}
	return false
}

// taker finds what stands at a path.
type taker struct {
	orderID string
	found   []*fastjson.Value          // at the last path
	taken   map[*fastjson.Value]string // also where an entry is found by the order id
}

// walk reports whether the path leads where the bytes of a body alone decide: neither into JSON within a text nor to one entry of several.
func (w *taker) walk(p path, v *fastjson.Value) bool {
	for i, step := range p {
		name, _, list := strings.Cut(step, "[")
		if v = v.Get(name); v == nil {
			return true
		}
		switch {
		case list:
			return w.entries(p[i:], v)
		case v.Type() == fastjson.TypeArray, v.Type() == fastjson.TypeString && i+1 < len(p):
			return false
		}
	}
	w.found = append(w.found, v)
	return true
}

// entries is walk for a list: through all entries, or through the only one where that is found by the order id.
func (w *taker) entries(p path, list *fastjson.Value) bool {
	if list.Type() == fastjson.TypeNull {
		return true
	}
	if list.Type() != fastjson.TypeArray {
		return false
	}
	items := list.GetArray()
	key, by := selects(p[0])
	if by && len(items) > 0 {
		at := splitPath(key)
		id := items[0].Get(at...)
		if len(items) > 1 || id == nil || id.Type() != fastjson.TypeString || string(id.GetStringBytes()) != w.orderID || w.orderID == "" {
			return false
		}
		if name, known := w.taken[id]; known && name != sameOrder {
			return false
		}
		w.taken[id] = sameOrder
	}
	for _, item := range items {
		if !w.walk(p[1:], item) {
			return false
		}
	}
	return true
}

const sameOrder = "same_order"

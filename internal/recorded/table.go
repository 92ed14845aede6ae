package recorded

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/policy"
)

// lines is a set of phases.
type lines uint8

const (
	sends    lines = 1 << Send
	queries  lines = 1 << Query
	webhooks lines = 1 << Webhook
	ends     lines = 1 << End
	truths   lines = 1 << Truth

	calls    = sends | queries
	answers  = calls | webhooks
	anyPhase = answers | ends | truths
)

func (s lines) has(p Phase) bool { return s&(1<<p) != 0 }

// field is one key of an object of type T.
type field[T any] struct {
	name   string
	in     lines // lines that hold the key; others ignore it
	needed lines // lines that must hold it
	zero   lines // lines that hold it even when it is zero
	kind   kind

	// One of these takes a value of the field's kind: a string, or a scalar as it is written; a whole number; true or false;
	// anything else. An empty string counts as absent.
	text   func(r *Reader, to *T, b []byte) error
	number func(to *T, n int64) error
	truth  func(to *T, b bool) error
	read   func(r *Reader, to *T, v *fastjson.Value) error
	// missing is the error where a needed key is absent.
	missing func() error
	// write appends the value, or nothing where it is zero and need not be written.
	write func(dst []byte, from *T, zero bool) []byte
}

// table is the keys of an object, in the order in which they are written.
type table[T any] struct {
	fields []field[T]
	byName map[string]int
}

func newTable[T any](fields ...field[T]) *table[T] {
	t := &table[T]{fields: fields, byName: map[string]int{}}
	for i := range fields {
		f := &fields[i]
		t.byName[f.name] = i
		if f.missing == nil {
			f.missing = func() error { return fmt.Errorf("%s is missing", f.name) }
		}
	}
	return t
}

// read fills to. The type of every known key is checked, whatever the phase: a key of a wrong
// type that is read as absent could change what a payment is taken to be.
func (t *table[T]) read(r *Reader, o *fastjson.Object, to *T, p Phase) error {
	var seen uint64
	var first [64]*fastjson.Value
	var err error
	o.Visit(func(key []byte, v *fastjson.Value) {
		i, known := t.byName[string(key)]
		if !known {
			r.others = append(r.others, string(key))
		}
		if !known || err != nil {
			return
		}
		f := &t.fields[i]
		if first[i] != nil { // which of two values counts, no two programs agree on
			if !bytes.Equal(first[i].MarshalTo(nil), v.MarshalTo(nil)) {
				err = fmt.Errorf("%s stands twice, with different values", f.name)
			}
			return
		}
		first[i] = v
		switch {
		case v.Type() == fastjson.TypeNull:
		case !f.kind.fits(v):
			err = fmt.Errorf("%s is %s; it must be %s", f.name, v.Type(), f.kind)
		case f.kind == aString && len(v.GetStringBytes()) == 0:
		case f.in.has(p):
			seen |= 1 << i
			err = f.take(r, to, v)
		}
	})
	if err != nil {
		return err
	}
	for i := range t.fields {
		if f := &t.fields[i]; f.needed.has(p) && seen&(1<<i) == 0 {
			return f.missing()
		}
	}
	return nil
}

// take reads a value whose kind fits.
func (f *field[T]) take(r *Reader, to *T, v *fastjson.Value) error {
	switch {
	case f.text != nil && v.Type() == fastjson.TypeNumber:
		return f.text(r, to, v.MarshalTo(nil))
	case f.text != nil:
		return f.text(r, to, v.GetStringBytes())
	case f.number != nil:
		return f.number(to, v.GetInt64())
	case f.truth != nil:
		return f.truth(to, v.GetBool())
	case f.read != nil:
		return f.read(r, to, v)
	}
	return nil // it was read before all else
}

// append writes an object.
func (t *table[T]) append(dst []byte, from *T, p Phase) []byte {
	separator := byte('{')
	for i := range t.fields {
		f := &t.fields[i]
		if !f.in.has(p) {
			continue
		}
		before := len(dst)
		dst = append(append(append(dst, separator, '"'), f.name...), `":`...)
		start := len(dst)
		if dst = f.write(dst, from, f.zero.has(p)); len(dst) == start {
			dst = dst[:before]
			continue
		}
		separator = ','
	}
	if separator == '{' {
		dst = append(dst, '{')
	}
	return append(dst, '}')
}

// lineTable is every key of a line. The version and the phase are read before all else: they say how the rest is read.
var lineTable = newTable(
	field[Line]{name: "v", in: anyPhase, kind: wholeNumber, write: writeVersion},
	needs(anyPhase, text("flow", anyPhase, func(l *Line) *string { return &l.Flow })),
	needs(anyPhase, instant("at", anyPhase, atOfLine)),
	field[Line]{name: "phase", in: anyPhase, kind: aString, write: writePhase},
	shared("provider", answers, func(l *Line) *string { return &l.Payment.Provider }),
	shared("merchant", anyPhase, func(l *Line) *string { return &l.Payment.Merchant }),
	needs(answers, word("operation", answers, func(l *Line) *policy.Operation { return &l.Payment.Operation })),
	text("payment_key", answers, func(l *Line) *string { return &l.Payment.Key }),
	field[Line]{name: "query_by", in: answers, kind: aString, text: readQueryBy, write: writeQueryBy},
	text("order_id", answers, func(l *Line) *string { return &l.OrderID }),
	text("request_id", answers, func(l *Line) *string { return &l.RequestID }),
	text("provider_id", answers, func(l *Line) *string { return &l.ProviderID }),
	number("amount", answers, MaxAmount, func(l *Line) *int64 { return &l.Payment.Amount }),
	shared("currency", answers, func(l *Line) *string { return &l.Payment.Currency }),
	zeroIn(sends, word("capture", answers, func(l *Line) *policy.CaptureMode { return &l.Payment.Capture })),
	field[Line]{name: "verified", in: answers, zero: webhooks, kind: aBool, truth: readVerified, write: writeVerified},
	milliseconds("latency_ms", answers, calls, latencyOfLine),
	word("fault", answers, func(l *Line) *policy.Fault { return &l.Answer.Fault }),
	field[Line]{name: "http_status", in: answers, kind: wholeNumber, number: readStatus, write: writeStatus},
	milliseconds("retry_after_ms", answers, 0, retryAfterOfLine),
	scalar("code", answers, func(l *Line) *string { return &l.Answer.Code }),
	scalar("sub_code", answers, func(l *Line) *string { return &l.Answer.SubCode }),
	shared("status", answers, func(l *Line) *string { return &l.Answer.Status }),
	shared("sub_status", answers, func(l *Line) *string { return &l.Answer.SubStatus }),
	shared("message", answers, func(l *Line) *string { return &l.Answer.Message }),
	field[Line]{name: "headers", in: answers, kind: anObject, read: readHeaders, write: writeHeaders},
	text("query_string", webhooks, func(l *Line) *string { return &l.Query }),
	field[Line]{name: "body", in: answers, kind: anyValue, read: readBody, write: writeBody},
	field[Line]{name: "tags", in: answers, kind: anObject, read: readTags, write: writeTags},
	field[Line]{name: "lacks", in: sends, kind: aTextList, read: readLacks, write: writeLacks},
	shared("rules", answers, func(l *Line) *string { return &l.Rules }),
	field[Line]{name: "asked", in: answers, kind: anObject, read: readAsked, write: writeAsked},
	field[Line]{name: "decided", in: answers, kind: anObject, read: readDecided, write: writeDecided},
	needs(ends, word("outcome", ends, func(l *Line) *policy.Outcome { return &l.Outcome })),
	needs(truths, field[Line]{name: "executions", in: truths, kind: aList, read: readExecutions, write: writeExecutions, missing: noExecutions}),
)

// executionTable is every key of an execution in a truth line.
var executionTable = newTable(
	text("order_id", truths, func(x *Execution) *string { return &x.OrderID }),
	text("request_id", truths, func(x *Execution) *string { return &x.RequestID }),
	number("amount", truths, 0, func(x *Execution) *int64 { return &x.Amount }),
	instant("at", truths, atOfExecution),
)

// Keys lists the keys of a line in the order in which they are written.
func Keys() []string {
	keys := make([]string, len(lineTable.fields))
	for i := range lineTable.fields {
		keys[i] = lineTable.fields[i].name
	}
	return keys
}

// Holds reports whether lines of a phase hold a key. Others may have it and are read without it.
func Holds(p Phase, key string) bool {
	i, known := lineTable.byName[key]
	return known && lineTable.fields[i].in.has(p)
}

func needs[T any](in lines, f field[T]) field[T] {
	f.needed, f.zero = in, in
	return f
}

func zeroIn[T any](in lines, f field[T]) field[T] {
	f.zero = in
	return f
}

func readBody(r *Reader, _ *Line, v *fastjson.Value) error {
	r.body = v
	return nil
}

func readAsked(r *Reader, _ *Line, v *fastjson.Value) error {
	r.asked = v
	return nil
}

func readDecided(r *Reader, _ *Line, v *fastjson.Value) error {
	r.decided = v
	return nil
}

func writeAsked(dst []byte, l *Line, _ bool) []byte   { return append(dst, l.Asked...) }
func writeDecided(dst []byte, l *Line, _ bool) []byte { return append(dst, l.Decided...) }

func writeBody(dst []byte, l *Line, _ bool) []byte { return append(dst, l.Body...) }

func readTags(_ *Reader, l *Line, v *fastjson.Value) error {
	l.Payment.Tags = texts(v)
	return nil
}

func readHeaders(_ *Reader, l *Line, v *fastjson.Value) error {
	l.Header = texts(v)
	return nil
}

func readLacks(r *Reader, l *Line, v *fastjson.Value) error {
	for _, item := range v.GetArray() {
		l.Lacks = append(l.Lacks, r.share(item.GetStringBytes()))
	}
	return nil
}

func writeLacks(dst []byte, l *Line, _ bool) []byte {
	for i, what := range l.Lacks {
		dst = AppendString(append(dst, "[,"[min(i, 1)]), what)
	}
	if len(l.Lacks) > 0 {
		dst = append(dst, ']')
	}
	return dst
}

func texts(v *fastjson.Value) map[string]string {
	all := map[string]string{}
	v.GetObject().Visit(func(k []byte, t *fastjson.Value) { all[string(k)] = string(t.GetStringBytes()) })
	return all
}

func writeTags(dst []byte, l *Line, _ bool) []byte    { return appendTexts(dst, l.Payment.Tags) }
func writeHeaders(dst []byte, l *Line, _ bool) []byte { return appendTexts(dst, l.Header) }

func appendTexts(dst []byte, all map[string]string) []byte {
	if len(all) == 0 {
		return dst
	}
	raw, err := json.Marshal(all) // sorted by name
	if err != nil {
		return dst // a map of strings encodes
	}
	return append(dst, raw...)
}

func noExecutions() error { return fmt.Errorf("executions is missing; it must be %s", aList) }

func readExecutions(r *Reader, l *Line, v *fastjson.Value) error {
	for _, item := range v.GetArray() {
		o, err := item.Object()
		if err != nil {
			return fmt.Errorf("executions holds %s; it must hold objects", item.Type())
		}
		var x Execution
		if err := executionTable.read(r, o, &x, Truth); err != nil {
			return fmt.Errorf("executions: %w", err)
		}
		l.Executions = append(l.Executions, x)
	}
	return nil
}

func writeExecutions(dst []byte, l *Line, _ bool) []byte {
	dst = append(dst, '[')
	for i := range l.Executions {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = executionTable.append(dst, &l.Executions[i], Truth)
	}
	return append(dst, ']')
}

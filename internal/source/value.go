package source

import "strconv"

// Value is a value of any kind, and where it stands.
type Value struct {
	doc  *Doc
	path string
	any  any
}

// Value returns the value of a key as it was written; ok is false when it is absent.
func (t Table) Value(key string) (v Value, ok bool) {
	x, ok := t.take(key)
	return Value{doc: t.doc, path: join(t.path, key), any: x}, ok
}

// Pos is where the value stands.
func (v Value) Pos() Pos {
	if v.doc == nil {
		return Pos{}
	}
	if s, ok := v.doc.vals[v.path]; ok {
		return v.doc.pos(s.from)
	}
	return Table{doc: v.doc, path: v.path}.Pos()
}

// Any is the value: a string, int64, float64, bool, []any, or a map.
func (v Value) Any() any { return v.any }

// As is another text in the place of the value.
func (v Value) As(text string) Value {
	v.any = text
	return v
}

// Kind names what the value is: "a string", "an array".
func (v Value) Kind() string { return kindOf(v.any) }

// Scalar is the value as a text, where it is a string or a whole number.
func (v Value) Scalar() (text string, ok bool) {
	switch x := v.any.(type) {
	case string:
		return x, true
	case int64:
		return strconv.FormatInt(x, 10), true
	}
	return "", false
}

// Items are the values of an array; ok is false when it is none.
func (v Value) Items() (items []Value, ok bool) {
	switch list := v.any.(type) {
	case []any:
		for i, x := range list {
			items = append(items, Value{doc: v.doc, path: join(v.path, strconv.Itoa(i)), any: x})
		}
		return items, true
	case []map[string]any:
		for i, x := range list {
			items = append(items, Value{doc: v.doc, path: join(v.path, strconv.Itoa(i)), any: x})
		}
		return items, true
	}
	return nil, false
}

// Text is a string value together with the places of its runes; ok is false when the value
// is no string.
func (v Value) Text() (t Text, ok bool) {
	s, ok := v.any.(string)
	if !ok {
		return Text{base: v.Pos()}, false
	}
	if at, known := v.doc.vals[v.path]; known {
		return Text{Value: s, doc: v.doc, span: at}, true
	}
	return Text{Value: s, base: v.Pos()}, true
}

// Range is where the value stands in [Doc.Data], in bytes; ok is false when that is not
// known.
func (v Value) Range() (from, to int, ok bool) {
	if v.doc == nil {
		return 0, 0, false
	}
	s, ok := v.doc.vals[v.path]
	return s.from, s.to, ok
}

// Data is the file as it was read, without a byte order mark.
func (d *Doc) Data() []byte { return d.data }

// Line is the text of a line, the first being 1, without its end.
func (d *Doc) Line(number int) string {
	if number < 1 || number > len(d.ends)+1 {
		return ""
	}
	from, to := 0, len(d.data)
	if number > 1 {
		from = d.ends[number-2] + 1
	}
	if number <= len(d.ends) {
		to = d.ends[number-1]
	}
	return string(d.data[from:to])
}

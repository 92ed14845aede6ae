package providers

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/valyala/fastjson"
)

// parse reads a body. It is the one reader: decoding, signing, verifying and the emulator's
// requests go through it, so a body cannot say one thing to one of them and another to the next.
// What JSON does not allow is refused, such as a number 007, a byte order mark, or a second value.
// The release has to be called when the value is no longer used.
func parse(body []byte) (v *fastjson.Value, release func(), err error) {
	p := parsers.Get()
	v, err = p.ParseBytes(body) // which bounds the depth
	if err == nil {
		err = fastjson.ValidateBytes(body) // the parser takes more for a number than JSON does
	}
	if err != nil {
		parsers.Put(p)
		return nil, nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return v, func() { parsers.Put(p) }, nil
}

// parseObject is parse for a body that has to be an object.
func parseObject(body []byte) (v *fastjson.Value, release func(), err error) {
	v, release, err = parse(body)
	if err == nil && v.Type() != fastjson.TypeObject {
		release()
		return nil, nil, ErrUnreadable
	}
	return v, release, err
}

// object is a value that is an object, or a text that holds one.
func object(v *fastjson.Value) (inner *fastjson.Value, release func(), err error) {
	switch v.Type() {
	case fastjson.TypeObject:
		return v, func() {}, nil
	case fastjson.TypeString:
		return parseObject(v.GetStringBytes())
	case fastjson.TypeNull, fastjson.TypeArray, fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
	}
	return nil, nil, ErrUnreadable
}

// keys are the keys of bodies that matter to a reader, as a tree. A key that matters must not stand
// twice with different values, or twice but for case: of such a body two readers read two things.
type keys struct {
	name  string
	list  bool // a path selects from it
	below []*keys
}

// add enters a path.
func (k *keys) add(p path) {
	for _, s := range p {
		name, _, list := strings.Cut(s, "[")
		i := slices.IndexFunc(k.below, func(b *keys) bool { return b.name == name })
		if i < 0 {
			k.below = append(k.below, &keys{name: name})
			i = len(k.below) - 1
		}
		k = k.below[i]
		k.list = k.list || list
	}
}

// check returns an error that wraps [ErrUnreadable] if a key that matters is ambiguous in a value.
func (k *keys) check(v *fastjson.Value) error {
	if len(k.below) == 0 {
		return nil
	}
	switch v.Type() {
	case fastjson.TypeArray:
		for _, item := range v.GetArray() {
			if err := k.check(item); err != nil {
				return err
			}
		}
	case fastjson.TypeString: // JSON inside JSON; any other text holds no keys
		inner, release, err := parse(v.GetStringBytes())
		if err != nil {
			return nil
		}
		defer release()
		return k.check(inner)
	case fastjson.TypeObject:
		return k.object(v.GetObject())
	case fastjson.TypeNull, fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
	}
	return nil
}

func (k *keys) object(o *fastjson.Object) (err error) {
	var few [16]*fastjson.Value
	first := few[:0] // by the place in k.below
	for range k.below {
		first = append(first, nil)
	}
	o.Visit(func(name []byte, v *fastjson.Value) {
		for i, b := range k.below {
			if err != nil || len(b.name) != len(name) || !bytes.EqualFold([]byte(b.name), name) {
				continue
			}
			switch {
			case string(name) != b.name:
				if o.Get(b.name) != nil {
					err = fmt.Errorf("%w: the key %q stands twice but for case", ErrUnreadable, b.name)
				}
			case first[i] == nil:
				first[i] = v
				err = b.check(v)
			case !same(first[i], v):
				err = fmt.Errorf("%w: the key %q stands twice with different values", ErrUnreadable, b.name)
			}
		}
	})
	return err
}

// same reports whether two values are written alike.
func same(a, b *fastjson.Value) bool {
	return bytes.Equal(a.MarshalTo(nil), b.MarshalTo(nil))
}

// A scalar is a value as it stands in a body. odd says what stands there in place of a text or a number.
type scalar struct {
	text string
	odd  string
}

// scalar reads the value at a path. The zero scalar is one that is absent, null or empty.
func (p path) scalar(v *fastjson.Value, orderID string) scalar {
	for i, step := range p {
		if strings.HasSuffix(step, "]") {
			return p[i:].pick(v, orderID)
		}
		if v = v.Get(step); v == nil {
			return scalar{}
		}
		if rest := p[i+1:]; len(rest) > 0 && v.Type() == fastjson.TypeString {
			return rest.nested(v.GetStringBytes(), orderID)
		}
	}
	switch v.Type() {
	case fastjson.TypeString:
		return scalar{text: string(v.GetStringBytes())}
	case fastjson.TypeNumber:
		return scalar{text: string(v.MarshalTo(nil))}
	case fastjson.TypeTrue, fastjson.TypeFalse:
		return scalar{text: v.Type().String(), odd: "true or false"}
	case fastjson.TypeArray:
		return scalar{odd: "a list"}
	case fastjson.TypeObject:
		return scalar{odd: "an object"}
	case fastjson.TypeNull:
	}
	return scalar{}
}

// nested reads JSON that stands in a string.
func (p path) nested(raw []byte, orderID string) scalar {
	v, release, err := parse(raw)
	if err != nil {
		return scalar{}
	}
	defer release()
	return p.scalar(v, orderID)
}

const (
	pickAll   = "all"
	emptyList = "[]" // what a list without entries reads as
)

// selects returns the key by which a step selects an entry of a list; by is false where it does not.
func selects(step string) (key string, by bool) {
	_, selector, _ := strings.Cut(strings.TrimSuffix(step, "]"), "[")
	key, _, by = strings.Cut(selector, "=")
	return key, by
}

// pick reads from the entries of a list. "list[all].x" is what all entries say, each value once, joined
// by "+"; "list[KEY=$order_id].x" is what the entry says whose KEY is the order that the body names.
// Entries that disagree cannot be compared.
func (p path) pick(v *fastjson.Value, orderID string) scalar {
	name, selector, _ := strings.Cut(strings.TrimSuffix(p[0], "]"), "[")
	list := v.Get(name)
	switch {
	case list == nil || list.Type() == fastjson.TypeNull:
		return scalar{}
	case list.Type() != fastjson.TypeArray:
		return scalar{odd: "no list"}
	}
	var values []string
	for _, item := range list.GetArray() {
		if key, by := selects(p[0]); by && (orderID == "" || splitPath(key).text(item) != orderID) {
			continue
		}
		s := p[1:].scalar(item, orderID)
		if s.odd != "" {
			return s
		}
		values = append(values, s.text)
	}
	slices.Sort(values)
	values = slices.Compact(values)
	switch {
	case selector == pickAll && len(list.GetArray()) == 0:
		return scalar{text: emptyList}
	case selector != pickAll && len(values) > 1:
		return scalar{odd: "several entries that disagree"}
	}
	return scalar{text: strings.Join(values, "+")}
}

// text is the value at a path as text; lists and objects are none.
func (p path) text(v *fastjson.Value) string { return p.scalar(v, "").text }

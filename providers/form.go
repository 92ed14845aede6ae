package providers

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// maxBrackets bounds the depth of a form's names.
const maxBrackets = 8

// formNode is a name of a form, with what stands below it. A name that is written twice stands in
// it twice, so that the reader sees that.
type formNode struct {
	name  string
	value string
	below []*formNode          // not nil: there is no value
	named map[string]*formNode // of below, the first of a name that has something below it
}

// parseForm reads a form or a query string as an object of texts, so that everything that reads
// JSON reads it: "a[b]=1" is the key b below the key a.
func parseForm(text string) (v *fastjson.Value, release func(), err error) {
	fields, err := splitForm(text)
	if err != nil {
		return nil, nil, err
	}
	root := &formNode{}
	for _, f := range fields {
		steps, ok := formName(f.name)
		if !ok {
			return nil, nil, fmt.Errorf("%w: the form has a name that cannot be read", ErrUnreadable)
		}
		root.add(steps, f.value)
	}
	return parse(root.json(nil))
}

// splitForm parts a form, for decoding and for signatures alike. Escapes that are broken, bytes that are
// no UTF-8, and a semicolon, at which some readers part a form, make it unreadable.
func splitForm(text string) (fields []signedField, err error) {
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(rawName)
		value, valueErr := url.QueryUnescape(rawValue)
		switch {
		case nameErr != nil || valueErr != nil || strings.Contains(pair, ";"):
			return nil, fmt.Errorf("%w: the form has a part that cannot be read", ErrUnreadable)
		case !utf8.ValidString(name) || !utf8.ValidString(value):
			return nil, fmt.Errorf("%w: the form holds bytes that are no UTF-8", ErrUnreadable)
		}
		fields = append(fields, signedField{name, value})
	}
	return fields, nil
}

// formName takes "a[b][c]" apart. Brackets elsewhere are a part of the name.
func formName(name string) (steps []string, ok bool) {
	first, rest, nested := strings.Cut(name, "[")
	if !nested || first == "" || !strings.HasSuffix(rest, "]") {
		return []string{name}, true
	}
	steps = append([]string{first}, strings.Split(strings.TrimSuffix(rest, "]"), "][")...)
	return steps, len(steps) <= maxBrackets
}

func (n *formNode) add(steps []string, value string) {
	if len(steps) == 1 {
		n.below = append(n.below, &formNode{name: steps[0], value: value})
		return
	}
	if b := n.named[steps[0]]; b != nil {
		b.add(steps[1:], value)
		return
	}
	b := &formNode{name: steps[0]}
	b.add(steps[1:], value)
	n.below = append(n.below, b)
	if n.named == nil {
		n.named = map[string]*formNode{}
	}
	n.named[b.name] = b
}

func (n *formNode) json(dst []byte) []byte {
	dst = append(dst, '{')
	for i, b := range n.below {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(quoted(dst, b.name), ':')
		if b.below != nil {
			dst = b.json(dst)
		} else {
			dst = quoted(dst, b.value)
		}
	}
	return append(dst, '}')
}

// quoted appends a text as JSON.
func quoted(dst []byte, text string) []byte {
	raw, err := json.Marshal(strings.ToValidUTF8(text, "\ufffd"))
	if err != nil {
		return append(dst, `""`...) // a text encodes
	}
	return append(dst, raw...)
}

// asForm writes a JSON object as a form: the names in its order, null left out. It is the reverse of
// parseForm, for bodies that we write ourselves.
func asForm(body []byte) []byte {
	v, release, err := parseObject(body)
	if err != nil {
		return body
	}
	defer release()
	return []byte(strings.Join(formPairs(nil, "", v), "&"))
}

func formPairs(pairs []string, below string, v *fastjson.Value) []string {
	v.GetObject().Visit(func(key []byte, v *fastjson.Value) {
		name := string(key)
		if below != "" {
			name = below + "[" + name + "]"
		}
		switch v.Type() {
		case fastjson.TypeNull:
		case fastjson.TypeObject:
			pairs = formPairs(pairs, name, v)
		case fastjson.TypeString:
			pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(string(v.GetStringBytes())))
		case fastjson.TypeArray, fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
			pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(string(v.MarshalTo(nil))))
		}
	})
	return pairs
}

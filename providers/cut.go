package providers

import (
	"fmt"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/policy"
)

// kept is what of a body is read, as a tree. What stands nowhere in it is cut.
type kept struct {
	field string // the catalogue's word for what is read here; empty: nothing
	below map[string]*kept
}

// add enters a path. Of two fields that are read at one place the first counts.
func (k *kept) add(p path, f field) {
	for _, step := range p {
		name, _, _ := strings.Cut(step, "[")
		next := k.below[name]
		if next == nil {
			next = &kept{}
			if k.below == nil {
				k.below = map[string]*kept{}
			}
			k.below[name] = next
		}
		k = next
	}
	if k.field == "" {
		k.field = fieldNames[f]
	}
}

// kept lists what is read in the body and in the query string. What the shopper has to do next is left
// out: it is a secret, and proves nothing.
func (d *decoder) kept() (body, query *kept) {
	body, query = &kept{}, &kept{}
	for f, places := range d.at[:fieldPayURL] {
		for _, l := range places {
			switch l.part {
			case inQuery:
				query.add(path{l.name}, field(f))
			case inBody:
				body.add(l.path, field(f))
				for i, step := range l.path {
					if key, by := selects(step); by {
						body.add(append(append(path{}, l.path[:i+1]...), splitPath(key)...), fieldOrderID)
					}
				}
			case inHeader, inPath, inStatus: // they stand beside it
			}
		}
	}
	return body, query
}

// Cut returns what of a message the catalogue reads for an operation and phase, and nothing else: what
// [Catalog.DecodeMessage] reads in the message it reads in the rest. May is asked of each field of a body: the
// catalogue's word for what it reads there, which is empty where it reads nothing, and the
// field's name. Of a list or object that the catalogue does not read, the fields in it are asked for in turn.
// Text returns how a value is to be written; a number that it changes becomes 0. The links by which a shopper pays
// count as not read. The error is that of the reader.
func (c *Catalog) Cut(op policy.Operation, ph policy.Phase, m *policy.Message, may func(field, name string) bool, text func(field, value string) string) (policy.Message, error) {
	d := &c.decoders[op][ph]
	read, release, err := d.open(m, nil)
	if err != nil {
		return policy.Message{}, err
	}
	defer release()
	body, query := d.kept()
	k := &cutter{may: may, text: text}
	out := policy.Message{HTTPStatus: m.HTTPStatus}
	for _, places := range d.at {
		for _, l := range places {
			if value := headerOf(m.Header, l.name); l.part == inHeader && value != "" {
				if out.Header == nil {
					out.Header = map[string]string{}
				}
				out.Header[l.name] = text(d.fieldOf(inHeader, l.name), value)
			}
		}
	}
	if read.query != nil {
		out.Query = string(asForm(k.object(nil, read.query, query, 0)))
	}
	rest := k.object(nil, read.v, body, 0)
	if read.inside != nil {
		rest = d.inside(rest, *read.inside)
	}
	switch {
	case d.written == bodyQuery && m.Query != "":
		out.Query = string(asForm(rest))
	case len(m.Body) > 0:
		out.Body = d.write(rest)
	}
	return out, nil
}

// inside puts what is left of the object in which the fields are where that stood.
func (d *decoder) inside(rest []byte, kind fastjson.Type) []byte {
	if kind == fastjson.TypeString {
		rest = quoted(nil, string(rest))
	}
	for i := len(d.within) - 1; i >= 0; i-- {
		rest = fmt.Appendf(quoted([]byte("{"), d.within[i]), ":%s}", rest)
	}
	return rest
}

// write writes a JSON object as the provider's bodies are written.
func (d *decoder) write(object []byte) []byte {
	return inForm(d.written, object)
}

// inForm writes a JSON object in a form of bodies.
func inForm(written string, object []byte) []byte {
	switch written {
	case bodyForm, bodyQuery:
		return asForm(object)
	case bodyXML:
		return asXML(object)
	}
	return object
}

// fieldOf is what is read at a place beside the body.
func (d *decoder) fieldOf(part requestPart, name string) string {
	for f, places := range d.at {
		for _, l := range places {
			if l.part == part && l.name == name {
				return fieldNames[f]
			}
		}
	}
	return ""
}

// cutter writes what is kept of a body.
type cutter struct {
	may  func(field, name string) bool
	text func(field, value string) string
}

// maxStrings bounds JSON in strings in JSON.
const maxStrings = 8

// object writes the fields of an object that stay.
func (c *cutter) object(dst []byte, v *fastjson.Value, k *kept, depth int) []byte {
	dst = append(dst, '{')
	first := true
	v.GetObject().Visit(func(key []byte, x *fastjson.Value) {
		name := string(key)
		at := k.below[name]
		if at == nil {
			at = &kept{}
		}
		if len(at.below) == 0 && !c.may(at.field, name) {
			return
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(quoted(dst, name), ':')
		dst = c.value(dst, x, at, depth)
	})
	return append(dst, '}')
}

// value writes a value that stays: of a list and an object what stays in it. Where a field is read, a list
// or an object cannot be compared, and is written as an empty one.
func (c *cutter) value(dst []byte, v *fastjson.Value, k *kept, depth int) []byte {
	switch v.Type() {
	case fastjson.TypeObject:
		return c.object(dst, v, k, depth)
	case fastjson.TypeArray:
		dst = append(dst, '[')
		for i, item := range v.GetArray() {
			if k.field != "" && len(k.below) == 0 {
				break
			}
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = c.value(dst, item, k, depth)
		}
		return append(dst, ']')
	case fastjson.TypeString:
		if inner, is := c.inner(v.GetStringBytes(), k, depth); len(k.below) > 0 && (is || k.field == "") {
			return quoted(dst, inner)
		}
		return quoted(dst, c.text(k.field, string(v.GetStringBytes())))
	case fastjson.TypeNumber:
		raw := string(v.MarshalTo(nil))
		if len(k.below) > 0 && k.field == "" || c.text(k.field, raw) != raw {
			raw = "0"
		}
		return append(dst, raw...)
	case fastjson.TypeTrue, fastjson.TypeFalse, fastjson.TypeNull:
	}
	return v.MarshalTo(dst)
}

// inner writes what stays of JSON in a string. Any other text on the way to a field is none of it.
func (c *cutter) inner(raw []byte, k *kept, depth int) (rest string, is bool) {
	if len(k.below) == 0 || depth >= maxStrings {
		return "", false
	}
	v, release, err := parse(raw)
	if err != nil {
		return "", false
	}
	defer release()
	if t := v.Type(); t != fastjson.TypeObject && t != fastjson.TypeArray && t != fastjson.TypeString {
		return "", false
	}
	return string(c.value(nil, v, k, depth+1)), true
}

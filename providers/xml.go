package providers

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/valyala/fastjson"
)

// Bounds of a body in XML: what no provider's answer comes near to.
const (
	maxXML      = 1 << 20
	maxElements = 32 // within each other
)

// attributes and the text beside them stand below an element under names that no element can have.
const (
	attributeMark = "@"
	textKey       = "#text"
)

// element is one element of a body, with what stands in it.
type element struct {
	name       string
	space      string // of its name
	attributes []signedField
	below      []*element
	text       strings.Builder
	parted     bool // a comment or an instruction stands in it
}

// parseXML reads a body in XML as an object of texts, so that everything that reads JSON reads it. The root
// element is the object. An element that stands several times is a list where a path of lists selects from
// it, and elsewhere a key that stands several times, of which the one reader has its rules. Prefixes of
// names are left out. There are no entities but XML's own five, no document types, and no other
// encoding than UTF-8; what two readers of XML read in two ways is unreadable.
func parseXML(text string, lists *keys) (v *fastjson.Value, release func(), err error) {
	if len(text) > maxXML {
		return nil, nil, fmt.Errorf("%w: the XML is longer than %d bytes", ErrUnreadable, maxXML)
	}
	root, err := readXML(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if len(root.below)+len(root.attributes) == 0 && strings.TrimSpace(root.text.String()) != "" {
		return nil, nil, fmt.Errorf("%w: the XML has one text and no fields", ErrUnreadable)
	}
	return parse(root.object(nil, lists))
}

// xmlReader is a body on its way into elements.
type xmlReader struct {
	root *element
	open []*element // from the root inwards
}

func readXML(text string) (*element, error) {
	r := &xmlReader{}
	d := xml.NewDecoder(strings.NewReader(text))
	for first := true; ; first = false {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && r.root == nil:
			return nil, errors.New("the XML has no element")
		case errors.Is(err, io.EOF):
			return r.root, nil // the decoder has seen that every element ends
		case err != nil:
			return nil, err
		}
		if err := r.token(token, first); err != nil {
			return nil, err
		}
	}
}

func (r *xmlReader) token(token xml.Token, first bool) error {
	switch t := token.(type) {
	case xml.StartElement:
		return r.start(&t)
	case xml.EndElement:
		last := r.open[len(r.open)-1]
		r.open = r.open[:len(r.open)-1]
		return last.laws()
	case xml.CharData:
		switch {
		case len(r.open) > 0:
			r.open[len(r.open)-1].text.Write(t)
		case len(bytes.TrimSpace(t)) > 0:
			return errors.New("the XML has text outside of its root")
		}
	case xml.ProcInst:
		if t.Target == "xml" && first {
			return nil
		}
		r.part()
	case xml.Comment:
		r.part()
	case xml.Directive:
		return errors.New("the XML has a document type, which is not read")
	}
	return nil
}

// part notes that something stands in the text of an element.
func (r *xmlReader) part() {
	if len(r.open) > 0 {
		r.open[len(r.open)-1].parted = true
	}
}

func (r *xmlReader) start(t *xml.StartElement) error {
	e := &element{name: t.Name.Local, space: t.Name.Space}
	named := map[string]bool{}
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		if named[a.Name.Local] {
			return fmt.Errorf("the XML has the attribute %.40q twice in one element", a.Name.Local)
		}
		named[a.Name.Local] = true
		e.attributes = append(e.attributes, signedField{a.Name.Local, a.Value})
	}
	switch {
	case len(r.open) >= maxElements:
		return fmt.Errorf("the XML is deeper than %d elements", maxElements)
	case len(r.open) > 0:
		above := r.open[len(r.open)-1]
		above.below = append(above.below, e)
	case r.root != nil:
		return errors.New("the XML has a second root")
	default:
		r.root = e
	}
	r.open = append(r.open, e)
	return nil
}

// laws refuses what readers of XML read in several ways.
func (e *element) laws() error {
	text := strings.TrimSpace(e.text.String()) != ""
	switch {
	case text && len(e.below) > 0:
		return fmt.Errorf("the XML has text beside the elements of %.40q", e.name)
	case text && e.parted:
		return fmt.Errorf("the XML has a comment within the text of %.40q", e.name)
	}
	spaces := map[string]string{}
	for _, b := range e.below {
		if space, known := spaces[b.name]; known && space != b.space {
			return fmt.Errorf("the XML has %.40q in two namespaces", b.name)
		}
		spaces[b.name] = b.space
	}
	return nil
}

// value appends an element as JSON.
func (e *element) value(dst []byte, lists *keys) []byte {
	if len(e.below)+len(e.attributes) == 0 {
		return quoted(dst, e.text.String())
	}
	return e.object(dst, lists)
}

func (e *element) object(dst []byte, lists *keys) []byte {
	dst = append(dst, '{')
	key := func(name string) {
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(quoted(dst, name), ':')
	}
	for _, a := range e.attributes {
		key(attributeMark + a.name)
		dst = quoted(dst, a.value)
	}
	if text := e.text.String(); len(e.below) == 0 && strings.TrimSpace(text) != "" {
		key(textKey)
		dst = quoted(dst, text)
	}
	listed := map[string]bool{}
	for i, b := range e.below {
		within := lists.at(b.name)
		if within == nil || !within.list {
			key(b.name)
			dst = b.value(dst, within)
			continue
		}
		if listed[b.name] {
			continue // it stands in the list already
		}
		listed[b.name] = true
		key(b.name)
		dst = append(dst, '[')
		for n, entry := range e.below[i:] {
			if entry.name != b.name {
				continue
			}
			if n > 0 {
				dst = append(dst, ',')
			}
			dst = entry.value(dst, within)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// at is what matters below a key; nil: nothing.
func (k *keys) at(name string) *keys {
	if k != nil {
		for _, b := range k.below {
			if b.name == name {
				return b
			}
		}
	}
	return nil
}

// asXML writes a JSON object as XML: null is left out, and a list is an element for each entry. It is the reverse
// of parseXML, for bodies that we write ourselves.
func asXML(body []byte) []byte {
	v, release, err := parseObject(body)
	if err != nil {
		return body
	}
	defer release()
	return xmlOf(v)
}

func xmlOf(v *fastjson.Value) []byte {
	w := &bytes.Buffer{}
	writeXML(w, "xml", v)
	return w.Bytes()
}

func writeXML(w *bytes.Buffer, name string, v *fastjson.Value) {
	if v.Type() == fastjson.TypeArray {
		for _, entry := range v.GetArray() {
			writeXML(w, name, entry)
		}
		return
	}
	if v.Type() == fastjson.TypeNull {
		return
	}
	w.WriteString("<" + name)
	if v.Type() != fastjson.TypeObject {
		w.WriteString(">")
		_ = xml.EscapeText(w, []byte(textOf(v))) // a buffer takes everything
		w.WriteString("</" + name + ">")
		return
	}
	fields := v.GetObject()
	fields.Visit(func(key []byte, v *fastjson.Value) {
		if attribute, is := strings.CutPrefix(string(key), attributeMark); is && v.Type() != fastjson.TypeNull {
			w.WriteString(" " + attribute + `="`)
			_ = xml.EscapeText(w, []byte(textOf(v)))
			w.WriteString(`"`)
		}
	})
	w.WriteString(">")
	fields.Visit(func(key []byte, v *fastjson.Value) {
		switch name := string(key); {
		case strings.HasPrefix(name, attributeMark):
		case name == textKey:
			_ = xml.EscapeText(w, []byte(textOf(v)))
		default:
			writeXML(w, name, v)
		}
	})
	w.WriteString("</" + name + ">")
}

// textOf is a value as a text: what stands in a string, else the JSON.
func textOf(v *fastjson.Value) string {
	if v.Type() == fastjson.TypeString {
		return string(v.GetStringBytes())
	}
	return string(v.MarshalTo(nil))
}

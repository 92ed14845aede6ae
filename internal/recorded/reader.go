package recorded

import (
	"errors"
	"fmt"

	"github.com/valyala/fastjson"
)

// Reader decodes lines. It is for one goroutine. A line that it filled does not refer to the
// bytes that it was read from.
type Reader struct {
	parser         fastjson.Parser
	object         *fastjson.Object // the line under way
	body           *fastjson.Value  // of it
	asked, decided *fastjson.Value  // of the same
	others         []string         // keys of the line under way that no line has
	texts          map[string]string
}

// NewReader returns a reader.
func NewReader() *Reader { return &Reader{texts: map[string]string{}} }

// Read decodes one line into l. It returns the parsed body, nil where the line has none; the
// body is valid until the next Read.
func (r *Reader) Read(raw []byte, l *Line) (body *fastjson.Value, err error) {
	*l = Line{}
	r.body, r.asked, r.decided, r.others = nil, nil, nil, nil
	if r.readKnown(raw, l) {
		return r.body, nil
	}
	return r.readAny(raw, l)
}

// readAny decodes a line of whatever form.
func (r *Reader) readAny(raw []byte, l *Line) (body *fastjson.Value, err error) {
	*l = Line{}
	v, err := r.parser.ParseBytes(raw)
	if err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	o, err := v.Object()
	if err != nil {
		return nil, errors.New("not a JSON object")
	}
	// A later version may hold keys of other types: its number is looked at first.
	if n := v.GetInt("v"); n != Version {
		return nil, fmt.Errorf("version is %d; this reads version %d", n, Version)
	}
	if err := l.Phase.UnmarshalText(v.GetStringBytes("phase")); err != nil {
		return nil, err
	}
	r.object, r.body, r.asked, r.decided, r.others = o, nil, nil, nil, nil
	if err := lineTable.read(r, o, l, l.Phase); err != nil {
		return nil, err
	}
	return r.body, nil
}

// Decision returns what the line read last says of a decision: what went before the answer, and what was decided. Both are nil
// where it says nothing; they are valid until the next Read.
func (r *Reader) Decision() (asked, decided *fastjson.Value) { return r.asked, r.decided }

// Twice returns a key that the line read last, what was asked in it, or the decision has more than once: which of the values counts, no
// two programs agree on. Empty: there is none.
func (r *Reader) Twice() string {
	objects := []*fastjson.Object{r.object}
	for _, v := range []*fastjson.Value{r.asked, r.decided} {
		if v != nil && v.Type() == fastjson.TypeObject {
			objects = append(objects, v.GetObject())
		}
	}
	twice := ""
	for _, o := range objects {
		seen := make(map[string]bool, o.Len())
		o.Visit(func(key []byte, _ *fastjson.Value) {
			if seen[string(key)] {
				twice = string(key)
			}
			seen[string(key)] = true
		})
	}
	return twice
}

// Others lists the keys of the line read last that lines of no phase have: misspelt ones, most likely.
func (r *Reader) Others() []string { return r.others }

const (
	maxTexts = 1 << 14 // texts that are kept for sharing
	maxText  = 32      // bytes of such a text
)

// share returns a text. The same text in another line is the same string.
func (r *Reader) share(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if s, ok := r.texts[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(r.texts) < maxTexts && len(s) < maxText {
		r.texts[s] = s
	}
	return s
}

// Append writes the line as JSON, with a line break.
func (l *Line) Append(dst []byte) []byte {
	return append(lineTable.append(dst, l, l.Phase), '\n')
}

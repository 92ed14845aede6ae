package recorded

import "bytes"

// Most lines have one form: that in which [Line.Append] writes them, without spaces and with little to unescape. They are read
// without a tree of all their values; the general reader takes every other line, and every line that is wrong, so that
// what is wrong is said in one place.

// span is the value of a key in a line.
type span struct {
	field int
	value []byte // of a string without its quotes
	kind  byte   // the first byte of the value
}

const (
	mostSpans = 32  // keys of a line, more than there are
	mostDepth = 100 // of a body; the general reader counts its own limit from the line on
)

// readKnown fills l where the line has the common form. Otherwise it reports false, and l is as it may be.
func (r *Reader) readKnown(raw []byte, l *Line) bool {
	var spans [mostSpans]span
	n, ok := cut(raw, &spans)
	if !ok {
		return false
	}
	var seen uint64
	known := false
	for i := range spans[:n] {
		s := &spans[i]
		switch {
		case seen&(1<<s.field) != 0: // the general reader knows which of them holds
			return false
		case s.field == phaseAt:
			known = l.Phase.UnmarshalText(s.value) == nil
		case s.field == versionAt:
			if version, ok := wholeOf(s.value); !ok || version != Version {
				return false
			}
		}
		seen |= 1 << s.field
	}
	if !known || seen&(1<<versionAt) == 0 {
		return false
	}
	for i := range spans[:n] {
		if !r.takeSpan(&spans[i], l, &seen) {
			return false
		}
	}
	for i := range lineTable.fields {
		if lineTable.fields[i].needed.has(l.Phase) && seen&(1<<i) == 0 {
			return false
		}
	}
	return true
}

var versionAt, phaseAt = lineTable.byName["v"], lineTable.byName["phase"]

// takeSpan takes one value as the table says. What counts as absent leaves seen.
func (r *Reader) takeSpan(s *span, l *Line, seen *uint64) bool {
	f := &lineTable.fields[s.field]
	in := f.in.has(l.Phase)
	switch f.kind {
	case aString:
		if s.kind != '"' {
			return false
		}
	case aScalar:
		if s.kind != '"' && !isWhole(s.value) {
			return false
		}
	case wholeNumber:
		n, ok := wholeOf(s.value)
		return ok && s.kind != '"' && (!in || f.number == nil || f.number(l, n) == nil)
	case aBool:
		verified := string(s.value) == "true"
		return s.kind != '"' && (verified || string(s.value) == "false") && (!in || f.truth(l, verified) == nil)
	case anyValue:
		return r.takeBody(s, in)
	default:
		return false
	}
	if s.kind == '"' && len(s.value) == 0 {
		*seen &^= 1 << s.field
		return true
	}
	return !in || f.text == nil || f.text(r, l, s.value) == nil
}

// takeBody parses the body, which has a tree of its own.
func (r *Reader) takeBody(s *span, in bool) bool {
	if s.kind != '{' {
		return false
	}
	v, err := r.parser.ParseBytes(s.value)
	if err != nil {
		return false
	}
	if in {
		r.body = v
	}
	return true
}

// cut finds the keys of a line and their values.
func cut(raw []byte, spans *[mostSpans]span) (n int, ok bool) {
	if len(raw) < 2 || raw[0] != '{' {
		return 0, false
	}
	expected := 0 // keys come in the order of the table
	for at := 1; ; {
		if at >= len(raw) || raw[at] != '"' || n == mostSpans {
			return 0, false
		}
		end := bytes.IndexByte(raw[at+1:], '"')
		if end < 0 {
			return 0, false
		}
		s := &spans[n]
		if s.field, ok = fieldOf(raw[at+1:at+1+end], expected); !ok {
			return 0, false
		}
		expected = s.field + 1
		if at += end + 2; at+1 >= len(raw) || raw[at] != ':' {
			return 0, false
		}
		length := s.cut(raw[at+1:])
		if at += 1 + length; length == 0 || at >= len(raw) {
			return 0, false
		}
		n++
		switch raw[at] {
		case ',':
			at++
		case '}':
			return n, at+1 == len(raw)
		default:
			return 0, false
		}
	}
}

// fieldOf is the place of a key in the table: most likely where it is expected, or shortly after.
func fieldOf(key []byte, expected int) (int, bool) {
	for i := expected; i < min(expected+4, len(lineTable.fields)); i++ {
		if string(key) == lineTable.fields[i].name {
			return i, true
		}
	}
	i, known := lineTable.byName[string(key)]
	return i, known
}

// cut takes the value at the beginning of raw and returns its length; 0: it is none of a common form.
func (s *span) cut(raw []byte) int {
	switch s.kind = raw[0]; s.kind {
	case '"':
		end := bytes.IndexByte(raw[1:], '"')
		if end < 0 || bytes.IndexByte(raw[1:1+end], '\\') >= 0 {
			return 0
		}
		s.value = raw[1 : 1+end]
		return end + 2
	case '{':
		end := objectEnd(raw)
		s.value = raw[:end]
		return end
	case '[', 'n': // lists and null: seldom
		return 0
	}
	end := 0
	for end < len(raw) && raw[end] != ',' && raw[end] != '}' {
		end++
	}
	s.value = raw[:end]
	return end
}

// objectEnd is where an object ends, by its braces outside of strings; 0: not within mostDepth, or not at all.
func objectEnd(raw []byte) int {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '{', '[':
			if depth++; depth > mostDepth {
				return 0
			}
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			for i++; ; i++ {
				end := bytes.IndexByte(raw[min(i, len(raw)):], '"')
				if end < 0 {
					return 0
				}
				i += end
				if !escaped(raw, i) {
					break
				}
			}
		}
	}
	return 0
}

// escaped reports whether the byte at a place stands behind an odd number of backslashes.
func escaped(raw []byte, at int) bool {
	n := 0
	for at-1-n >= 0 && raw[at-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// wholeOf reads a whole number that is written as plainly as it can be.
func wholeOf(b []byte) (n int64, ok bool) {
	if !isWhole(b) {
		return 0, false
	}
	digits := b
	if b[0] == '-' {
		digits = b[1:]
	}
	for _, c := range digits {
		n = n*10 + int64(c-'0')
	}
	if len(digits) < len(b) {
		n = -n
	}
	return n, true
}

// isWhole reports whether a text is a whole number of at most 18 digits, without a leading zero.
func isWhole(b []byte) bool {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 || b[0] == '0' && len(b) > 1 {
		return false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

package question

// maxDepth bounds lists and objects within each other; deeper ones are for encoding/json.
const maxDepth = 64

// value is any JSON, as it is written.
func (s *scanner) value() []byte {
	from := s.at
	s.skip(0)
	if s.bad {
		return nil
	}
	return []byte(s.raw[from:s.at])
}

// skip passes over a value. What it accepts is JSON.
func (s *scanner) skip(depth int) {
	switch b := s.next(); {
	case depth > maxDepth:
		s.bad = true
	case b == '{':
		s.list('}', func() {
			s.quoted()
			s.space()
			s.take(':')
			s.space()
			s.skip(depth + 1)
		})
	case b == '[':
		s.list(']', func() { s.skip(depth + 1) })
	case b == '"':
		s.quoted()
	case b == 't' || b == 'f':
		s.truth()
	case b == 'n':
		s.literal("null")
	default:
		s.numeral()
	}
}

// list passes over entries with commas between them.
func (s *scanner) list(end byte, entry func()) {
	s.at++
	s.space()
	if s.next() == end {
		s.at++
		return
	}
	for !s.bad {
		s.space()
		entry()
		s.space()
		if s.next() == end {
			s.at++
			return
		}
		s.take(',')
	}
}

// literal passes over a word.
func (s *scanner) literal(word string) {
	if len(s.raw)-s.at < len(word) || s.raw[s.at:s.at+len(word)] != word {
		s.bad = true
		return
	}
	s.at += len(word)
}

// quoted passes over a text, which may have escapes.
func (s *scanner) quoted() {
	s.take('"')
	for ; s.at < len(s.raw); s.at++ {
		switch b := s.raw[s.at]; {
		case b == '"':
			s.at++
			return
		case b < ' ':
			s.bad = true
			return
		case b == '\\':
			s.at++
			s.escape()
		}
	}
	s.bad = true
}

// escape looks at what follows a backslash, and stays at its last byte.
func (s *scanner) escape() {
	switch s.next() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
	case 'u':
		for range 4 {
			s.at++
			if b := s.next(); (b < '0' || b > '9') && (b|0x20 < 'a' || b|0x20 > 'f') {
				s.bad = true
			}
		}
	default:
		s.bad = true
	}
}

// numeral passes over a number as JSON has them.
func (s *scanner) numeral() {
	if s.next() == '-' {
		s.at++
	}
	if s.next() == '0' {
		s.at++
	} else {
		s.some()
	}
	if s.next() == '.' {
		s.at++
		s.some()
	}
	if s.next()|0x20 == 'e' {
		s.at++
		if s.next() == '+' || s.next() == '-' {
			s.at++
		}
		s.some()
	}
}

// some passes over at least one digit.
func (s *scanner) some() {
	from := s.at
	for s.next() >= '0' && s.next() <= '9' {
		s.at++
	}
	s.bad = s.bad || s.at == from
}

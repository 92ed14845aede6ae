package question

import (
	"encoding"
	"strconv"

	"github.com/recourse-pay/recourse/policy"
)

// scanner reads the questions that most lines are: known keys, plain texts without escapes, whole numbers,
// true and false, tags, counts and bodies. Of anything else it says that it cannot read it, and encoding/json does,
// with its errors: what the two accept means the same.
type scanner struct {
	raw string // its texts are parts of it
	at  int
	bad bool
}

// readPlain reads a question; ok is false for one that is for encoding/json.
func readPlain(raw []byte, q *Question) (ok bool) {
	s := &scanner{raw: string(raw)}
	s.object(func(key string) { s.field(q, key) })
	s.space()
	return !s.bad && s.at == len(raw)
}

func (s *scanner) space() {
	for s.at < len(s.raw) && (s.raw[s.at] == ' ' || s.raw[s.at] == '\t' || s.raw[s.at] == '\n' || s.raw[s.at] == '\r') {
		s.at++
	}
}

// take passes over a byte that has to stand next.
func (s *scanner) take(b byte) {
	if s.at < len(s.raw) && s.raw[s.at] == b {
		s.at++
		return
	}
	s.bad = true
}

func (s *scanner) next() byte {
	if s.at < len(s.raw) {
		return s.raw[s.at]
	}
	return 0
}

// object reads an object; read reads the value of a key.
func (s *scanner) object(read func(key string)) {
	s.space()
	s.take('{')
	s.space()
	if s.next() == '}' {
		s.at++
		return
	}
	for !s.bad {
		s.space()
		key := s.text()
		s.space()
		s.take(':')
		s.space()
		if s.bad {
			return
		}
		read(key)
		s.space()
		if s.next() == '}' {
			s.at++
			return
		}
		s.take(',')
	}
}

// text is a text in quotes, of printable ASCII without escapes.
func (s *scanner) text() string {
	s.take('"')
	from := s.at
	for ; s.at < len(s.raw); s.at++ {
		switch b := s.raw[s.at]; {
		case b == '"':
			s.at++
			return s.raw[from : s.at-1]
		case b < ' ' || b > '~' || b == '\\':
			s.bad = true
			return ""
		}
	}
	s.bad = true
	return ""
}

// digits is a whole number as it is written, of no more digits than surely fit.
func (s *scanner) digits() string {
	from := s.at
	if s.next() == '-' {
		s.at++
	}
	first := s.at
	for s.next() >= '0' && s.next() <= '9' {
		s.at++
	}
	n := s.at - first
	end := s.next()
	if n == 0 || n > 18 || n > 1 && s.raw[first] == '0' || end == '.' || end == 'e' || end == 'E' {
		s.bad = true
		return ""
	}
	return s.raw[from:s.at]
}

func (s *scanner) number() int64 {
	n, err := strconv.ParseInt(s.digits(), 10, 64)
	s.bad = s.bad || err != nil
	return n
}

func (s *scanner) count() int {
	n, err := strconv.Atoi(s.digits())
	s.bad = s.bad || err != nil
	return n
}

func (s *scanner) truth() bool {
	for _, word := range []string{"true", "false"} {
		if len(s.raw)-s.at >= len(word) && s.raw[s.at:s.at+len(word)] == word {
			s.at += len(word)
			return word == "true"
		}
	}
	s.bad = true
	return false
}

// scalar is a text or a number.
func (s *scanner) scalar() Scalar {
	if s.next() == '"' {
		return Scalar(s.text())
	}
	return Scalar(s.digits())
}

// word reads a text of a closed set. Another one is an error of encoding/json's.
func (s *scanner) word(into encoding.TextUnmarshaler) {
	if text := s.text(); !s.bad {
		s.bad = into.UnmarshalText([]byte(text)) != nil
	}
}

// field reads the value of a key of a question.
func (s *scanner) field(q *Question, key string) {
	switch key {
	case "provider":
		q.Provider = s.text()
	case "merchant":
		q.Merchant = s.text()
	case "operation":
		q.Operation = new(policy.Operation)
		s.word(q.Operation)
	case "phase":
		s.word(&q.Phase)
	case "code":
		q.Code = s.scalar()
	case "sub_code":
		q.SubCode = s.scalar()
	case "status":
		q.Status = s.scalar()
	case "sub_status":
		q.SubStatus = s.scalar()
	case "http_status":
		q.HTTPStatus = s.count()
	case "fault":
		s.word(&q.Fault)
	case "message":
		q.Message = s.text()
	case "attempt":
		q.Attempt = s.count()
	case "queries":
		q.Queries = s.count()
	case "elapsed_ms":
		q.ElapsedMS = s.number()
	case "retry_after_ms":
		q.RetryAfterMS = s.number()
	case "amount":
		q.Amount = s.number()
	case "currency":
		q.Currency = s.text()
	case "body":
		q.Body = s.value()
	default:
		s.seldom(q, key)
	}
}

// seldom reads the keys that fewer lines have.
func (s *scanner) seldom(q *Question, key string) {
	switch key {
	case "capture":
		s.word(&q.Capture)
	case "in_doubt":
		q.InDoubt = s.truth()
	case "replay":
		q.Replay = s.truth()
	case "verified":
		q.Verified = s.truth()
	case "order_id":
		q.OrderID = s.text()
	case "request_id":
		q.RequestID = s.text()
	case "provider_id":
		q.ProviderID = s.text()
	case "payment_key":
		q.PaymentKey = s.text()
	case "tags":
		if q.Tags == nil {
			q.Tags = map[string]string{}
		}
		s.object(func(tag string) { q.Tags[tag] = s.text() })
	case "fired":
		if q.Fired == nil {
			q.Fired = map[string]int{}
		}
		s.object(func(rule string) { q.Fired[rule] = s.count() })
	default:
		s.bad = true // also headers and times
	}
}

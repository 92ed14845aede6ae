package question

import (
	"encoding"
	"strconv"

	"github.com/recourse-pay/recourse/policy"
)

// scanner reads the questions that most lines are: known keys, plain texts without escapes, whole numbers,
// true and false, tags, counts and bodies. Of anything else it says that it cannot read it, and readAny does,
// with its errors: what the two accept means the same.
type scanner struct {
	raw  string // its texts are parts of it
	at   int
	bad  bool
	seen uint64 // keys, by their place
}

// readPlain reads a question; ok is false for one that is for readAny.
func readPlain(raw []byte, q *Question) (ok bool) {
	s := &scanner{raw: string(raw)}
	s.object(func(key string) { s.field(q, key) })
	s.space()
	return !s.bad && s.at == len(raw) && q.Provider != "" && q.Operation != nil
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

// once notes a key, by its place among all. One that is there twice is an error, which the other reader says.
func (s *scanner) once(place int) {
	s.bad = s.bad || s.seen&(1<<place) != 0
	s.seen |= 1 << place
}

// field reads the value of a key of a question.
func (s *scanner) field(q *Question, key string) {
	switch key {
	case "provider":
		s.once(0)
		q.Provider = s.text()
	case "merchant":
		s.once(1)
		q.Merchant = s.text()
	case "operation":
		s.once(2)
		q.Operation = new(policy.Operation)
		s.word(q.Operation)
	case "phase":
		s.once(3)
		s.word(&q.Phase)
	case "code":
		s.once(4)
		q.Code = s.scalar()
	case "sub_code":
		s.once(5)
		q.SubCode = s.scalar()
	case "status":
		s.once(6)
		q.Status = s.scalar()
	case "sub_status":
		s.once(7)
		q.SubStatus = s.scalar()
	case "http_status":
		s.once(8)
		q.HTTPStatus = s.count()
	case "fault":
		s.once(9)
		s.word(&q.Fault)
	case "message":
		s.once(10)
		q.Message = s.text()
	case "attempt":
		s.once(14)
		q.Attempt = s.count()
	case "queries":
		s.once(15)
		q.Queries = s.count()
	case "elapsed_ms":
		s.once(17)
		q.ElapsedMS = s.number()
	case "retry_after_ms":
		s.once(19)
		q.RetryAfterMS = s.number()
	case "amount":
		s.once(20)
		q.Amount = s.number()
	case "currency":
		s.once(21)
		q.Currency = s.text()
	case "body":
		s.once(13)
		q.Body = s.value()
	default:
		s.seldom(q, key)
	}
}

// seldom reads the keys that fewer lines have.
func (s *scanner) seldom(q *Question, key string) {
	switch key {
	case "capture":
		s.once(22)
		s.word(&q.Capture)
	case "in_doubt":
		s.once(25)
		q.InDoubt = s.truth()
	case "replay":
		s.once(24)
		q.Replay = s.truth()
	case "verified":
		s.once(26)
		q.Verified = s.truth()
	case "order_id":
		s.once(27)
		q.OrderID = s.text()
	case "request_id":
		s.once(28)
		q.RequestID = s.text()
	case "provider_id":
		s.once(29)
		q.ProviderID = s.text()
	case "payment_key":
		s.once(30)
		q.PaymentKey = s.text()
	case "tags":
		s.once(23)
		q.Tags = map[string]string{}
		s.object(func(tag string) {
			_, twice := q.Tags[tag]
			s.bad = s.bad || twice
			q.Tags[tag] = s.text()
		})
	case "fired":
		s.once(16)
		q.Fired = map[string]int{}
		s.object(func(rule string) {
			_, twice := q.Fired[rule]
			s.bad = s.bad || twice
			q.Fired[rule] = s.count()
		})
	default:
		s.bad = true // also headers and times
	}
}

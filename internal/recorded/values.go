package recorded

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/policy"
)

// kind is the JSON type that a key's value must have.
type kind uint8

const (
	anyValue kind = iota
	aString
	wholeNumber
	aBool
	anObject
	aList
	aScalar
	aTextList
)

func (k kind) String() string {
	return [...]string{
		"any value", "a string", "a whole number", "true or false", "an object",
		"a list, empty where nothing executed", "a string or a number", "a list of strings",
	}[k]
}

func (k kind) fits(v *fastjson.Value) bool {
	switch t := v.Type(); k {
	case aString:
		return t == fastjson.TypeString
	case wholeNumber:
		_, err := v.Int64()
		return err == nil
	case aBool:
		return t == fastjson.TypeTrue || t == fastjson.TypeFalse
	case anObject:
		return t == fastjson.TypeObject
	case aList:
		return t == fastjson.TypeArray
	case aTextList:
		return t == fastjson.TypeArray && !slices.ContainsFunc(v.GetArray(), func(item *fastjson.Value) bool { return item.Type() != fastjson.TypeString })
	case aScalar:
		return t == fastjson.TypeString || t == fastjson.TypeNumber
	default:
		return true
	}
}

// text is a string that seldom recurs, such as an identifier.
func text[T any](name string, in lines, at func(*T) *string) field[T] {
	return field[T]{
		name: name, in: in, kind: aString,
		text: func(_ *Reader, to *T, b []byte) error {
			*at(to) = string(b)
			return nil
		},
		write: func(dst []byte, from *T, _ bool) []byte { return appendText(dst, *at(from)) },
	}
}

// shared is a string that recurs in many lines: the reader keeps one copy of it.
func shared[T any](name string, in lines, at func(*T) *string) field[T] {
	f := text(name, in, at)
	f.text = func(r *Reader, to *T, b []byte) error {
		*at(to) = r.share(b)
		return nil
	}
	return f
}

// scalar is a string, or a number that is kept as it is written.
func scalar[T any](name string, in lines, at func(*T) *string) field[T] {
	f := text(name, in, at)
	f.kind = aScalar
	return f
}

// word is one of a closed set of names.
func word[T any, W interface {
	comparable
	fmt.Stringer
}, P interface {
	*W
	encoding.TextUnmarshaler
}](name string, in lines, at func(*T) P) field[T] {
	return field[T]{
		name: name, in: in, kind: aString,
		text:    func(_ *Reader, to *T, b []byte) error { return at(to).UnmarshalText(b) },
		missing: func() error { return P(new(W)).UnmarshalText(nil) }, // it lists the names
		write: func(dst []byte, from *T, zero bool) []byte {
			w := *(*W)(at(from))
			if w == *new(W) && !zero {
				return dst
			}
			return appendText(dst, w.String())
		},
	}
}

// number is a whole number; most is the largest that is allowed, and 0 allows every number.
func number[T any](name string, in lines, most int64, at func(*T) *int64) field[T] {
	return field[T]{
		name: name, in: in, kind: wholeNumber,
		number: func(to *T, n int64) error {
			if most > 0 && (n < 0 || n > most) {
				return fmt.Errorf("%s is %d; it must be from 0 to %d", name, n, most)
			}
			*at(to) = n
			return nil
		},
		write: func(dst []byte, from *T, zero bool) []byte { return appendNumber(dst, *at(from), zero) },
	}
}

// milliseconds is a duration. It is rounded down when it is written: an answer must not seem
// to arrive after what followed it.
func milliseconds(name string, in, zero lines, at func(*Line) *time.Duration) field[Line] {
	return field[Line]{
		name: name, in: in, zero: zero, kind: wholeNumber,
		number: func(to *Line, n int64) error {
			if n < 0 || n > MaxLatency.Milliseconds() {
				return fmt.Errorf("%s is %d; it must be from 0 to %d", name, n, MaxLatency.Milliseconds())
			}
			*at(to) = time.Duration(n) * time.Millisecond
			return nil
		},
		write: func(dst []byte, from *Line, zero bool) []byte {
			return appendNumber(dst, min(max(*at(from), 0), MaxLatency).Milliseconds(), zero)
		},
	}
}

func atOfLine(l *Line) *time.Time             { return &l.At }
func atOfExecution(x *Execution) *time.Time   { return &x.At }
func latencyOfLine(l *Line) *time.Duration    { return &l.Latency }
func retryAfterOfLine(l *Line) *time.Duration { return &l.Answer.RetryAfter }

// instant is a time in UTC.
func instant[T any](name string, in lines, at func(*T) *time.Time) field[T] {
	return field[T]{
		name: name, in: in, kind: aString,
		text: func(_ *Reader, to *T, b []byte) (err error) {
			*at(to), err = parseTime(b)
			return err
		},
		write: func(dst []byte, from *T, _ bool) []byte { return appendTime(dst, *at(from)) },
	}
}

func writeVersion(dst []byte, _ *Line, _ bool) []byte { return strconv.AppendInt(dst, Version, 10) }
func writePhase(dst []byte, l *Line, _ bool) []byte   { return appendText(dst, l.Phase.String()) }

func readQueryBy(r *Reader, l *Line, b []byte) error {
	switch l.QueryBy = policy.Identifier(r.share(b)); l.QueryBy {
	case "", policy.OrderID, policy.RequestID, policy.ProviderID:
		return nil
	}
	return fmt.Errorf("unknown query_by %q (there are: order_id, request_id, provider_id)", l.QueryBy)
}

func writeQueryBy(dst []byte, l *Line, _ bool) []byte { return appendText(dst, string(l.QueryBy)) }

func readVerified(l *Line, verified bool) error {
	l.Answer.Verified = verified
	return nil
}

func writeVerified(dst []byte, l *Line, zero bool) []byte {
	if !l.Answer.Verified && !zero {
		return dst
	}
	return strconv.AppendBool(dst, l.Answer.Verified)
}

func readStatus(l *Line, n int64) error {
	l.Answer.HTTPStatus = int(n)
	return nil
}

func writeStatus(dst []byte, l *Line, zero bool) []byte {
	return appendNumber(dst, int64(l.Answer.HTTPStatus), zero)
}

func appendNumber(dst []byte, n int64, zero bool) []byte {
	if n == 0 && !zero {
		return dst
	}
	return strconv.AppendInt(dst, n, 10)
}

func appendText(dst []byte, s string) []byte {
	if s == "" {
		return dst
	}
	return AppendString(dst, s)
}

// AppendString appends a JSON string.
func AppendString(dst []byte, s string) []byte {
	if plain(s) {
		return append(append(append(dst, '"'), s...), '"')
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string encodes
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

// plain reports whether a text needs no escapes.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			return false
		}
	}
	return true
}

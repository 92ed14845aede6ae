package question

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/recourse-pay/recourse/internal/source"
)

// What a key's value must be.
const (
	aText    = "a string"
	aScalar  = "a string or a number"
	aCount   = "a whole number"
	aTruth   = "true or false"
	texts    = "an object of strings"
	counts   = "an object of whole numbers"
	aTime    = "a time such as 2026-01-02T03:04:05Z"
	anything = "JSON"
)

// keys are those of a question, in the order of the type, with where their values go and what these must be. A null says that something
// is unknown, and is nothing that may be taken for "no": only where a provider's own value stands is it taken.
var keys = [...]struct {
	name string
	want string
	into func(*Question) any
}{
	{"provider", aText, func(q *Question) any { return &q.Provider }},
	{"merchant", aText, func(q *Question) any { return &q.Merchant }},
	{"operation", aText, func(q *Question) any { return &q.Operation }},
	{"phase", aText, func(q *Question) any { return &q.Phase }},
	{"code", aScalar, func(q *Question) any { return &q.Code }},
	{"sub_code", aScalar, func(q *Question) any { return &q.SubCode }},
	{"status", aScalar, func(q *Question) any { return &q.Status }},
	{"sub_status", aScalar, func(q *Question) any { return &q.SubStatus }},
	{"http_status", aCount, func(q *Question) any { return &q.HTTPStatus }},
	{"fault", aText, func(q *Question) any { return &q.Fault }},
	{"message", aText, func(q *Question) any { return &q.Message }},
	{"headers", texts, func(q *Question) any { return &q.Headers }},
	{"query_string", aText, func(q *Question) any { return &q.QueryString }},
	{"body", anything, func(q *Question) any { return &q.Body }},
	{"attempt", aCount, func(q *Question) any { return &q.Attempt }},
	{"queries", aCount, func(q *Question) any { return &q.Queries }},
	{"fired", counts, func(q *Question) any { return &q.Fired }},
	{"elapsed_ms", aCount, func(q *Question) any { return &q.ElapsedMS }},
	{"at", aTime, func(q *Question) any { return &q.At }},
	{"retry_after_ms", aCount, func(q *Question) any { return &q.RetryAfterMS }},
	{"amount", aCount, func(q *Question) any { return &q.Amount }},
	{"currency", aText, func(q *Question) any { return &q.Currency }},
	{"capture", aText, func(q *Question) any { return &q.Capture }},
	{"tags", texts, func(q *Question) any { return &q.Tags }},
	{"replay", aTruth, func(q *Question) any { return &q.Replay }},
	{"in_doubt", aTruth, func(q *Question) any { return &q.InDoubt }},
	{"verified", aTruth, func(q *Question) any { return &q.Verified }},
	{"order_id", aText, func(q *Question) any { return &q.OrderID }},
	{"request_id", aText, func(q *Question) any { return &q.RequestID }},
	{"provider_id", aText, func(q *Question) any { return &q.ProviderID }},
	{"payment_key", aText, func(q *Question) any { return &q.PaymentKey }},
}

// place is where a key stands among them; -1: there is no such key.
func place(name string) int {
	for i := range keys {
		if keys[i].name == name {
			return i
		}
	}
	return -1
}

const (
	mostMistakes = 20  // of a line that are listed
	longestName  = 100 // bytes of a key that an error repeats
)

// anyReader reads whatever a question may hold. A key counts as it is spelled, and is there once: which of two amounts counts would depend
// on who reads it.
type anyReader struct {
	q        *Question
	seen     uint64
	mistakes []string
	more     bool
}

func (r *anyReader) wrong(format string, args ...any) {
	if len(r.mistakes) == mostMistakes {
		r.more = true
		return
	}
	r.mistakes = append(r.mistakes, fmt.Sprintf(format, args...))
}

// readAny reads whatever a question may hold. All mistakes are one error.
func readAny(raw []byte, q *Question) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	open, err := d.Token()
	if err != nil {
		return fmt.Errorf("not a question: %w", err)
	}
	if open != json.Delim('{') {
		return errors.New("not a question: it must be a JSON object")
	}
	r := anyReader{q: q}
	for d.More() {
		var value json.RawMessage
		name, err := d.Token()
		if err == nil {
			err = d.Decode(&value)
		}
		if err != nil {
			return fmt.Errorf("not a question: %w", err)
		}
		r.key(name.(string), value) // a name is a string
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("not a question: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("not a question: something follows the object")
	}
	return r.end()
}

// end says what is missing, beside what is wrong.
func (r *anyReader) end() error {
	for _, needed := range []string{"provider", "operation"} {
		if r.seen&(1<<place(needed)) == 0 {
			r.wrong("%s is missing", needed)
		}
	}
	if r.more {
		r.mistakes = append(r.mistakes, "and more")
	}
	if len(r.mistakes) > 0 {
		return errors.New(strings.Join(r.mistakes, "; "))
	}
	return nil
}

func (r *anyReader) key(name string, value json.RawMessage) {
	i := place(name)
	if i < 0 && len(r.mistakes) == mostMistakes {
		r.more = true // what it may have meant takes long to find
		return
	}
	if i < 0 {
		r.wrong("unknown key %s%s", brief(name), suggestion(name))
		return
	}
	if r.seen&(1<<i) != 0 {
		r.wrong("%s is there twice", name)
		return
	}
	r.seen |= 1 << i
	k := &keys[i]
	if k.want == texts || k.want == counts {
		r.inside(name, value)
	}
	if bytes.Equal(value, []byte("null")) && k.want != aScalar && k.want != anything {
		r.wrong("%s is null; leave it out, or give %s", name, k.want)
		return
	}
	err := json.Unmarshal(value, k.into(r.q))
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil && name == "provider" && r.q.Provider == "":
		r.wrong("provider is missing")
	case err == nil:
	case errors.As(err, &kind), k.want == aScalar, k.want == aTime:
		r.wrong("%s must be %s", name, k.want)
	default:
		r.wrong("%s: %s", name, err)
	}
}

// inside looks at the names of an object.
func (r *anyReader) inside(key string, value json.RawMessage) {
	d := json.NewDecoder(bytes.NewReader(value))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return
	}
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		text, isName := name.(string)
		var one json.RawMessage
		if err != nil || !isName || d.Decode(&one) != nil {
			return
		}
		if seen[text] {
			r.wrong("%s.%s is there twice", key, brief(text))
		}
		if bytes.Equal(one, []byte("null")) {
			r.wrong("%s.%s is null; leave it out", key, brief(text))
		}
		seen[text] = true
	}
}

// suggestion is the key that a misspelt one may mean.
func suggestion(name string) string {
	all := make([]string, len(keys))
	for i := range keys {
		if all[i] = keys[i].name; strings.EqualFold(all[i], name) {
			return fmt.Sprintf("; did you mean %q?", all[i])
		}
	}
	return source.Suggest(name, all)
}

// brief is a name in quotes, and no more of it than helps.
func brief(name string) string {
	if len(name) > longestName {
		name = strings.ToValidUTF8(name[:longestName], "") + "…"
	}
	return fmt.Sprintf("%q", name)
}

package imports

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/traffic"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// rowReader reads the fields of one row.
type rowReader struct {
	m   *Mapping
	row *traffic.Row
	err error // all mistakes, in one line
}

// text is a field as the file has it, or in our words where [values] gives them.
func (r *rowReader) text(key string) string {
	text, fixed := r.m.set[key]
	if column := r.m.fields[key]; column != "" && !fixed {
		text, _ = r.row.Get(column)
	}
	words := r.m.values[key]
	if ours, ok := words[text]; ok {
		return ours
	}
	if ours, ok := words["*"]; ok && text != "" {
		return ours
	}
	return text
}

func (r *rowReader) fail(key string, err error) {
	if err == nil {
		return
	}
	if column := r.m.fields[key]; column != "" && column != key && r.m.set[key] == "" {
		key += fmt.Sprintf(", from %q", short(column))
	}
	if r.err == nil {
		r.err = fmt.Errorf("%s: %w", key, err)
	} else {
		r.err = fmt.Errorf("%w; %s: %w", r.err, key, err)
	}
}

// word reads a word of a closed set; an empty text is left alone.
func (r *rowReader) word(key string, into interface{ UnmarshalText([]byte) error }) {
	if text := r.text(key); text != "" {
		r.fail(key, into.UnmarshalText([]byte(text)))
	}
}

func (r *rowReader) whole(key string, most int64) int64 {
	text := r.text(key)
	if text == "" {
		return 0
	}
	n, fraction, err := decimalNumber(text)
	switch {
	case err != nil:
		r.fail(key, err)
	case fraction != 0 || n < 0 || n > most:
		r.fail(key, fmt.Errorf("%s is no whole number from 0 to %d", short(text), most))
	}
	return n
}

func (r *rowReader) latency() time.Duration {
	text := r.text("latency_ms")
	if text == "" {
		return -1
	}
	ms, fraction, err := decimalNumber(text)
	if err != nil {
		r.fail("latency_ms", err)
	}
	if ms < 0 {
		return -1
	}
	if ms > recorded.MaxLatency.Milliseconds() {
		r.fail("latency_ms", fmt.Errorf("%s is more than %s", short(text), recorded.MaxLatency))
		return -1
	}
	return time.Duration(ms)*time.Millisecond + time.Duration(fraction*float64(time.Millisecond))
}

// decimalNumber reads a number in decimal digits, without going through a float.
func decimalNumber(text string) (whole int64, fraction float64, err error) {
	digits, rest, dotted := strings.Cut(strings.TrimSpace(text), ".")
	whole, err = strconv.ParseInt(digits, 10, 64)
	if err == nil && dotted {
		fraction, err = strconv.ParseFloat("0."+rest, 64)
	}
	if err != nil || strings.ContainsFunc(rest, func(c rune) bool { return c < '0' || c > '9' }) { // an exponent is of all digits, and not of the last ones
		return 0, 0, fmt.Errorf("%q is no number", short(text))
	}
	return whole, fraction, nil
}

// line makes a line of a recording of a row.
func (r *rowReader) line() *recorded.Line {
	l := &recorded.Line{}
	r.when(&l.At)
	r.word("phase", &l.Phase)
	p, a := &l.Payment, &l.Answer
	l.Flow, p.Merchant, p.Provider, p.Key = r.text("flow"), r.text("merchant"), r.text("provider"), r.text("payment_key")
	r.word("operation", &p.Operation)
	l.OrderID, l.RequestID, l.ProviderID = r.text("order_id"), r.text("request_id"), r.text("provider_id")
	p.Currency = strings.ToUpper(r.text("currency"))
	r.amount(p)
	switch l.Phase {
	case recorded.End:
		r.word("outcome", &l.Outcome)
		if r.text("outcome") == "" {
			r.fail("outcome", errors.New("it is missing"))
		}
		return l
	case recorded.Truth:
		l.Executions = []recorded.Execution{{OrderID: l.OrderID, RequestID: l.RequestID, Amount: p.Amount, At: l.At}}
		return l
	case recorded.Send, recorded.Query, recorded.Webhook:
	}
	r.word("capture", &p.Capture)
	r.word("fault", &a.Fault)
	l.Latency = max(r.latency(), 0)
	a.HTTPStatus = int(r.whole("http_status", 999))
	a.Code, a.SubCode, a.Status, a.SubStatus, a.Message = r.text("code"), r.text("sub_code"), r.text("status"), r.text("sub_status"), r.text("message")
	if v := r.text("verified"); v != "" {
		verified, err := strconv.ParseBool(strings.ToLower(v))
		if err != nil {
			r.fail("verified", fmt.Errorf("%q is neither true nor false", short(v)))
		}
		a.Verified = verified
	}
	l.Body = []byte(r.text("body"))
	return l
}

func (r *rowReader) when(at *time.Time) {
	text := r.text("at")
	if text == "" {
		return
	}
	t, err := r.m.time(text)
	r.fail("at", err)
	*at = t
}

// amount reads an amount into minor units. What could be read in two ways is refused.
func (r *rowReader) amount(p *policy.Payment) {
	text := r.text("amount")
	if text == "" {
		return
	}
	plain := text
	if r.m.thousands != "" {
		whole, rest := text, ""
		if i := strings.LastIndex(text, cmp.Or(r.m.decimal, ".")); i >= 0 && cmp.Or(r.m.decimal, ".") != r.m.thousands {
			whole, rest = text[:i], text[i:]
		}
		if !grouped(whole, r.m.thousands) {
			r.fail("amount", fmt.Errorf("%q: its digits are not in groups of three; [amount] says how amounts are written", short(text)))
			return
		}
		plain = strings.ReplaceAll(whole, r.m.thousands, "") + rest
	}
	if r.m.decimal == "," {
		plain = strings.ReplaceAll(plain, ",", ".")
	}
	minor, err := minorUnits(plain, r.m.unit == "major", p.Currency)
	if err != nil {
		r.fail("amount", fmt.Errorf("%q: %w", short(text), err))
	}
	p.Amount = minor
}

// grouped reports whether digits stand in groups as people write thousands: the last has three, those before two or three.
func grouped(whole, by string) bool {
	groups := strings.Split(whole, by)
	for i, g := range groups {
		switch {
		case i == len(groups)-1 && i > 0 && len(g) != 3, i > 0 && i < len(groups)-1 && len(g) != 3 && len(g) != 2, i == 0 && len(groups) > 1 && (len(g) < 1 || len(g) > 3):
			return false
		}
	}
	return true
}

// minorUnits reads a number exactly.
func minorUnits(text string, major bool, currency string) (int64, error) {
	whole, rest, _ := strings.Cut(text, ".")
	decimals := 0
	if major {
		d, ok := policy.Decimals(currency)
		if !ok {
			return 0, fmt.Errorf("the decimals of currency %q are not known", currency)
		}
		decimals = d
	}
	rest = strings.TrimRight(rest, "0")
	if len(rest) > decimals {
		return 0, fmt.Errorf("it has more decimals than the %d of this unit", decimals)
	}
	n, err := strconv.ParseInt(whole+rest+strings.Repeat("0", decimals-len(rest)), 10, 64)
	if err != nil || n < 0 || n > recorded.MaxAmount || strings.HasPrefix(whole, "+") {
		return 0, errors.New("it is no amount; [amount] says how amounts are written")
	}
	return n, nil
}

// httpCall makes an HTTP call of a row.
func (r *rowReader) httpCall() *traffic.Call {
	c := &traffic.Call{
		Line: r.row.Line, Method: strings.ToUpper(r.text("method")), URL: r.text("url"), Body: []byte(r.text("request_body")), Latency: r.latency(),
		Status: int(r.whole("http_status", 999)), Reply: []byte(r.text("response_body")),
		Header: headers(r.text("request_headers")), ReplyHeader: headers(r.text("response_headers")),
	}
	if c.Method == "" {
		c.Method = http.MethodPost
	}
	r.when(&c.At)
	r.word("fault", &c.Fault)
	return c
}

// headers reads headers that stand as a JSON object, or as lines.
func headers(text string) http.Header {
	h := http.Header{}
	var named map[string]any
	if json.Unmarshal([]byte(text), &named) == nil {
		for name, value := range named {
			if list, ok := value.([]any); ok {
				for _, v := range list {
					h.Add(name, fmt.Sprint(v))
				}
				continue
			}
			h.Add(name, fmt.Sprint(value))
		}
		return h
	}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
	return h
}

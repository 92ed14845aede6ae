package simulate

import (
	"errors"
	"fmt"
	"time"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// moment is a time in microseconds since 1970.
type moment int64

func (m moment) time() time.Time { return time.UnixMicro(int64(m)).UTC() }

func (m moment) plus(d time.Duration) moment { return m + moment(d/time.Microsecond) }

type linePhase uint8

const (
	lineSend linePhase = iota
	lineQuery
	lineWebhook
	lineEnd
	lineTruth
)

var linePhases = map[string]linePhase{"send": lineSend, "query": lineQuery, "webhook": lineWebhook, "end": lineEnd, "truth": lineTruth}

// line is one line of a recording, decoded.
type line struct {
	number  int // in its file
	flow    string
	at      moment
	phase   linePhase
	payment policy.Payment // of send, query and webhook lines
	latency time.Duration
	queryBy policy.Identifier

	// The identifiers of the call: under which it was sent, or asked.
	orderID, requestID, providerID string

	answer     policy.Answer
	outcome    policy.Outcome // of an end
	executions []execution    // of a truth
}

// execution is one movement of money that reconciliation found.
type execution struct {
	orderID, requestID string
	amount             int64
	at                 moment
}

// lineReader decodes lines. It is for one goroutine; what it returns does not
// refer to the bytes it was given.
type lineReader struct {
	catalogs *providers.Catalogs
	parser   fastjson.Parser
	texts    map[string]string
}

func newLineReader(c *providers.Catalogs) *lineReader {
	return &lineReader{catalogs: c, texts: map[string]string{}}
}

const (
	maxLatency = 48 * time.Hour
	maxAmount  = int64(1e15) // so that sums of thousands of them still fit
)

// maxTexts bounds the texts that are kept for sharing.
const maxTexts = 1 << 14

// text copies a text, sharing the ones that recur.
func (r *lineReader) text(v *fastjson.Value, key string) string {
	b := v.GetStringBytes(key)
	if len(b) == 0 {
		return ""
	}
	if s, ok := r.texts[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(r.texts) < maxTexts && len(s) < 32 {
		r.texts[s] = s
	}
	return s
}

// name copies an identifier, which seldom recurs.
func name(v *fastjson.Value, key string) string { return string(v.GetStringBytes(key)) }

// read decodes one line.
func (r *lineReader) read(raw []byte, l *line) error {
	v, err := r.parser.ParseBytes(raw)
	if err != nil {
		return fmt.Errorf("not a JSON object: %w", err)
	}
	if v.Type() != fastjson.TypeObject {
		return errors.New("not a JSON object")
	}
	if err := checkTypes(v); err != nil {
		return err
	}
	if n := v.GetInt("v"); n != 1 {
		return fmt.Errorf("version is %d; this reads version 1", n)
	}
	*l = line{flow: name(v, "flow")}
	if l.flow == "" {
		return errors.New("flow is missing")
	}
	if l.at, err = readTime(v.GetStringBytes("at")); err != nil {
		return err
	}
	said := string(v.GetStringBytes("phase"))
	phase, ok := linePhases[said]
	if !ok {
		return fmt.Errorf("unknown phase %q (there are: send, query, webhook, end, truth)", said)
	}
	l.phase = phase
	l.payment.Merchant = r.text(v, "merchant")
	switch phase {
	case lineEnd:
		return r.end(v, l)
	case lineTruth:
		return r.truth(v, l)
	default:
		return r.call(v, l)
	}
}

func (r *lineReader) end(v *fastjson.Value, l *line) error {
	if err := l.outcome.UnmarshalText(v.GetStringBytes("outcome")); err != nil {
		return err
	}
	return nil
}

func (r *lineReader) truth(v *fastjson.Value, l *line) error {
	list := v.Get("executions")
	if list == nil || list.Type() != fastjson.TypeArray {
		return errors.New("executions is missing; it is a list, empty where nothing executed")
	}
	for _, x := range list.GetArray() {
		if x.Type() != fastjson.TypeObject {
			return errors.New("executions holds something that is no object")
		}
		if err := checkTypes(x); err != nil {
			return fmt.Errorf("executions: %w", err)
		}
		at, err := l.at, error(nil)
		if said := x.GetStringBytes("at"); len(said) > 0 {
			if at, err = readTime(said); err != nil {
				return fmt.Errorf("executions: %w", err)
			}
		}
		l.executions = append(l.executions, execution{name(x, "order_id"), name(x, "request_id"), x.GetInt64("amount"), at})
	}
	return nil
}

// call decodes a send, a query or a webhook.
func (r *lineReader) call(v *fastjson.Value, l *line) error {
	p := &l.payment
	p.Provider = r.text(v, "provider")
	cat, err := r.catalogs.Get(p.Provider)
	if err != nil {
		return err
	}
	if err := p.Operation.UnmarshalText(v.GetStringBytes("operation")); err != nil {
		return err
	}
	if b := v.GetStringBytes("capture"); len(b) > 0 {
		if err := p.Capture.UnmarshalText(b); err != nil {
			return err
		}
	}
	p.Key, p.Amount, p.Currency = name(v, "payment_key"), v.GetInt64("amount"), r.text(v, "currency")
	if p.Amount < 0 || p.Amount > maxAmount {
		return fmt.Errorf("amount is %d; it must be from 0 to %d", p.Amount, maxAmount)
	}
	if tags := v.GetObject("tags"); tags != nil {
		p.Tags = map[string]string{}
		tags.Visit(func(k []byte, t *fastjson.Value) { p.Tags[string(k)] = string(t.GetStringBytes()) })
	}
	l.orderID, l.requestID, l.providerID = name(v, "order_id"), name(v, "request_id"), name(v, "provider_id")
	for _, key := range []string{"latency_ms", "retry_after_ms"} {
		if ms := v.GetInt64(key); ms < 0 || ms > maxLatency.Milliseconds() {
			return fmt.Errorf("%s is %d; it must be from 0 to %d", key, ms, maxLatency.Milliseconds())
		}
	}
	l.latency = time.Duration(v.GetInt64("latency_ms")) * time.Millisecond
	switch l.queryBy = policy.Identifier(r.text(v, "query_by")); l.queryBy {
	case "", policy.OrderID, policy.RequestID, policy.ProviderID:
	default:
		return fmt.Errorf("unknown query_by %q (there are: order_id, request_id, provider_id)", l.queryBy)
	}
	return r.answer(cat, v, l)
}

func (r *lineReader) answer(cat *providers.Catalog, v *fastjson.Value, l *line) error {
	a := &l.answer
	a.Phase = policy.Phase(l.phase)
	if b := v.GetStringBytes("fault"); len(b) > 0 {
		if err := a.Fault.UnmarshalText(b); err != nil {
			return err
		}
	}
	a.HTTPStatus = v.GetInt("http_status")
	a.RetryAfter = time.Duration(v.GetInt64("retry_after_ms")) * time.Millisecond
	a.Verified = v.GetBool("verified")
	a.Code, a.SubCode, a.Message = scalarText(v, "code"), scalarText(v, "sub_code"), r.text(v, "message")
	a.Status, a.SubStatus = r.text(v, "status"), r.text(v, "sub_status")
	a.ProviderID, a.Currency = l.providerID, l.payment.Currency
	if l.phase == lineWebhook {
		a.OrderID, a.RequestID = l.orderID, l.requestID
	}
	if body := v.Get("body"); body != nil && body.Type() != fastjson.TypeNull && a.Fault == policy.NoFault {
		// A body that does not decode is the fault "unreadable", which is an answer.
		_ = cat.DecodeValue(l.payment.Operation, a.Phase, body, a)
	}
	if l.phase == lineSend && a.RequestID != "" && l.requestID == "" {
		l.requestID = a.RequestID // the reply to a call names what the call was
	}
	return nil
}

// checkTypes refuses a field of another type than it has to be: read as absent, it
// could change what a payment is taken to be.
func checkTypes(v *fastjson.Value) error {
	o, err := v.Object()
	if err != nil {
		return err
	}
	var wrong error
	o.Visit(func(key []byte, x *fastjson.Value) {
		want := ""
		switch string(key) {
		case "flow", "at", "phase", "provider", "merchant", "operation", "payment_key", "query_by", "order_id", "request_id",
			"provider_id", "currency", "capture", "fault", "outcome", "status", "sub_status", "message":
			if x.Type() != fastjson.TypeString {
				want = "a string"
			}
		case "v", "amount", "latency_ms", "http_status", "retry_after_ms":
			if _, err := x.Int64(); err != nil {
				want = "a whole number"
			}
		case "verified":
			if x.Type() != fastjson.TypeTrue && x.Type() != fastjson.TypeFalse {
				want = "true or false"
			}
		case "tags":
			if x.Type() != fastjson.TypeObject {
				want = "an object"
			}
		case "executions":
			if x.Type() != fastjson.TypeArray {
				want = "a list, empty where nothing executed"
			}
		case "code", "sub_code":
			if x.Type() != fastjson.TypeString && x.Type() != fastjson.TypeNumber {
				want = "a string or a number"
			}
		}
		if want != "" && wrong == nil && x.Type() != fastjson.TypeNull {
			wrong = fmt.Errorf("%s is %s; it must be %s", key, x.Type(), want)
		}
	})
	return wrong
}

// scalarText reads a string or a number.
func scalarText(v *fastjson.Value, key string) string {
	x := v.Get(key)
	switch {
	case x == nil:
		return ""
	case x.Type() == fastjson.TypeString:
		return string(x.GetStringBytes())
	case x.Type() == fastjson.TypeNumber:
		return string(x.MarshalTo(nil))
	}
	return ""
}

// readTime reads RFC 3339. The common form, 2026-01-02T03:04:05.123Z, is read without
// the general parser.
func readTime(b []byte) (moment, error) {
	if len(b) == 0 {
		return 0, errors.New("at is missing")
	}
	if m, ok := fastTime(b); ok {
		return m, nil
	}
	t, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		return 0, fmt.Errorf(`at is %q; it must be a time such as "2026-01-02T03:04:05.123Z"`, b)
	}
	return moment(t.UnixMicro()), nil
}

func fastTime(b []byte) (moment, bool) {
	n := len(b)
	if n < 20 || n > 27 || b[n-1] != 'Z' || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	year, ok1 := digits(b[0:4])
	month, ok2 := digits(b[5:7])
	day, ok3 := digits(b[8:10])
	hour, ok4 := digits(b[11:13])
	minute, ok5 := digits(b[14:16])
	second, ok6 := digits(b[17:19])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || year < 1 || month < 1 || month > 12 || day < 1 || day > 28 && day > daysIn(year, month) ||
		hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	micros := 0
	if n > 20 {
		fraction, ok := digits(b[20 : n-1])
		if !ok || b[19] != '.' || n == 21 {
			return 0, false
		}
		for i := n - 21; i < 6; i++ {
			fraction *= 10
		}
		micros = fraction
	}
	days := daysSince1970(year, month, day)
	return moment(((int64(days)*24+int64(hour))*60+int64(minute))*60+int64(second))*1_000_000 + moment(micros), true
}

func digits(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// daysSince1970 counts days of the Gregorian calendar, years beginning in March.
func daysSince1970(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	ofEra := year - era*400
	ofYear := (153*(month-3)+2)/5 + day - 1
	return era*146097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719468
}

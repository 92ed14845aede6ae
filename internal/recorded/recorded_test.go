package recorded

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 123456000, time.UTC)

// fullLines has a line of every phase; together they hold every key.
func fullLines() []Line {
	payment := policy.Payment{
		Provider: "momo", Merchant: "acme", Operation: policy.Refund, Key: "cart-77", Amount: 120000, Currency: "VND", Capture: policy.Manual,
		Tags: map[string]string{"channel": "pos", "tier": `"gold"`},
	}
	answer := policy.Answer{
		Fault: policy.Unreadable, HTTPStatus: 502, RetryAfter: 2500 * time.Millisecond, Verified: true,
		Code: "0041", SubCode: "x", Status: "S", SubStatus: "T", Message: "tiền <không> đủ\n",
	}
	var all []Line
	for _, p := range []Phase{Send, Query, Webhook} {
		all = append(all, Line{
			Flow: "f-1", At: at, Phase: p, Payment: payment, QueryBy: policy.OrderID, OrderID: "o-1", RequestID: "r-1", ProviderID: "t-1",
			Latency: 231 * time.Millisecond, Answer: answer, Body: []byte(`{"resultCode":1000}`),
		})
	}
	all[0].Header = map[string]string{"X-Code": "0041", "x-b": "ü"}
	all[0].Lacks = []string{"faults", "time"}
	all[2].Query = "a=1&b=%20"
	all[2].Rules, all[2].Asked, all[2].Decided = "sha256:0a", []byte(`{"attempt":2}`), []byte(`{"action":"escalate","reason":"tiền \u2028"}`)
	merchant := policy.Payment{Merchant: "acme"}
	return append(all,
		Line{Flow: "f-1", At: at, Phase: End, Payment: merchant, Outcome: policy.Failed},
		Line{Flow: "f-1", At: at, Phase: Truth, Payment: merchant},
		Line{Flow: "f-1", At: at, Phase: Truth, Payment: merchant, Executions: []Execution{{"o-1", "r-1", 120000, at}, {OrderID: "o-2"}}})
}

// differences names the fields in which two lines differ.
func differences(a, b Line) string {
	var all []string
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			all = append(all, fmt.Sprintf("%s: %+v, want %+v", x.Type().Field(i).Name, x.Field(i), y.Field(i)))
		}
	}
	return strings.Join(all, "; ")
}

func TestWrittenLinesReadBackEqual(t *testing.T) {
	r := NewReader()
	for _, want := range fullLines() {
		text := want.Append(nil)
		var got Line
		body, err := r.Read(text, &got)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if body != nil {
			got.Body = body.MarshalTo(nil)
		}
		if asked, decided := r.Decision(); decided != nil {
			got.Asked, got.Decided = asked.MarshalTo(nil), decided.MarshalTo(nil)
		}
		if d := differences(got, want); d != "" {
			t.Errorf("%s\nreads back with %s", text, d)
		}
		if again := got.Append(nil); string(again) != string(text) {
			t.Errorf("%s\nis written again as\n%s", text, again)
		}
	}
}

// Every key is written by a line that has all its fields set, and a value of another type is
// refused by the reader: each is known to both.
func TestEveryKeyIsKnownToReaderAndWriter(t *testing.T) {
	var text strings.Builder
	for _, l := range fullLines() {
		text.Write(l.Append(nil))
	}
	keys := Keys()
	for i := range executionTable.fields {
		keys = append(keys, executionTable.fields[i].name)
	}
	for _, key := range keys {
		if !strings.Contains(text.String(), `"`+key+`":`) {
			t.Errorf("no line is written with %q", key)
		}
	}
	for _, key := range Keys() {
		if key == "body" {
			continue // every value may be one
		}
		raw := `{"v":1,"phase":"end","flow":"f","at":"2026-01-02T03:04:05Z","outcome":"failed","` + key + `":[[]]}`
		if key == "executions" {
			raw = strings.Replace(raw, "[[]]", "{}", 1)
		}
		// A key that the line has already is named first, so that it is the one that counts.
		raw = strings.Replace(raw, "{", `{"`+key+`":`+map[bool]string{true: "{}", false: "[[]]"}[key == "executions"]+",", 1)
		if _, err := NewReader().Read([]byte(raw), new(Line)); err == nil || !regexp.MustCompile(`\b(`+key+`|version)\b`).MatchString(err.Error()) {
			t.Errorf("%q of a wrong type: %v", key, err)
		}
	}
}

// The page for users and the table name the same keys.
func TestTheDocumentedKeysAreTheTables(t *testing.T) {
	page, err := os.ReadFile("../../docs/simulate.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## The lines of a recording\n")
	section, _, _ = strings.Cut(section, "\n## ")
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|").FindAllStringSubmatch(section, -1) {
		for _, key := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[1], -1) {
			documented[key[1]] = true
		}
	}
	for _, key := range Keys() {
		if !documented[key] {
			t.Errorf("docs/simulate.md does not name the key %q", key)
		}
		delete(documented, key)
	}
	for key := range documented {
		t.Errorf("docs/simulate.md names the key %q, which does not exist", key)
	}
}

// The two structs whose fields a line holds get a key for every new field, or a reason.
func TestNoFieldOfPaymentOrAnswerIsForgotten(t *testing.T) {
	fromBody := []string{"Phase", "OrderID", "RequestID", "ProviderID", "Amount", "Currency", "SetAside"} // of an answer
	l := fullLines()[0]
	for _, part := range []struct {
		v    any
		none []string
	}{{l.Payment, nil}, {l.Answer, fromBody}} {
		v := reflect.ValueOf(part.v)
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if v.Field(i).IsZero() != slices.Contains(part.none, name) {
				t.Errorf("%s.%s: the test's line has to set it, or it is read from the body", v.Type(), name)
			}
		}
	}
}

func TestLatencyIsRoundedDownAndBounded(t *testing.T) {
	for latency, want := range map[time.Duration]string{
		-time.Second: `"latency_ms":0`, 0: `"latency_ms":0`, 1999 * time.Microsecond: `"latency_ms":1`, 100 * time.Hour: `"latency_ms":172800000`,
	} {
		l := Line{Flow: "f", At: at, Payment: policy.Payment{Operation: policy.Pay}, Latency: latency}
		if text := string(l.Append(nil)); !strings.Contains(text, want) {
			t.Errorf("%s is written as %s", latency, text)
		}
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2026-01-02T03:04:05Z":             time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"2024-02-29T23:59:59.1Z":           time.Date(2024, 2, 29, 23, 59, 59, 1e8, time.UTC),
		"2026-01-02T03:04:05.123456Z":      at,
		"2026-01-02T03:04:05.123456789Z":   at,
		"2026-01-02T05:04:05.123456+02:00": at,
		"1969-12-31T23:59:59.999999Z":      time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC),
	} {
		if got, err := parseTime([]byte(text)); err != nil || !got.Equal(want) {
			t.Errorf("%s is read as %s (%v)", text, got, err)
		}
	}
	for _, text := range []string{"2026-02-29T03:04:05Z", "2026-01-02T24:04:05Z", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05.Z", "0"} {
		if got, err := parseTime([]byte(text)); err == nil {
			t.Errorf("%s is read as %s", text, got)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	line := fullLines()[1]
	raw := line.Append(nil)
	r := NewReader()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Read(raw, &line); err != nil {
			b.Fatal(err)
		}
	}
}

// A key that stands twice with two values is a broken line; written twice alike, it is as if it stood once.
func TestAKeyThatStandsTwice(t *testing.T) {
	r := NewReader()
	const send = `{"v":1,"flow":"f","at":"2026-01-02T03:04:05Z","phase":"send","provider":"momo","operation":"pay","order_id":"o-1","amount":7,`
	for rest, wrong := range map[string]string{
		`"order_id":"o-1"}`: "", `"amount":7,"body":{}}`: "",
		`"amount":9}`: "amount stands twice", `"order_id":"o-2"}`: "order_id stands twice", `"order_id":""}`: "order_id stands twice", `"amount":null}`: "amount stands twice",
		`"body":{},"body":{"a":1}}`: "body stands twice",
	} {
		var l Line
		if _, err := r.Read([]byte(send+rest), &l); err == nil && wrong != "" || err != nil && (wrong == "" || !strings.Contains(err.Error(), wrong)) {
			t.Errorf("%s: %v", rest, err)
		}
	}
	var l Line
	if _, err := r.Read([]byte(`{"v":1,"flow":"f","at":"2026-01-02T03:04:05Z","phase":"truth","executions":[{"order_id":"o","order_id":"p"}]}`), &l); err == nil {
		t.Error("an execution of two orders is read")
	}
}

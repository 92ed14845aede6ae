package otelrecourse

import (
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// keyFlow is the attribute that all spans of a flow share: recourse.flow. Set it on your own span
// after [executor.Executor.Start], with the id of [executor.Handle.Flow], because the flow then
// continues without your span.
const keyFlow = attribute.Key("recourse.flow")

// The keys of attributes. Times are in seconds.
const (
	keyStanding   = attribute.Key("recourse.standing")
	keyState      = attribute.Key("recourse.state")
	keyProvider   = attribute.Key("recourse.provider")
	keyMerchant   = attribute.Key("recourse.merchant")
	keyOperation  = attribute.Key("recourse.operation")
	keyPaymentKey = attribute.Key("recourse.payment_key")
	keyPhase      = attribute.Key("recourse.phase")
	keyOrderID    = attribute.Key("recourse.order_id")
	keyRequestID  = attribute.Key("recourse.request_id")
	keyProviderID = attribute.Key("recourse.provider_id")
	keyAttempt    = attribute.Key("recourse.attempt")
	keyQuery      = attribute.Key("recourse.query")
	keyQueryBy    = attribute.Key("recourse.query_by")
	keyQueryID    = attribute.Key("recourse.query_id")
	keyCode       = attribute.Key("recourse.code")
	keySubCode    = attribute.Key("recourse.sub_code")
	keyStatus     = attribute.Key("recourse.status")
	keySubStatus  = attribute.Key("recourse.sub_status")
	keyRetryAfter = attribute.Key("recourse.retry_after")
	keyVerified   = attribute.Key("recourse.verified")
	keyClass      = attribute.Key("recourse.class")
	keyEffect     = attribute.Key("recourse.effect")
	keyInDoubt    = attribute.Key("recourse.in_doubt")
	keyDue        = attribute.Key("recourse.due")
	keyRule       = attribute.Key("recourse.rule")
	keySource     = attribute.Key("recourse.source")
	keyWanted     = attribute.Key("recourse.wanted")
	keyAction     = attribute.Key("recourse.action")
	keyVia        = attribute.Key("recourse.via")
	keyProperty   = attribute.Key("recourse.property")
	keyLimit      = attribute.Key("recourse.limit")
	keySchedule   = attribute.Key("recourse.schedule")
	keyDelay      = attribute.Key("recourse.delay")
	keyHeldBy     = attribute.Key("recourse.held_by")
	keyOutcome    = attribute.Key("recourse.outcome")
	keyReason     = attribute.Key("recourse.reason")
	keyAttempts   = attribute.Key("recourse.attempts")
	keyQueries    = attribute.Key("recourse.queries")
	keyElapsed    = attribute.Key("recourse.elapsed")
	keyError      = semconv.ErrorTypeKey
	keyHTTPStatus = semconv.HTTPResponseStatusCodeKey
)

// other replaces an unknown value, as in the semantic conventions.
const other = "_OTHER"

// attrs are the attributes of a span. Empty values are left out.
type attrs []attribute.KeyValue

func (a *attrs) text(k attribute.Key, value string) {
	if value != "" {
		*a = append(*a, k.String(clean(value)))
	}
}

func (a *attrs) number(k attribute.Key, n int) {
	if n != 0 {
		*a = append(*a, k.Int(n))
	}
}

func (a *attrs) seconds(k attribute.Key, d time.Duration) {
	if d != 0 {
		*a = append(*a, k.Float64(d.Seconds()))
	}
}

func (a *attrs) flag(k attribute.Key, set bool) {
	if set {
		*a = append(*a, k.Bool(true))
	}
}

// flowAttrs returns the attributes of a flow, with room for about n. Provider and operation are
// among the fixed attributes of the span.
func flowAttrs(n int, flow string, p *policy.Payment) attrs {
	a := make(attrs, 0, n)
	a.text(keyFlow, flow)
	if p != nil {
		a.text(keyMerchant, p.Merchant)
		a.text(keyPaymentKey, p.Key)
	}
	return a
}

func (a *attrs) attempt(c *executor.CallEvent) {
	t := c.Attempt
	if t == nil {
		return
	}
	a.text(keyOrderID, t.OrderID)
	a.text(keyRequestID, t.RequestID)
	a.text(keyProviderID, t.ProviderID)
	if c.Phase == policy.Query {
		a.number(keyQuery, t.Number)
		a.text(keyQueryBy, string(t.By))
		a.text(keyQueryID, t.QueryID)
		return
	}
	a.number(keyAttempt, t.Number)
	if t.Number > 1 {
		a.text(keyAction, t.Action.String())
	}
}

func (a *attrs) answer(r *policy.Answer) {
	a.number(keyHTTPStatus, r.HTTPStatus)
	a.text(keyCode, r.Code)
	a.text(keySubCode, r.SubCode)
	a.text(keyStatus, r.Status)
	a.text(keySubStatus, r.SubStatus)
	a.seconds(keyRetryAfter, r.RetryAfter)
	a.text(keyError, r.Fault.String())
}

// identifiers adds the identifiers in an answer.
func (a *attrs) identifiers(r *policy.Answer) {
	a.text(keyOrderID, r.OrderID)
	a.text(keyRequestID, r.RequestID)
	a.text(keyProviderID, r.ProviderID)
}

// maxText is the greatest length of a text on a span, in bytes.
const maxText = 256

// clean cuts a text and makes it valid UTF-8. With one invalid text, an exporter loses the whole
// batch.
func clean(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
		for n := 1; n < utf8.UTFMax && n < len(s); n++ { // remove a rune that was cut
			if c := s[len(s)-n]; utf8.RuneStart(c) {
				if !utf8.FullRuneInString(s[len(s)-n:]) {
					s = s[:len(s)-n]
				}
				break
			}
		}
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// errorText returns the first line of an error, without the URL that net/http adds: its query may
// hold API keys.
func errorText(err error, fault policy.Fault) string {
	if err == nil {
		return fault.String()
	}
	if e := (*url.Error)(nil); errors.As(err, &e) && e.Err != nil {
		err = e.Err
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return clean(line)
}

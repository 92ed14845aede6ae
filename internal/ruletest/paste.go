package ruletest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// paste returns a question and its decision as a test in TOML, to paste into a file.
func paste(e *ruleset.Engine, q *advice.Question, name string) string {
	a, err := advice.Ask(e, q)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("[[decision]]\nname   = %s\ngiven  = { %s }\nexpect = { %s }\n", quote(name), strings.Join(givens(q), ", "), strings.Join(expects(a), ", "))
}

// givens returns the fields of a question, as TOML.
func givens(q *advice.Question) []string {
	var all []string
	text := func(key, value string) {
		if value != "" {
			all = append(all, key+" = "+quote(value))
		}
	}
	count := func(key string, n int64) {
		if n != 0 {
			all = append(all, key+" = "+strconv.FormatInt(n, 10))
		}
	}
	yes := func(key string, b bool) {
		if b {
			all = append(all, key+" = true")
		}
	}
	text("provider", q.Provider)
	text("merchant", q.Merchant)
	text("operation", q.Operation.String())
	if q.Phase != policy.Send {
		text("phase", q.Phase.String())
	}
	for _, f := range []struct{ key, value string }{
		{"code", string(q.Code)}, {"sub_code", string(q.SubCode)}, {"status", string(q.Status)}, {"sub_status", string(q.SubStatus)},
		{"fault", q.Fault.String()}, {"message", q.Message},
	} {
		text(f.key, f.value)
	}
	count("http_status", int64(q.HTTPStatus))
	yes("in_doubt", q.InDoubt)
	yes("replay", q.Replay)
	yes("verified", q.Verified)
	count("attempt", int64(q.Attempt))
	count("queries", int64(q.Queries))
	if len(q.Fired) > 0 {
		var fired []string
		for _, id := range slices.Sorted(maps.Keys(q.Fired)) {
			fired = append(fired, fmt.Sprintf("%s = %d", id, q.Fired[id]))
		}
		all = append(all, "fired = { "+strings.Join(fired, ", ")+" }")
	}
	if q.ElapsedMS != 0 {
		text("elapsed", short(time.Duration(q.ElapsedMS)*time.Millisecond))
	}
	if q.RetryAfterMS != 0 {
		text("retry_after", short(time.Duration(q.RetryAfterMS)*time.Millisecond))
	}
	count("amount", q.Amount)
	text("currency", q.Currency)
	if q.Capture != policy.Auto {
		text("capture", q.Capture.String())
	}
	if len(q.Tags) > 0 {
		var tags []string
		for _, key := range slices.Sorted(maps.Keys(q.Tags)) {
			tags = append(tags, fmt.Sprintf("%q = %s", key, quote(q.Tags[key])))
		}
		all = append(all, "tags = { "+strings.Join(tags, ", ")+" }")
	}
	if t := q.At; !t.IsZero() && (t.Hour() != epoch[3] || t.Weekday() != time.Monday) {
		text("at", strings.ToLower(t.Weekday().String())+t.Format(" 15:04"))
	}
	return all
}

// expects returns the fields of a decision, as TOML.
func expects(a *advice.Advice) []string {
	all := []string{"action = " + quote(got("action", a)), "rule = " + quote(got("rule", a))}
	if s := got("schedule", a); s != none {
		all = append(all, "schedule = "+quote(s))
	}
	for _, key := range []string{"interlock", "limit"} {
		if s := got(key, a); s != none {
			all = append(all, key+" = "+quote(s))
		}
	}
	return all
}

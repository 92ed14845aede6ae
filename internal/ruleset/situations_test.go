package ruleset

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/policy"
)

// A pool is what random situations are drawn from: what the rules speak of, and values
// beside it.
type pool struct {
	e                                         *Engine
	providers, merchants                      []string
	codes, statuses, subStatuses              map[string][]string // by provider; "" is everybody's
	messages, currencies, tagNames, tagValues []string
	rules                                     []string // whose firing is counted
	amounts                                   []int64
	http                                      []int
	elapsed, retryAfter                       []time.Duration
}

// drawnFrom is a pool of everything that the catalogues and the rules know, and of what
// none of them knows.
func drawnFrom(e *Engine) *pool {
	p := &pool{
		e:           e,
		providers:   append(e.Catalogs.Names(), "nopay"),
		merchants:   append(e.Rules.MerchantNames(), "", "nobody"),
		codes:       map[string][]string{"": {"", "unseen", "4", "400000"}},
		statuses:    map[string][]string{"": {"", "UNSEEN"}},
		subStatuses: map[string][]string{"": {"", "UNSEEN"}},
		messages:    []string{"", "please retry", "xin thử lại", "Timeout: \"gateway\""},
		currencies:  []string{"", "VND", "TWD", "PHP", "php"},
		tagNames:    []string{"channel", "tier", "x"},
		tagValues:   []string{"", "app", "gold", "x"},
		amounts:     []int64{0, 1, 99_999, 100_000, 100_001, 4_999_999, 5_000_000, 5_000_001, 1 << 40, -1},
		http:        []int{0, 200, 400, 429, 499, 500, 503},
		elapsed: []time.Duration{
			0, time.Second, 15 * time.Minute, time.Hour, 2*time.Hour - 1, 2 * time.Hour, 2*time.Hour + 1, 26 * time.Hour, 240 * time.Hour,
		},
		retryAfter: []time.Duration{0, 0, time.Second, 15 * time.Minute, time.Hour},
	}
	for _, name := range e.Catalogs.Names() {
		cat, _ := e.Catalogs.Get(name)
		for _, entry := range e.ruleTables[name].rest.view().entries { // first what the rules speak of
			p.codes[name] = append(p.codes[name], slices.Sorted(maps.Keys(entry.vars["code"]))...)
		}
		for _, r := range cat.Codes {
			p.codes[name] = append(p.codes[name], r.Code)
		}
		for _, r := range cat.Statuses {
			p.statuses[name] = append(p.statuses[name], r.Status)
			p.subStatuses[name] = append(p.subStatuses[name], r.SubStatus)
		}
	}
	for _, of := range []map[string][]string{p.codes, p.statuses, p.subStatuses} {
		for _, name := range e.Catalogs.Names() {
			of[""] = append(of[""], of[name]...)
		}
	}
	for _, r := range allRules(e.Rules) {
		p.rules = append(p.rules, r.ID)
	}
	return p
}

func one[T any](t *rapid.T, name string, of []T) T { return rapid.SampledFrom(of).Draw(t, name) }

// own draws a text that the provider knows, or nothing, or what another provider knows.
func own(t *rapid.T, name, provider string, of map[string][]string) string {
	switch known := of[provider]; rapid.IntRange(0, 3).Draw(t, "whose "+name) {
	case 0:
		return ""
	case 1, 2:
		if len(known) > 0 {
			return one(t, name, known)
		}
	}
	return one(t, name, of[""])
}

// situation draws one. Half of the facts are the catalogue's, half are any at all.
func (p *pool) situation(t *rapid.T) *policy.Situation {
	pay := &policy.Payment{
		Provider: one(t, "provider", p.providers), Merchant: one(t, "merchant", p.merchants),
		Operation: one(t, "operation", policy.Operations()), Amount: one(t, "amount", p.amounts),
		Currency: one(t, "currency", p.currencies), Capture: one(t, "capture", policy.All[policy.CaptureMode]()), Tags: p.tags(t),
	}
	a := &policy.Answer{
		Phase: one(t, "phase", policy.Phases()), HTTPStatus: one(t, "http_status", p.http),
		Message: one(t, "message", p.messages), RetryAfter: one(t, "retry_after", p.retryAfter),
	}
	if rapid.IntRange(0, 5).Draw(t, "faulty") == 0 {
		a.Fault = one(t, "fault", policy.All[policy.Fault]())
	} else {
		a.Code, a.SubCode = own(t, "code", pay.Provider, p.codes), own(t, "sub_code", pay.Provider, p.codes)
		if rapid.Bool().Draw(t, "with a status") {
			a.Status, a.SubStatus = own(t, "status", pay.Provider, p.statuses), own(t, "sub_status", pay.Provider, p.subStatuses)
		}
	}
	s := &policy.Situation{
		Payment: pay, Answer: a, InDoubt: rapid.Bool().Draw(t, "in_doubt"),
		Attempt: rapid.IntRange(0, 5).Draw(t, "attempt"), Queries: rapid.IntRange(0, 5).Draw(t, "queries"),
		Fired: p.fired(t), Elapsed: one(t, "elapsed", p.elapsed),
		At: friday.Add(time.Duration(rapid.IntRange(0, 7*24).Draw(t, "hours")) * time.Hour),
	}
	if rapid.Bool().Draw(t, "any fact") {
		s.Fact = policy.Fact{
			Effect: one(t, "effect", policy.All[policy.Effect]()), Class: one(t, "class", policy.All[policy.Class]()),
			Stage: one(t, "stage", policy.All[policy.Stage]()), Reach: one(t, "reach", policy.All[policy.Reach]()),
			Basis: policy.Inferred, Final: one(t, "final", policy.All[policy.Finality]()),
		}
	} else {
		s.Fact = p.e.Judge(pay, a)
	}
	return s
}

func (p *pool) tags(t *rapid.T) map[string]string {
	if rapid.Bool().Draw(t, "no tags") {
		return nil
	}
	tags := map[string]string{}
	for range rapid.IntRange(0, 2).Draw(t, "tags") {
		tags[one(t, "tag", p.tagNames)] = one(t, "tag value", p.tagValues)
	}
	return tags
}

func (p *pool) fired(t *rapid.T) policy.Counts {
	var counts policy.Counts
	for range rapid.IntRange(0, 3).Draw(t, "fired") {
		counts = append(counts, policy.Count{Name: one(t, "rule", p.rules), N: rapid.IntRange(1, 4).Draw(t, "times")})
	}
	return counts
}

// shown is a situation for a person.
func shown(s *policy.Situation) string {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// oneLine is a decision in a line.
func oneLine(d policy.Decision) string {
	when := "at once"
	if d.Schedule != nil {
		when = d.Schedule.Name + " " + d.Schedule.String()
	}
	return fmt.Sprintf("%s by rule %q (%s, %q), %s", d.Action, d.Rule, d.Source, d.Reason, when)
}

package promela

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// texts are what the conditions of rules mention, as it stands in their text.
type texts struct {
	mentions map[string]bool
	strings  []string
	numbers  map[string][]int64 // by a word: those of the conditions that have it
	spans    []time.Duration
	fired    map[string][]int // by rule: values of its own count that can make a difference
}

var (
	aString = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`"[^"]*"|'[^']*'`) })
	aNumber = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\b\d+\b`) })
	aWord   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\b[a-zA-Z_]+\b`) })
)

// mentioned reads the conditions' texts. It refuses what cannot be enumerated.
func mentioned(all []ruleset.Ruling) (texts, error) {
	t := texts{mentions: map[string]bool{}, numbers: map[string][]int64{}, fired: map[string][]int{}}
	for _, r := range all {
		when := r.Rule.When
		for _, s := range aString().FindAllString(when, -1) {
			s = s[1 : len(s)-1]
			t.strings = append(t.strings, s)
			if d, err := time.ParseDuration(s); err == nil {
				t.spans = append(t.spans, d)
			}
		}
		bare := aString().ReplaceAllString(when, "")
		var own []int64
		for _, n := range aNumber().FindAllString(bare, -1) {
			v, err := strconv.ParseInt(n, 10, 64)
			if err != nil {
				return t, fmt.Errorf("promela: %s: the number %s is too large", r.Rule.Source(), n)
			}
			own = append(own, v)
		}
		words := map[string]bool{}
		for _, word := range aWord().FindAllString(bare, -1) {
			if !words[word] {
				t.numbers[word] = append(t.numbers[word], own...)
			}
			words[word], t.mentions[word] = true, true
		}
		if words["tags"] {
			return t, fmt.Errorf("promela: %s: the condition looks at tags, whose values cannot be enumerated", r.Rule.Source())
		}
		fired := []int{0}
		if words["fired"] {
			for _, n := range own {
				fired = append(fired, int(max(0, n-1)), int(n), int(n)+1)
			}
		}
		slices.Sort(fired)
		t.fired[r.Rule.Source()] = slices.Compact(fired)
	}
	slices.Sort(t.strings)
	t.strings = slices.Compact(t.strings)
	return t, nil
}

// around returns every number of the conditions that look at a variable, with the ones beside it.
func (t *texts) around(variable string, least int64) []int64 {
	all := []int64{least}
	for _, n := range t.numbers[variable] {
		all = append(all, n-1, n, n+1)
	}
	all = slices.DeleteFunc(all, func(n int64) bool { return n < least })
	slices.Sort(all)
	return slices.Compact(all)
}

// durations returns every duration of the rules, with the ones beside it.
func (t *texts) durations() []time.Duration {
	all := []time.Duration{0}
	for _, d := range t.spans {
		all = append(all, d-1, d, d+1)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// counts returns situations with every combination of the counts and times that the rules can tell apart. A flow never
// counts beyond its limits (S4).
func (w *World) counts() []policy.Situation {
	all := []policy.Situation{{Attempt: 1, At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	vary := func(name string, values int, set func(s *policy.Situation, i int)) {
		if !w.texts.mentions[name] {
			return
		}
		var next []policy.Situation
		for _, s := range all {
			for i := range values {
				one := s
				set(&one, i)
				next = append(next, one)
			}
		}
		all = next
	}
	limits := &w.engine.Terms(&w.payment).Limits
	attempts, queries := upTo(limits.MaxAttempts, w.texts.around("attempt", 1)), upTo(limits.MaxQueries, w.texts.around("queries", 0))
	spans := w.texts.durations()
	vary("attempt", len(attempts), func(s *policy.Situation, i int) { s.Attempt = attempts[i] })
	vary("queries", len(queries), func(s *policy.Situation, i int) { s.Queries = queries[i] })
	vary("elapsed", len(spans), func(s *policy.Situation, i int) { s.Elapsed = spans[i] })
	hours, days := 24, 7
	vary("hour", hours, func(s *policy.Situation, i int) { s.At = s.At.Add(time.Duration(i) * time.Hour) })
	vary("weekday", days, func(s *policy.Situation, i int) { s.At = s.At.AddDate(0, 0, i) })
	return all
}

// upTo returns the numbers that a count with a limit can be.
func upTo(limit int, all []int64) []int {
	var list []int
	for _, n := range all {
		if n <= int64(limit) {
			list = append(list, int(n))
		}
	}
	return list
}

// each calls a function with every answer of a phase: each fault, code, sub-code, status and HTTP status that
// the catalogue or a rule names, in every combination, and one of each that neither does.
func (w *World) each(ph policy.Phase, f func(policy.Answer)) {
	codes, subCodes, statuses := w.listed(ph)
	waits := []time.Duration{0}
	if w.texts.mentions["retry_after"] {
		waits = w.texts.durations()
	}
	messages := []string{""}
	if w.texts.mentions["message"] {
		messages = append([]string{"", "neither"}, w.texts.strings...)
	}
	for _, http := range w.httpStatuses() {
		for _, wait := range waits {
			for _, message := range messages {
				a := policy.Answer{Phase: ph, HTTPStatus: http, RetryAfter: wait, Message: message}
				eachFault(a, f)
				for _, st := range statuses {
					a.Status, a.SubStatus = st[0], st[1]
					w.eachCode(a, codes, subCodes, f)
				}
			}
		}
	}
}

// eachCode calls a function with an answer under every code and sub-code.
func (w *World) eachCode(a policy.Answer, codes, subCodes []string, f func(policy.Answer)) {
	large := w.large()
	for _, a.Code = range codes {
		for _, a.SubCode = range subCodes {
			if !large || a.SubCode == "" || w.explains(a.Code) {
				f(a)
			}
		}
	}
}

// eachFault calls a function with every fault of a call, under the HTTP status of an answer.
func eachFault(a policy.Answer, f func(policy.Answer)) {
	if a.Phase == policy.Webhook {
		return
	}
	for _, fault := range policy.All[policy.Fault]() {
		if fault != policy.NotSent || a.Phase == policy.Query && a.HTTPStatus == 0 {
			a.Fault = fault
			f(a)
		}
	}
}

// large reports whether the catalogue has too many codes for every combination. Then a sub-code stands only beside a
// code that explains nothing, and a sub-status beside its own status.
func (w *World) large() bool { return len(w.catalog.Codes)+len(w.catalog.Statuses) > 20 }

func (w *World) explains(code string) bool {
	return code == "" || code == unlisted || w.catalog.IsEnvelope(code) || slices.Contains(w.texts.strings, code)
}

func (w *World) listsStatus(name, sub string) bool {
	for _, r := range w.catalog.Statuses {
		if r.Status == name && r.SubStatus == sub {
			return true
		}
	}
	return slices.Contains(w.texts.strings, sub)
}

// looksInto are the words of conditions that look into a text, and do not only compare it.
var looksInto = []string{"startsWith", "endsWith", "contains", "matches", "len", "upper", "lower", "trim"}

// seen is what conditions can see of an answer, as far as their text shows it. Of the answers that prove the same and
// look the same, one is kept.
func (w *World) seen(a policy.Answer) policy.Answer {
	into := slices.ContainsFunc(looksInto, func(word string) bool { return w.texts.mentions[word] })
	for name, field := range map[string]*string{"code": &a.Code, "sub_code": &a.SubCode, "status": &a.Status, "sub_status": &a.SubStatus} {
		switch {
		case !w.texts.mentions[name]:
			*field = ""
		case !into && *field != "" && !slices.Contains(w.texts.strings, *field):
			*field = unlisted
		}
	}
	if !w.texts.mentions["http_status"] {
		a.HTTPStatus = 0
	}
	return a
}

// unlisted is a text that neither catalogues nor rules have.
const unlisted = "zz-not-listed"

// listed returns the codes, sub-codes and statuses of answers, the empty ones and an unlisted one with them.
func (w *World) listed(ph policy.Phase) (codes, subCodes []string, statuses [][2]string) {
	codes = []string{"", unlisted}
	for _, r := range w.catalog.Codes {
		codes = append(codes, r.Code)
	}
	wide := func(name string) []string {
		if w.texts.mentions[name] {
			return w.texts.strings
		}
		return nil
	}
	codes = append(codes, wide("code")...)
	subCodes = []string{""}
	if w.catalog.SaysSubCode(w.payment.Operation, ph) {
		subCodes = append(append(slices.Clone(codes), w.texts.strings...), unlisted)
	}
	statuses = [][2]string{{"", ""}}
	if len(w.catalog.Statuses) > 0 || w.texts.mentions["status"] || w.texts.mentions["sub_status"] {
		subs := append([]string{"", unlisted}, wide("sub_status")...)
		names := append([]string{unlisted}, wide("status")...)
		for _, r := range w.catalog.Statuses {
			subs, names = append(subs, r.SubStatus), append(names, r.Status)
		}
		for _, name := range distinct(names) {
			for _, sub := range distinct(subs) {
				if !w.large() || sub == "" || sub == unlisted || w.listsStatus(name, sub) {
					statuses = append(statuses, [2]string{name, sub})
				}
			}
		}
	}
	return distinct(codes), distinct(subCodes), statuses
}

func distinct(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// httpStatuses returns the HTTP statuses between which the catalogue or a rule can change its mind.
func (w *World) httpStatuses() []int {
	list := []int{0, 200, 400, 429, 500}
	if w.texts.mentions["http_status"] {
		for _, n := range w.texts.around("http_status", 0) {
			if n < 1000 {
				list = append(list, int(n))
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

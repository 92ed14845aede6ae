package ruletest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

// deciding writes a test in which a rule decides; empty when none was found.
func (s *search) deciding(f *rules.File, r *rules.Rule) string {
	likely := func(sit *policy.Situation) bool { return s.e.Decide(sit).Rule == r.ID }
	return s.first(f, r, likely, func(a *advice.Advice) bool {
		return a.Decided.Decision.Rule == r.ID && a.Decided.Decision.Source == r.Source()
	}, r.ID+" decides")
}

// holding writes a test in which a comparison of a rule holds, or does not.
func (s *search) holding(f *rules.File, l *ruleset.Leaves, leaf int, value bool) string {
	held := make([]bool, len(l.List))
	name := fmt.Sprintf("%s: %s is %t", l.Rule.ID, l.List[leaf].Text, value)
	likely := func(sit *policy.Situation) bool {
		l.Hold(s.e, sit, held)
		return held[leaf] == value
	}
	return s.first(f, l.Rule, likely, func(a *advice.Advice) bool {
		l.Hold(s.e, &a.Situation, held)
		return held[leaf] == value
	}, name)
}

// first writes the first question that fits as a test, one that the rules need not be
// corrected for if there is such a one.
func (s *search) first(f *rules.File, r *rules.Rule, likely func(*policy.Situation) bool, fits func(*advice.Advice) bool, name string) string {
	l := newFilter([]string{r.When})
	found := ""
	s.walk(f, r.ID, l, func(*sample) bool { return true }, func(x *sample, q *advice.Question) bool {
		sit := situationOf(x, q)
		if !likely(&sit) {
			return false
		}
		a, err := advice.Ask(s.e, q)
		if err != nil || a.Decided.Verdict.Property != "" || !fits(a) {
			return false
		}
		found = s.passing(paste(s.e, q, name))
		return found != ""
	})
	return found
}

// passing returns a text whose tests all pass; else nothing.
func (s *search) passing(text string) string {
	suites, err := Read(s.e, []File{{Name: "paste" + Suffix, Data: []byte(text)}})
	if err != nil {
		return ""
	}
	for _, suite := range suites {
		for _, c := range suite.Cases {
			if r := c.Run(s.e); !r.Passed() {
				return ""
			}
		}
	}
	return text
}

// tables writes tests of the codes and statuses that no test has, a table for each operation
// and phase that the catalogue speaks of first. They say what the rules do now: look at them
// before you sign.
func tables(e *ruleset.Engine, provider string, missing []string) string {
	cat, err := e.Catalogs.Get(provider)
	if err != nil {
		return ""
	}
	type place struct {
		op      policy.Operation
		ph      policy.Phase
		columns string // where the status is a code's name as well, so that a column has to say which is meant
	}
	rows := map[place][]string{}
	var order []place
	for _, row := range append(slices.Clone(cat.Codes), cat.Statuses...) {
		name := row.Code
		if name == "" {
			name = statusName(row.Status, row.SubStatus)
		}
		if len(row.Facts) == 0 || !contains(missing, name) {
			continue
		}
		missing = slices.DeleteFunc(slices.Clone(missing), func(m string) bool { return m == name })
		at := place{row.Facts[0].Operation, row.Facts[0].Phase, columnsFor(cat, row)}
		if rows[at] == nil {
			order = append(order, at)
		}
		rows[at] = append(rows[at], tableRow(e, provider, at.op, at.ph, row, at.columns != ""))
	}
	var out strings.Builder
	for _, at := range order {
		verified := ""
		if at.ph == policy.Webhook {
			verified = ", verified = true"
		}
		fmt.Fprintf(&out, "[[each]]\ngiven = { provider = %q, operation = %q, phase = %q%s }\n%scases = [\n%s]\n\n",
			provider, at.op, at.ph, verified, at.columns, strings.Join(rows[at], ""))
	}
	return (&search{e: e}).passing(strings.TrimRight(out.String(), "\n") + "\n")
}

// columnsFor names the columns of a row whose status is a code's name as well; else there is no need.
func columnsFor(cat *providers.Catalog, row *providers.Row) string {
	switch {
	case row.Code != "" || !cat.HasCode(row.Status) && !cat.HasCode(row.SubStatus):
		return ""
	case row.SubStatus == "":
		return "columns = [\"status\", \"action\", \"rule\"]\n"
	}
	return "columns = [\"status\", \"sub_status\", \"action\", \"rule\"]\n"
}

func tableRow(e *ruleset.Engine, provider string, op policy.Operation, ph policy.Phase, row *providers.Row, named bool) string {
	said := strings.TrimPrefix(statusName(row.Status, row.SubStatus), "status ")
	q := advice.Question{
		Provider: provider, Operation: &op, Phase: ph, Verified: ph == policy.Webhook, Code: advice.Scalar(row.Code),
		Status: advice.Scalar(row.Status), SubStatus: advice.Scalar(row.SubStatus),
	}
	if said == "" {
		said = row.Code
	}
	a, err := advice.Ask(e, &q)
	if err != nil {
		return ""
	}
	if named {
		said = row.Status
	}
	if named && row.SubStatus != "" {
		return fmt.Sprintf("  [%s, %s, %s, %s],\n", quote(row.Status), quote(row.SubStatus), quote(got("action", a)), quote(got("rule", a)))
	}
	return fmt.Sprintf("  [%s, %s, %s],\n", quote(said), quote(got("action", a)), quote(got("rule", a)))
}

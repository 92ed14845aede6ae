package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// Kind is what is wrong with a payment.
type Kind string

// The kinds, the gravest first. S1, S2 and S3 are the properties that they break.
const (
	ChargedTwice          Kind = "charged_twice"                 // S1
	MayBeChargedTwice     Kind = "may_be_charged_twice"          // S1
	FailedThoughExecuted  Kind = "failed_though_executed"        // S2
	FailedInDoubt         Kind = "failed_in_doubt"               // S2: it may have executed
	SucceededThoughNot    Kind = "succeeded_though_not_executed" // S3
	SucceededWithoutProof Kind = "succeeded_without_proof"       // S3
	PaidAnotherAmount     Kind = "paid_another_amount"           // S3
	LeftOpen              Kind = "left_open"
)

var kinds = []Kind{ChargedTwice, MayBeChargedTwice, FailedThoughExecuted, FailedInDoubt, SucceededThoughNot, SucceededWithoutProof, PaidAnotherAmount, LeftOpen}

// Report is what an audit found. docs/audit.md describes its JSON form.
type Report struct {
	V           int            `json:"v"`
	Files       int            `json:"files"`
	Lines       int            `json:"lines"`
	BrokenLines int            `json:"broken_lines"`
	Duplicates  int            `json:"duplicates"` // lines that were there already
	Payments    int            `json:"payments"`   // that were judged
	Incomplete  int            `json:"incomplete"` // without a send: not judged
	Running     int            `json:"running"`    // not at their end when the traffic stops: not open yet
	Reconciled  int            `json:"reconciled"` // with a truth
	Lacks       []policy.Count `json:"lacks"`
	UnknownKeys []policy.Count `json:"unknown_keys"`
	Totals      []Total        `json:"totals"`
	Findings    []*Finding     `json:"findings"` // as many as were asked for, the gravest first
}

// Total is the findings of one kind.
type Total struct {
	Kind    Kind    `json:"kind"`
	Certain bool    `json:"certain"`
	Count   int     `json:"count"`
	Money   []Money `json:"money"`
}

// Money is a sum in the minor units of a currency.
type Money struct {
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
}

// Finding is a payment with which something is wrong.
type Finding struct {
	Kind    Kind           `json:"kind"`
	Certain bool           `json:"certain"`
	Flow    string         `json:"flow"`
	Payment policy.Payment `json:"payment"`
	Amount  int64          `json:"amount"` // at risk, in minor units
	Story   []Step         `json:"story"`
	Rule    Rule           `json:"rule"`

	cause int // the event that is the mistake; -1: none
}

// Step is a line of a story.
type Step struct {
	At      time.Time `json:"at"`
	Source  string    `json:"source"` // FILE:LINE
	What    string    `json:"what"`
	Proves  string    `json:"proves,omitempty"`
	Mistake bool      `json:"mistake,omitempty"`
}

// Rule is what would have been decided instead.
type Rule struct {
	ID     string `json:"id,omitempty"`
	Source string `json:"source,omitempty"`
	Action string `json:"action"`
	Reason string `json:"reason"`
	After  string `json:"after,omitempty"` // the line with the answer that it would have met
}

// step is an event for people.
func (e *event) step(mistake bool) Step {
	s := Step{At: e.at, Source: fmt.Sprintf("%s:%d", e.file, e.line), Mistake: mistake}
	parts := []string{e.phase.String()}
	for _, x := range [][2]string{{"order", e.order}, {"request", e.request}} {
		if x[1] != "" {
			parts = append(parts, x[0]+" "+x[1])
		}
	}
	switch e.phase {
	case recorded.End:
		parts = append(parts, e.outcome.String())
	case recorded.Truth:
	default:
		a := &e.answer
		for _, text := range []string{a.Status, a.SubStatus, a.Code, a.SubCode} {
			if text != "" {
				parts = append(parts, text)
			}
		}
		if a.Fault != policy.NoFault {
			parts = append(parts, a.Fault.String())
		}
		if e.phase == recorded.Webhook && !a.Verified {
			parts = append(parts, "not verified")
		}
		s.Proves = e.fact.Effect.String()
	}
	s.What = strings.Join(parts, " ")
	return s
}

// add counts a payment.
func (r *Report) add(o *Options, f *Finding, p *payment, running bool) {
	if !slices.ContainsFunc(p.events, func(e event) bool { return e.phase == recorded.Send }) {
		r.Incomplete++
		return
	}
	r.Payments++
	if len(p.truths) > 0 {
		r.Reconciled++
	}
	if f == nil {
		return
	}
	if f.Kind == LeftOpen && running {
		r.Running++
		return
	}
	if o.Found != nil {
		o.Found(f)
	}
	i := slices.IndexFunc(r.Totals, func(t Total) bool { return t.Kind == f.Kind })
	if i < 0 {
		r.Totals = append(r.Totals, Total{Kind: f.Kind, Certain: f.Certain})
		i = len(r.Totals) - 1
	}
	t := &r.Totals[i]
	t.Count++
	r.keep(f, o.Stories)
	if f.Amount == 0 {
		return // a cancel names none, and a sum of nothing says nothing
	}
	k := slices.IndexFunc(t.Money, func(m Money) bool { return m.Currency == f.Payment.Currency })
	if k < 0 {
		t.Money = append(t.Money, Money{Currency: f.Payment.Currency})
		k = len(t.Money) - 1
	}
	t.Money[k].Amount += f.Amount
}

// keep keeps the gravest findings, by kind and amount.
func (r *Report) keep(f *Finding, most int) {
	graver := func(a, b *Finding) int {
		return cmp.Or(slices.Index(kinds, a.Kind)-slices.Index(kinds, b.Kind), cmp.Compare(b.Amount, a.Amount), cmp.Compare(a.Flow, b.Flow))
	}
	at, _ := slices.BinarySearchFunc(r.Findings, f, graver)
	if at >= most {
		return
	}
	r.Findings = slices.Insert(r.Findings, at, f)
	if len(r.Findings) > most {
		r.Findings = r.Findings[:most]
	}
}

func (r *Report) finish(lacks, others map[string]int) {
	slices.SortFunc(r.Totals, func(a, b Total) int { return slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind) })
	for i := range r.Totals {
		slices.SortFunc(r.Totals[i].Money, func(a, b Money) int { return cmp.Compare(a.Currency, b.Currency) })
	}
	r.Lacks, r.UnknownKeys = counted(lacks), counted(others)
}

func counted(all map[string]int) []policy.Count {
	list := []policy.Count{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, policy.Count{Name: name, N: all[name]})
	}
	return list
}

// Holds reports whether nothing was found.
func (r *Report) Holds() bool { return len(r.Totals) == 0 }

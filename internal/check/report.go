package check

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/internal/space"
)

// Version is that of the report's JSON form, described in docs/check.md.
const Version = 2

// Severity says how bad a finding is.
type Severity string

// The severities. An error is a rule that cannot do what it was written for. A warning is most
// likely one. A note is worth knowing and may be intended.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Kind names the type of a finding.
type Kind string

// The kinds.
const (
	Contradiction  Kind = "contradiction"   // the condition contradicts itself
	Dead           Kind = "dead"            // earlier rules cover the rule wherever it is tried
	Unreachable    Kind = "unreachable"     // no answer of the catalogues comes to the rule
	Shadowed       Kind = "shadowed"        // another layer covers the rule for some merchants or providers
	PartlyDead     Kind = "partly-dead"     // an item of a list never counts
	Constant       Kind = "constant"        // a part is always true, or always false, where it counts
	OutOfRange     Kind = "out-of-range"    // a comparison with a value that a variable never has
	Overlap        Kind = "overlap"         // two rules of a layer decide some inputs differently
	NoRule         Kind = "no-rule"         // answers that no rule decides
	NearDuplicate  Kind = "near-duplicate"  // two names that look like one
	Limits         Kind = "limits"          // the rule needs more than the flow's limits allow
	Ceiling        Kind = "ceiling"         // more re-attempts than a card scheme allows
	Window         Kind = "window"          // a wait that outlives what the provider promises
	AmountCurrency Kind = "amount-currency" // an amount compared without its currency
	Evidence       Kind = "evidence"        // an answer about something else would be evidence
	WeakSignature  Kind = "weak-signature"  // a catalogue's signature can be forged
	TooComplex     Kind = "too-complex"     // the rule is too complex to analyse
	OpaquePart     Kind = "opaque"          // a part that cannot be analysed; it counts as both true and false
)

// Place is the rule, or the other part of a file, that a finding is about.
type Place struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"` // in runes, from 1; 0: the whole line
	Rule   string `json:"rule,omitempty"`
}

// String returns FILE:LINE:COLUMN, as far as known.
func (p Place) String() string {
	return source.Pos{File: p.File, Line: p.Line, Column: p.Column}.String()
}

// Finding is one thing that is wrong, or worth knowing.
type Finding struct {
	Kind     Kind     `json:"kind"`
	Severity Severity `json:"severity"`
	Place
	Message   string         `json:"message"`
	Providers []string       `json:"providers,omitempty"` // where it is so; empty: wherever the rule is tried
	Merchants []string       `json:"merchants,omitempty"` // "" stands for those without a file
	Related   []Place        `json:"related,omitempty"`   // the other rules that the message names
	Witness   *space.Witness `json:"witness,omitempty"`   // an input that shows it, as the engine decided it
}

// Report is everything that was found.
type Report struct {
	Version   int       `json:"version"`
	Rules     int       `json:"rules"`
	Merchants int       `json:"merchants"` // with a file
	Providers int       `json:"providers"`
	RuleLists int       `json:"rule_lists"` // of each merchant with a file, and of all others, at each provider that it uses
	Errors    int       `json:"errors"`
	Warnings  int       `json:"warnings"`
	Notes     int       `json:"notes"`
	Complete  bool      `json:"complete"` // false: interrupted, or something was too complex
	Findings  []Finding `json:"findings"`
}

// Holds reports whether there are no errors and, with strict, no warnings either.
func (r *Report) Holds(strict bool) bool { return r.Errors == 0 && (!strict || r.Warnings == 0) }

func (r *Report) add(f Finding) { r.Findings = append(r.Findings, f) }

// finish sorts by place and counts.
func (r *Report) finish() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Message, b.Message))
	})
	r.Findings = slices.CompactFunc(r.Findings, func(a, b Finding) bool {
		return a.Place == b.Place && a.Kind == b.Kind && a.Message == b.Message
	})
	for _, f := range r.Findings {
		switch f.Severity {
		case Error:
			r.Errors++
		case Warning:
			r.Warnings++
		case Note:
			r.Notes++
		}
		r.Complete = r.Complete && f.Kind != TooComplex
	}
}

// several joins names: "a", "a and b", "a, b and 37 more".
func several(names []string) string {
	switch n := len(names); {
	case n == 0:
		return ""
	case n == 1:
		return names[0]
	case n == 2:
		return names[0] + " and " + names[1]
	case n == 3:
		return names[0] + ", " + names[1] + " and " + names[2]
	default:
		return fmt.Sprintf("%s, %s and %d more", names[0], names[1], n-2)
	}
}

// Witness is an input that shows a finding; see its fields' JSON in docs/check.md.
type Witness = space.Witness

package diff

import (
	"cmp"
	"slices"

	"github.com/recourse-pay/recourse/policy"
)

// Version is that of the report's JSON form, described in docs/check.md.
const Version = 1

// Side is what one set of rules decides.
type Side struct {
	Action   policy.Action `json:"action"`
	Rule     string        `json:"rule,omitempty"`   // empty: no rule holds
	Source   string        `json:"source,omitempty"` // FILE:LINE
	Schedule string        `json:"schedule,omitempty"`
	Waits    string        `json:"waits,omitempty"` // "2s -> 4s -> …"
}

// Answers are those of one operation and phase that a change is about.
type Answers struct {
	Operation policy.Operation `json:"operation"`
	Phase     policy.Phase     `json:"phase"`
	What      []string         `json:"what"` // "code 40, 41", "fault timeout", …
}

// Change is situations whose decision is another one, in the same direction of risk.
type Change struct {
	Name      string     `json:"name"` // for --allow; stays the same while the rules keep their ids
	Risk      Risk       `json:"risk"`
	Allowed   bool       `json:"allowed,omitempty"`
	Money     string     `json:"money"` // what is known of the money there, such as "in doubt"
	Provider  string     `json:"provider"`
	Merchants []string   `json:"merchants"` // "" stands for all without a file
	Before    Side       `json:"before"`
	After     Side       `json:"after"`
	Regions   [][]string `json:"regions"` // each a box: every line of it holds
	Opaque    []string   `json:"opaque,omitempty"`
	Answers   []Answers  `json:"answers,omitempty"` // the answers that lead to it
	Witness   *Witness   `json:"witness,omitempty"` // decided by both engines

	// FactBefore and FactAfter are set for a change that comes from the catalogue.
	FactBefore *policy.Fact `json:"fact_before,omitempty"`
	FactAfter  *policy.Fact `json:"fact_after,omitempty"`
}

// Term is a limit, a line of the contract, or something else around the rules that changed.
type Term struct {
	Name       string   `json:"name"` // PROVIDER/limits.max_attempts
	Risk       Risk     `json:"risk"`
	Allowed    bool     `json:"allowed,omitempty"`
	Provider   string   `json:"provider"`
	Operations []string `json:"operations,omitempty"`
	Merchants  []string `json:"merchants"`
	What       string   `json:"what"`
	Before     string   `json:"before"`
	After      string   `json:"after"`
}

// Fact is a change of what answers prove.
type Fact struct {
	Name      string           `json:"name"` // PROVIDER/facts/OPERATION/PHASE
	Risk      Risk             `json:"risk"`
	Allowed   bool             `json:"allowed,omitempty"`
	Provider  string           `json:"provider"`
	Operation policy.Operation `json:"operation"`
	Phase     policy.Phase     `json:"phase"`
	What      []string         `json:"what"`
	Before    policy.Fact      `json:"before"`
	After     policy.Fact      `json:"after"`
}

// Report is everything that changes.
type Report struct {
	Version  int      `json:"version"`
	Riskier  int      `json:"riskier"` // not counting what was allowed
	Safer    int      `json:"safer"`
	Other    int      `json:"other"`
	Allowed  int      `json:"allowed"`
	Complete bool     `json:"complete"` // false: interrupted, or something was too complex
	Unknown  []string `json:"unknown,omitempty"`
	Changes  []Change `json:"changes"`
	Facts    []Fact   `json:"facts"`
	Terms    []Term   `json:"terms"`

	// Unused are allowed names that no change has.
	Unused []string `json:"unused_allow,omitempty"`
}

// Holds reports whether every riskier change was allowed and everything was compared.
func (r *Report) Holds() bool { return r.Riskier == 0 && r.Complete }

var order = map[Risk]int{Riskier: 0, Safer: 1, Other: 2}

// finish sorts the changes, the riskiest first, and counts them.
func (r *Report) finish(allow []string) {
	slices.SortStableFunc(r.Changes, func(a, b Change) int {
		return cmp.Or(order[a.Risk]-order[b.Risk], cmp.Compare(a.Name, b.Name), cmp.Compare(a.Money, b.Money), slices.Compare(a.Merchants, b.Merchants))
	})
	slices.SortStableFunc(r.Facts, func(a, b Fact) int {
		return cmp.Or(order[a.Risk]-order[b.Risk], cmp.Compare(a.Name, b.Name), slices.Compare(a.What, b.What))
	})
	slices.SortStableFunc(r.Terms, func(a, b Term) int {
		return cmp.Or(order[a.Risk]-order[b.Risk], cmp.Compare(a.Name, b.Name), slices.Compare(a.Merchants, b.Merchants))
	})
	used := map[string]bool{}
	one := func(name string, risk Risk, allowed *bool) {
		if *allowed = risk == Riskier && slices.Contains(allow, name); *allowed {
			r.Allowed++
			used[name] = true
			return
		}
		switch risk {
		case Riskier:
			r.Riskier++
		case Safer:
			r.Safer++
		case Other:
			r.Other++
		}
	}
	for i := range r.Changes {
		one(r.Changes[i].Name, r.Changes[i].Risk, &r.Changes[i].Allowed)
	}
	for i := range r.Facts {
		one(r.Facts[i].Name, r.Facts[i].Risk, &r.Facts[i].Allowed)
	}
	for i := range r.Terms {
		one(r.Terms[i].Name, r.Terms[i].Risk, &r.Terms[i].Allowed)
	}
	for _, name := range allow {
		if !used[name] {
			r.Unused = append(r.Unused, name)
		}
	}
}

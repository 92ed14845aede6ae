package rules

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/recourse-pay/recourse/internal/contract"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// Rule is one [[rule]] of a file.
type Rule struct {
	ID       string
	When     string // an expr condition
	Then     policy.Action
	Schedule string // name of a schedule; empty: the action's own
	Reason   string
	Pos      policy.Position // of the [[rule]]

	when        source.Text // When as it stands in the file
	schedulePos policy.Position
	behind      bool // another rule begins on its line
}

// Source is FILE:LINE of the rule. It names one rule: of several on one line, all behind the first have FILE:LINE:COLUMN.
func (r *Rule) Source() string {
	at := fmt.Sprintf("%s:%d", r.Pos.File, r.Pos.Line)
	if r.behind {
		at = fmt.Sprintf("%s:%d", at, r.Pos.Column)
	}
	return at
}

// WhenAt is the place of a rune of the condition. A condition that did not come from a file
// as it is now has the place of its rule.
func (r *Rule) WhenAt(index int) policy.Position {
	if r.when.Value != r.When {
		return r.Pos
	}
	return r.when.At(index)
}

// File is one layer.
type File struct {
	Name      string // as it is shown in messages
	Path      string // in the folder, slash-separated
	Text      []byte // what was read; not to be written to
	Provider  string // of a provider's layer
	Merchant  string // of a merchant's layer
	Timezone  *time.Location
	Rules     []*Rule
	Schedules map[string]*policy.Schedule
	Disable   []Disabled

	// Providers are those that a merchant uses, of [merchant] in its file; empty: all.
	Providers    []string
	providersPos []policy.Position

	// Contract lines of a merchant, which holds for all its providers.
	IdempotentKey    bool
	IdempotentKeyPos policy.Position
	contract         func(op policy.Operation, c *policy.Contract)
	said             map[policy.Operation]contract.Said // where each line of it stands

	// Deployments are where a merchant meets a provider that has several, by provider.
	Deployments    map[string]string
	deploymentsPos map[string]policy.Position

	limits  policy.Limits // zero fields are not set
	perOp   map[policy.Operation]policy.Limits
	builtin bool // an embedded default

	providerPos, merchantPos, contractPos, usesPos policy.Position
}

// ProviderPos is where the i-th of the Providers stands.
func (f *File) ProviderPos(i int) policy.Position {
	if i < len(f.providersPos) {
		return f.providersPos[i]
	}
	return f.usesPos
}

// DeploymentPos is where the deployment of a provider stands.
func (f *File) DeploymentPos(provider string) policy.Position { return f.deploymentsPos[provider] }

// Builtin reports whether the file is an embedded default that nothing replaced.
func (f *File) Builtin() bool { return f.builtin }

// Disabled is a rule id of a lower layer that a merchant does without.
type Disabled struct {
	ID  string
	Pos policy.Position
}

// Set is every file that is known.
type Set struct {
	Baseline  *File
	Providers map[string]*File
	Merchants map[string]*File
}

// MerchantNames lists the merchants that have a file, in the order of the alphabet.
func (s *Set) MerchantNames() []string {
	names := make([]string, 0, len(s.Merchants))
	for n := range s.Merchants {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Files lists every file: merchants', providers', the baseline.
func (s *Set) Files() []*File {
	var all []*File
	for _, name := range s.MerchantNames() {
		all = append(all, s.Merchants[name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.Providers)) {
		all = append(all, s.Providers[name])
	}
	if s.Baseline != nil {
		all = append(all, s.Baseline)
	}
	return all
}

// Uses reports whether a merchant's payments go to a provider: any merchant's do, but for one
// whose file lists other providers.
func (s *Set) Uses(merchant, provider string) bool {
	f := s.Merchants[merchant]
	return f == nil || len(f.Providers) == 0 || slices.Contains(f.Providers, provider)
}

// Layers are the files that speak for one merchant at one provider, first the one
// that wins. Either may be unknown or empty.
type Layers []*File

// Layers returns the files that speak for a merchant's payments at a provider.
func (s *Set) Layers(provider, merchant string) Layers {
	var l Layers
	if f := s.Merchants[merchant]; f != nil {
		l = append(l, f)
	}
	if f := s.Providers[provider]; f != nil {
		l = append(l, f)
	}
	if s.Baseline != nil {
		l = append(l, s.Baseline)
	}
	return l
}

// Rules lists the layers' rules in their order, without the disabled ones.
func (l Layers) Rules() []*Rule {
	disabled := map[string]bool{}
	var all []*Rule
	for _, f := range l {
		for _, r := range f.Rules {
			if !disabled[r.ID] {
				all = append(all, r)
			}
		}
		for _, d := range f.Disable {
			disabled[d.ID] = true
		}
	}
	return all
}

// Schedule finds a schedule by name: the first layer that has it wins.
func (l Layers) Schedule(name string) *policy.Schedule {
	for _, f := range l {
		if s := f.Schedules[name]; s != nil {
			return s
		}
	}
	return nil
}

// Limits joins the layers' limits for an operation, field by field: the first layer
// that sets one wins, and within a layer the operation's own line.
func (l Layers) Limits(op policy.Operation) policy.Limits {
	var lim policy.Limits
	for _, f := range l {
		fill(&lim, f.perOp[op])
		fill(&lim, f.limits)
	}
	fill(&lim, policy.Limits{MaxAttempts: 3, MaxQueries: 40, MaxElapsed: 26 * time.Hour, MaxRetryAfter: time.Hour})
	return lim
}

func fill(to *policy.Limits, from policy.Limits) {
	if to.MaxAttempts == 0 {
		to.MaxAttempts = from.MaxAttempts
	}
	if to.MaxQueries == 0 {
		to.MaxQueries = from.MaxQueries
	}
	if to.MaxElapsed == 0 {
		to.MaxElapsed = from.MaxElapsed
	}
	if to.MaxRetryAfter == 0 {
		to.MaxRetryAfter = from.MaxRetryAfter
	}
}

// ApplyContract writes the merchant's contract lines, if any, over c.
func (l Layers) ApplyContract(op policy.Operation, c *policy.Contract) {
	for i := len(l) - 1; i >= 0; i-- {
		if l[i].contract != nil {
			l[i].contract(op, c)
		}
	}
}

// ContractAt returns the place of a contract's line for an operation, in the first layer that has it; else the zero place.
func (l Layers) ContractAt(op policy.Operation, key string) policy.Position {
	for _, f := range l {
		if at := f.said[op].At(key); at.Line > 0 {
			return at
		}
	}
	return policy.Position{}
}

// CheckContract reports each line of the layers that another one, or one of the catalogue, denies. C is what they come to together, and
// promised the place of each line of the catalogue.
func (l Layers) CheckContract(op policy.Operation, c *policy.Contract, promised func(key string) policy.Position, report func(at policy.Position, text string)) {
	said := contract.Of(promised)
	for i := len(l) - 1; i >= 0; i-- {
		said = l[i].said[op].Over(said)
	}
	contract.Contradictions(c, said, true, report)
}

// ContractKeys are the lines of the file's contract for an operation.
func (f *File) ContractKeys(op policy.Operation) []string { return f.said[op].Keys() }

// Deployment returns where a merchant meets a provider; empty: its file does not say so.
func (s *Set) Deployment(merchant, provider string) string {
	if f := s.Merchants[merchant]; f != nil {
		return f.Deployments[provider]
	}
	return ""
}

// IdempotentKey reports whether the merchant's client sends the provider's optional
// idempotency key.
func (l Layers) IdempotentKey() bool {
	for _, f := range l {
		if f.IdempotentKey {
			return true
		}
	}
	return false
}

// Timezone is where hour and weekday are read; UTC unless a layer says otherwise.
func (l Layers) Timezone() *time.Location {
	for _, f := range l {
		if f.Timezone != nil {
			return f.Timezone
		}
	}
	return time.UTC
}

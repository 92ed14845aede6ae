package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

// Options selects what is verified, and how. The zero value verifies everything.
type Options struct {
	Providers  []string           // empty: every provider
	Merchants  []string           // empty: each with a file, less the shipped ones whose rules no file of the folder changes; and "" for every other
	Operations []policy.Operation // empty: every operation that the provider offers

	// DistrustInferred treats a fact as unknown if it is inferred and not documented.
	DistrustInferred bool

	// MaxStates bounds the states of one product; 0 means DefaultMaxStates. A product with more
	// states is not proved.
	MaxStates int
	Workers   int // 0: one for each processor

	// VerdictOnly leaves out the stories and the proposed changes, which take far longer than the verdict.
	VerdictOnly bool

	// FirstOnly ends the work on a product, with VerdictOnly, at the first violation: whether it holds is the same.
	FirstOnly bool

	// Known supplies proofs of earlier runs and stores new ones. Nil: everything is proved again.
	Known *Known

	// Certificate is called with each part of the certificate of what is proved. It may be nil, and is called from several goroutines.
	Certificate func(*certificate.Product)

	// Considered is called with each search that found nothing; it may be nil. It is called from several goroutines.
	Considered func(*Considered)

	mostCertified int // states of a product's certificate; 0: the constant of this name

	// Progress is called after each product, one call at a time. It may be nil.
	Progress func(done, total int)
}

// DefaultMaxStates bounds one product's search. In the worst case the search takes about a
// gigabyte.
const DefaultMaxStates = 400_000

// Version is the version of [Report] as JSON.
const Version = 1

// Report is the result. It is printed as JSON as it stands.
type Report struct {
	V           int       `json:"v"`
	Holds       bool      `json:"holds"`                 // every product holds
	Interrupted bool      `json:"interrupted,omitempty"` // the search was stopped; the listed products are complete
	Products    []Product `json:"products"`
}

// Product is one operation of one provider under the rules of merchants with equal rules.
type Product struct {
	Provider  string           `json:"provider"`
	Operation policy.Operation `json:"operation"`
	Merchants []string         `json:"merchants"` // "" is every merchant without a file
	Holds     bool             `json:"holds"`
	Known     bool             `json:"known,omitempty"`  // proved before, by this program on the same input
	Within    bool             `json:"within,omitempty"` // proved before of rules that decide all that these do; the search was theirs
	Covered   Covered          `json:"covered"`

	Assumptions []Assumption `json:"assumptions"`      // that the verdict rests on
	Opaque      []string     `json:"opaque,omitempty"` // conditions that count as true and as false
	Unfinished  string       `json:"unfinished,omitempty"`
	Violations  []Violation  `json:"violations,omitempty"`

	needs []need
}

// Covered says how much was visited.
type Covered struct {
	Payments int  `json:"payments"` // kinds of payments: capture modes, currencies, amounts
	States   int  `json:"states"`
	Steps    int  `json:"steps"`
	Depth    int  `json:"depth"`             // steps of the longest path to a new state
	Codes    int  `json:"codes"`             // codes and statuses of the catalogue
	Answers  int  `json:"answers"`           // groups of all answers, by what they prove
	Classes  int  `json:"classes"`           // of groups that no rule distinguishes
	Together int  `json:"together"`          // products that were proved by the same search; states and steps are the search's
	Counted  bool `json:"counted,omitempty"` // sends, queries and firings had to be counted
	Shared   bool `json:"shared,omitempty"`  // an earlier product of the report has the same search
	Facts    int  `json:"facts"`             // settled or pending facts of the catalogue for this operation
	Inferred int  `json:"inferred"`          // of those, how many rest on inference
}

// Violation is a property that does not hold, with the shortest trace that violates it.
type Violation struct {
	Property flow.Property `json:"property"`
	Rule     string        `json:"rule,omitempty"`   // the id of the rule that is at fault
	Source   string        `json:"source,omitempty"` // FILE:LINE of it
	Wanted   string        `json:"wanted,omitempty"` // the action that the interlock forbids
	Why      string        `json:"why"`
	// Harm is the property that breaks without the interlock: S1, S2 or S3. It is empty when
	// the trace ends with the interlock's correction.
	Harm flow.Property `json:"harm,omitempty"`
	// Replayed: the real rules and machine, with the schedules' own waits, repeated the trace.
	Replayed bool   `json:"replayed"`
	Story    []Step `json:"story"`
	Fix      string `json:"fix,omitempty"` // the smallest change found that removes it

	cause    *finding
	payment  policy.Payment
	trace    trace
	replayed []replayedStep
}

// Step is one step of a trace in words.
type Step struct {
	At       string   `json:"at,omitempty"` // since the start; empty when the replay failed
	Happens  string   `json:"happens"`
	Decision string   `json:"decision,omitempty"` // what the rules decided
	Rule     string   `json:"rule,omitempty"`
	Source   string   `json:"source,omitempty"`
	Does     []string `json:"does,omitempty"` // what the flow does
}

// Run verifies the rules of an engine. When ctx ends first, the report holds the finished
// products, and the error is ctx's.
func Run(ctx context.Context, e *ruleset.Engine, o *Options) (*Report, error) {
	if o == nil {
		o = &Options{}
	}
	jobs, err := products(e, o)
	if err != nil {
		return nil, err
	}
	done, errs := runAll(ctx, e, o, jobs)
	r := &Report{V: Version, Holds: true, Products: []Product{}}
	for _, p := range done {
		switch {
		case p == nil:
			r.Interrupted = true
		default:
			r.Products = append(r.Products, *p)
			r.Holds = r.Holds && p.Holds
		}
	}
	if ctx.Err() == nil || !r.Interrupted { // else errs say the same many times
		err = errs
	}
	if !r.Interrupted && err == nil && !o.VerdictOnly {
		err = r.proposeFixes(ctx, e, o)
	}
	if r.Interrupted {
		r.Holds = false
		err = errors.Join(err, ctx.Err())
	}
	return r, err
}

// job is a product to verify.
type job struct {
	payment   policy.Payment
	merchants []string
	looks     ruleset.Looks
	terms     string // the terms that the coarse model distinguishes
	at        int    // its place in the report
	product   *Product
	found     map[string]bool // violations that the product has
}

// products lists the products to verify. Merchants with equal rules for an operation share one.
func products(e *ruleset.Engine, o *Options) ([]*job, error) {
	names := o.Providers
	if len(names) == 0 {
		names = e.Catalogs.Names()
	}
	shipped, err := providers.Builtin()
	if err != nil {
		return nil, err
	}
	var jobs []*job
	for _, name := range names {
		cat, err := e.Catalogs.Get(name)
		if err != nil {
			return nil, err
		}
		merchants := o.Merchants
		if len(merchants) == 0 {
			was, _ := shipped.Get(name)
			merchants = append([]string{""}, merchantsOf(e.Rules, name, was != nil && was.Digest() == cat.Digest())...)
		}
		for _, op := range cat.Operations {
			if len(o.Operations) > 0 && !slices.Contains(o.Operations, op) {
				continue
			}
			p := policy.Payment{Provider: name, Operation: op, Amount: 120_000, Currency: "VND"}
			if jobs, err = addProducts(jobs, e, p, merchants); err != nil {
				return nil, err
			}
		}
	}
	return jobs, nil
}

// addProducts adds the products of one operation of a provider.
func addProducts(jobs []*job, e *ruleset.Engine, p policy.Payment, merchants []string) ([]*job, error) {
	alike := map[string]*job{}
	for _, m := range merchants {
		if !e.Rules.Uses(m, p.Provider) {
			continue
		}
		p.Merchant = m
		looks := e.Looks(&p)
		terms, err := termsKey(e, &p)
		if err != nil {
			return nil, err
		}
		key := alikeKey(&p, &looks) + terms + limitsKey(&looks, &e.Terms(&p).Limits)
		if j := alike[key]; j != nil {
			j.merchants = append(j.merchants, m)
			continue
		}
		alike[key] = &job{payment: p, merchants: []string{m}, looks: looks, terms: terms, at: len(jobs), found: map[string]bool{}}
		jobs = append(jobs, alike[key])
	}
	return jobs, nil
}

// merchantsOf returns the merchants with a file, less the shipped examples of whose rules for a provider nothing stands in the user's folder:
// they were proved when they were shipped. The others are in force beside the folder, for payments of a merchant of that name.
// Without a folder it returns them all. The catalogue is embedded, or not.
func merchantsOf(set *rules.Set, provider string, embedded bool) []string {
	own := slices.ContainsFunc(set.Files(), func(f *rules.File) bool { return !f.Builtin() })
	return slices.DeleteFunc(set.MerchantNames(), func(n string) bool {
		changed := slices.ContainsFunc(set.Layers(provider, n), func(f *rules.File) bool { return !f.Builtin() })
		return own && embedded && !changed
	})
}

// limitsKey is what a proof that counts rests on of a merchant's limits: those of what its rules look at; see [ground.countingModel].
func limitsKey(looks *ruleset.Looks, l *policy.Limits) (key string) {
	if looks.At["attempt"] {
		key += fmt.Sprint(" attempts ", l.MaxAttempts)
	}
	if looks.At["queries"] {
		key += fmt.Sprint(" queries ", l.MaxQueries)
	}
	if looks.At["elapsed"] {
		key += fmt.Sprint(" elapsed ", l.MaxElapsed)
	}
	return key
}

// alikeKey is everything of a merchant's rules that the model distinguishes.
func alikeKey(p *policy.Payment, l *ruleset.Looks) string {
	key := strings.Join(l.Rules, "\n")
	if l.At["merchant"] {
		key += p.Merchant
	}
	return key
}

// termsKey is everything of a merchant's terms that the coarse model distinguishes.
func termsKey(e *ruleset.Engine, p *policy.Payment) (string, error) {
	t := e.Terms(p)
	contract, err := json.Marshal(t.Contract)
	cat, _ := e.Catalog(p) // which a product has
	once, soon := t.Limits.MaxAttempts == 1, t.Limits.MaxElapsed <= repeatWindow(&t.Contract)
	return fmt.Sprint(string(contract), once, soon, cat.Digest()), err
}

// maxStates returns the bound of one product's states.
func (o *Options) maxStates() int {
	if o.MaxStates > 0 {
		return o.MaxStates
	}
	return DefaultMaxStates
}

func (c *Covered) add(s *search) {
	c.States += len(s.nodes)
	c.Steps += s.edges
	c.Depth = max(c.Depth, int(s.depth[len(s.depth)-1]))
	groups, classes := 0, 0
	for ph := range s.m.facts.classes {
		classes += len(s.m.facts.classes[ph])
		groups += len(s.m.facts.groups[ph])
	}
	c.Answers, c.Classes = max(c.Answers, groups), max(c.Classes, classes)
}

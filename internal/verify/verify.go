package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// Options selects what is verified, and how. The zero value verifies everything.
type Options struct {
	Providers  []string           // empty: every provider
	Merchants  []string           // empty: each with a file in the user's folder (without a folder, each shipped one), and "" for every other
	Operations []policy.Operation // empty: every operation that the provider offers

	// DistrustInferred treats a fact as unknown if it is inferred and not documented.
	DistrustInferred bool

	// MaxStates bounds the states of one product; 0 means DefaultMaxStates. A product with more
	// states is not proved.
	MaxStates int
	Workers   int // 0: one for each processor

	// VerdictOnly leaves out the stories and the proposed changes, which take far longer than the verdict.
	VerdictOnly bool

	// Known supplies proofs of earlier runs and stores new ones. Nil: everything is proved again.
	Known *Known

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
	Known     bool             `json:"known,omitempty"` // proved before, by this program on the same input
	Covered   Covered          `json:"covered"`

	Assumptions []string    `json:"assumptions"`
	Opaque      []string    `json:"opaque,omitempty"` // conditions that count as true and as false
	Unfinished  string      `json:"unfinished,omitempty"`
	Violations  []Violation `json:"violations,omitempty"`
}

// Covered says how much was visited.
type Covered struct {
	Payments int `json:"payments"` // kinds of payments: capture modes, currencies, amounts
	States   int `json:"states"`
	Steps    int `json:"steps"`
	Depth    int `json:"depth"`    // steps of the longest path to a new state
	Codes    int `json:"codes"`    // codes and statuses of the catalogue
	Answers  int `json:"answers"`  // combinations of them, under each HTTP status
	Classes  int `json:"classes"`  // of answers that prove the same and that no rule distinguishes
	Facts    int `json:"facts"`    // settled or pending facts of the catalogue for this operation
	Inferred int `json:"inferred"` // of those, how many rest on inference
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
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	done := make([]*Product, len(jobs))
	errs := make([]error, len(jobs))
	next := make(chan int)
	var mu sync.Mutex
	var wait sync.WaitGroup
	finished := 0
	for range min(workers, len(jobs)) {
		wait.Go(func() {
			for i := range next {
				p, err := jobs[i].verify(ctx, e, o)
				mu.Lock()
				done[i], errs[i] = p, err
				finished++
				if o.Progress != nil && err == nil {
					o.Progress(finished, len(jobs))
				}
				mu.Unlock()
			}
		})
	}
	for i := range jobs {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	r := &Report{V: Version, Holds: true, Products: []Product{}}
	for i, p := range done {
		switch {
		case p == nil:
			r.Interrupted = true
		default:
			r.Products = append(r.Products, *p)
			r.Holds = r.Holds && p.Holds
		}
		if errs[i] != nil && ctx.Err() == nil {
			err = errors.Join(err, errs[i])
		}
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
}

// products lists the products to verify. Merchants with equal rules for an operation share one.
func products(e *ruleset.Engine, o *Options) ([]*job, error) {
	names := o.Providers
	if len(names) == 0 {
		names = e.Catalogs.Names()
	}
	merchants := o.Merchants
	if len(merchants) == 0 {
		merchants = append([]string{""}, userMerchants(e.Rules)...)
	}
	var jobs []*job
	for _, name := range names {
		cat, err := e.Catalogs.Get(name)
		if err != nil {
			return nil, err
		}
		for _, op := range cat.Operations {
			if len(o.Operations) > 0 && !slices.Contains(o.Operations, op) {
				continue
			}
			alike := map[string]*job{}
			for _, m := range merchants {
				p := policy.Payment{Provider: name, Merchant: m, Operation: op, Amount: 120_000, Currency: "VND"}
				looks := e.Looks(&p)
				key, err := alikeKey(e, &p, &looks)
				if err != nil {
					return nil, err
				}
				if j := alike[key]; j != nil {
					j.merchants = append(j.merchants, m)
					continue
				}
				alike[key] = &job{payment: p, merchants: []string{m}, looks: looks}
				jobs = append(jobs, alike[key])
			}
		}
	}
	return jobs, nil
}

// userMerchants returns the merchants of the user's folder. It returns the shipped examples if the
// folder has no files.
func userMerchants(set *rules.Set) []string {
	names := set.MerchantNames()
	if !slices.ContainsFunc(set.Files(), func(f *rules.File) bool { return !f.Builtin() }) {
		return names
	}
	return slices.DeleteFunc(names, func(n string) bool { return set.Merchants[n].Builtin() })
}

// alikeKey is everything of a merchant's rules and terms that the coarse model distinguishes.
func alikeKey(e *ruleset.Engine, p *policy.Payment, l *ruleset.Looks) (string, error) {
	t := e.Terms(p)
	terms, err := json.Marshal(t.Contract)
	once, soon := t.Limits.MaxAttempts == 1, t.Limits.MaxElapsed <= repeatWindow(&t.Contract)
	key := fmt.Sprint(strings.Join(l.Rules, "\n"), string(terms), once, soon)
	if l.At["merchant"] {
		key += p.Merchant
	}
	return key, err
}

// verify searches one product: first coarsely, for a proof. What that finds is searched again
// exactly, for a trace.
func (j *job) verify(ctx context.Context, e *ruleset.Engine, o *Options) (*Product, error) {
	p := &Product{Provider: j.payment.Provider, Operation: j.payment.Operation, Merchants: j.merchants}
	name, err := j.key(e, o)
	if err != nil {
		return nil, err
	}
	if p.Covered, p.Known = o.Known.proved(name); !p.Known {
		if err := j.search(ctx, e, o, p); err != nil {
			return nil, err
		}
	}
	p.Holds = len(p.Violations) == 0 && p.Unfinished == ""
	if p.Holds && !p.Known {
		o.Known.add(name, p.Covered)
	}
	j.describe(e, p)
	return p, nil
}

// maxStates returns the bound of one product's states.
func (o *Options) maxStates() int {
	if o.MaxStates > 0 {
		return o.MaxStates
	}
	return DefaultMaxStates
}

// search looks for violations of a product's properties.
func (j *job) search(ctx context.Context, e *ruleset.Engine, o *Options, p *Product) error {
	known, verified := map[string]bool{}, map[string]bool{}
	for _, payment := range profiles(j.payment, &j.looks) {
		m, err := newModel(e, payment, true, o.DistrustInferred)
		if err != nil {
			return err
		}
		signature := m.paymentSignature()
		if verified[signature] {
			p.Covered.Payments++ // an equal one was verified
			continue
		}
		verified[signature] = true
		s := newSearch(m)
		s.maxStates = o.maxStates()
		switch err := s.run(ctx); {
		case errors.As(err, &errTooMany{}):
			p.Unfinished = fmt.Sprintf("not proved: more than %d states", o.maxStates())
		case err != nil:
			return err
		}
		p.Covered.add(s)
		for _, f := range s.found {
			if key := string(f.property) + f.rule; !known[key] {
				known[key] = true
				if o.VerdictOnly {
					p.Violations = append(p.Violations, Violation{Property: f.property, Rule: f.id, Source: f.rule, Why: f.why})
					continue
				}
				v, err := j.buildViolation(ctx, e, o, payment, s, &f)
				if err != nil {
					return err
				}
				p.Violations = append(p.Violations, *v)
			}
		}
	}
	return nil
}

func (c *Covered) add(s *search) {
	c.Payments++
	c.States += len(s.nodes)
	c.Steps += s.edges
	c.Depth = max(c.Depth, int(s.depth[len(s.depth)-1]))
	c.Answers = max(c.Answers, s.m.answerCount)
	classes := 0
	for _, h := range s.m.classes {
		classes += len(h)
	}
	c.Classes = max(c.Classes, classes)
}

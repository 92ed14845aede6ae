package ruleset

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

// Engine is rules compiled against catalogues. It is read-only and safe for
// concurrent use.
type Engine struct {
	Catalogs *providers.Catalogs
	Rules    *rules.Set
	Warnings policy.Mistakes // what is doubtful about rules that work

	ruleTables map[string]*ruleTables // by provider
	conditions map[*rules.Rule]*compiled
}

// Open reads the defaults and, where dir is not empty, the user's folder over them:
// providers/*.toml, the rules of each layer, merchants/*.toml. The error holds every
// mistake, one a line as FILE:LINE:COLUMN: …; it is a [policy.Mistakes].
func Open(dir string) (*Engine, error) {
	catalogs, err := providers.Builtin()
	if err != nil {
		return nil, err
	}
	var errs source.List
	var unread map[string]bool
	if dir != "" {
		unread = addCatalogs(&errs, catalogs, os.DirFS(dir), dir)
	}
	set, err := rules.Load(dir)
	errs.Join(dir, err)
	if set == nil {
		return nil, errs.Err()
	}
	return compileSet(catalogs, set, &errs, unread)
}

// OpenFS is Open for a file system in place of a folder. Mistakes name a file by its path.
func OpenFS(fsys fs.FS) (*Engine, error) {
	catalogs, err := providers.Builtin()
	if err != nil {
		return nil, err
	}
	var errs source.List
	unread := addCatalogs(&errs, catalogs, fsys, "")
	set, err := rules.LoadFS(fsys, "")
	errs.Join("", err)
	if set == nil {
		return nil, errs.Err()
	}
	return compileSet(catalogs, set, &errs, unread)
}

// addCatalogs reads the user's catalogues, and returns the names of those with mistakes.
func addCatalogs(errs *source.List, catalogs *providers.Catalogs, fsys fs.FS, root string) (unread map[string]bool) {
	var mistakes source.List
	mistakes.Join(root, catalogs.AddFS(fsys, root))
	unread = map[string]bool{}
	for _, m := range mistakes.Mistakes {
		unread[strings.TrimSuffix(filepath.Base(m.File), ".toml")] = true
	}
	errs.Join(root, mistakes.Err())
	return unread
}

// New compiles rules against catalogues. The error holds every mistake.
func New(catalogs *providers.Catalogs, set *rules.Set) (*Engine, error) {
	return compileSet(catalogs, set, &source.List{}, nil)
}

// compileSet compiles. Of the unread catalogues a mistake was noted already, so rules
// that rely on them are not looked at.
func compileSet(catalogs *providers.Catalogs, set *rules.Set, errs *source.List, unread map[string]bool) (*Engine, error) {
	e := &Engine{Catalogs: catalogs, Rules: set, ruleTables: map[string]*ruleTables{}}
	c := &compiler{e: e, errs: errs, done: map[*rules.Rule]*compiled{}, unread: unread}
	c.files()
	if err := errs.Err(); err != nil {
		return nil, err
	}
	e.conditions, e.Warnings = c.done, errs.Warnings.Sorted()
	for _, p := range append([]string{""}, catalogs.Names()...) {
		all := &ruleTables{rest: c.ruleTable(p, ""), own: map[string]*ruleTable{}}
		for _, m := range set.MerchantNames() {
			all.own[m] = c.ruleTable(p, m)
		}
		e.ruleTables[p] = all
	}
	return e, nil
}

type compiler struct {
	e    *Engine
	errs *source.List
	done map[*rules.Rule]*compiled

	unread map[string]bool
}

// files compiles every rule of every file once.
func (c *compiler) files() {
	names := c.e.Catalogs.Names()
	var all []*providers.Catalog
	for _, n := range names {
		cat, err := c.e.Catalogs.Get(n)
		if err == nil {
			all = append(all, cat)
		}
	}
	if c.e.Rules.Baseline != nil {
		c.file(c.e.Rules.Baseline, all, names)
	}
	for p, f := range c.e.Rules.Providers {
		cat, err := c.e.Catalogs.Get(p)
		if c.unread[p] {
			continue
		}
		if err != nil {
			c.errs.Add(source.Pos{File: f.Name, Line: 1}, "%s; a rules file is named after its provider", err)
			continue
		}
		c.file(f, []*providers.Catalog{cat}, names)
	}
	for _, f := range c.e.Rules.Merchants {
		c.file(f, all, names)
		if f.IdempotentKey && !anyKeyed(all) {
			c.errs.Add(f.IdempotentKeyPos, "no provider has an optional idempotency key")
		}
		for i, p := range f.Providers {
			if !slices.Contains(names, p) && !c.unread[p] {
				c.errs.Add(f.ProviderPos(i), "unknown provider %q%s", p, source.Suggest(p, slices.Clone(names)))
			}
		}
	}
}

func anyKeyed(all []*providers.Catalog) bool {
	for _, cat := range all {
		if _, ok := cat.WithIdempotencyKey(policy.Contract{}); ok {
			return true
		}
	}
	return false
}

func (c *compiler) file(f *rules.File, catalogs []*providers.Catalog, names []string) {
	for _, r := range f.Rules {
		if c.done[r] != nil {
			continue // of the engine that this one is a variant of
		}
		if k := compile(&checker{rule: r, catalogs: catalogs, known: names, uses: f.Providers, errs: c.errs}); k != nil {
			c.done[r] = k
		}
	}
}

// ruleTable joins the layers of one merchant at one provider.
func (c *compiler) ruleTable(provider, merchant string) *ruleTable {
	layers := c.e.Rules.Layers(provider, merchant)
	b := &ruleTable{zone: layers.Timezone()}
	constants := func(name string) any {
		switch {
		case name == "provider" && provider != "":
			return provider
		case name == "merchant" && merchant != "":
			return merchant
		}
		return nil // known only at decision time
	}
	for _, r := range layers.Rules() {
		k := c.done[r]
		if k == nil {
			continue
		}
		if k.excluded(constants) {
			b.layers = append(b.layers, listed{k, -1})
			continue
		}
		b.layers = append(b.layers, listed{k, len(b.entries)})
		b.entries = append(b.entries, entry{compiled: k.inTable(constants), decision: policy.Decision{
			Action: r.Then, Rule: r.ID, Source: r.Source(), Reason: r.Reason, Schedule: scheduleOf(layers, r),
		}})
	}
	poll := layers.Schedule("poll")
	b.none = policy.Decision{Action: policy.QueryStatus, Reason: "no rule holds, and something is in doubt", Schedule: poll}
	b.lost = policy.Decision{Action: policy.Escalate, Reason: "no rule holds"}
	for _, op := range policy.Operations() {
		b.terms[op] = policy.Terms{Contract: c.contract(provider, layers, op), Limits: layers.Limits(op), Poll: poll}
	}
	b.index()
	if cat, err := c.e.Catalogs.Get(provider); err == nil {
		b.catalog = cat
	}
	b.unused = !c.e.Rules.Uses(merchant, provider)
	return b
}

// excluded reports whether a rule can never hold in a rule table.
func (k *compiled) excluded(constants known) bool {
	for _, part := range k.constant {
		if holds(part, constants) == condition.No {
			return true
		}
	}
	return false
}

// inTable returns the rule as a rule table tries it: what the rule table does not settle of its
// conditions on provider and merchant is tried with the rest.
func (k *compiled) inTable(constants known) *compiled {
	for _, part := range k.constant {
		if holds(part, constants) != condition.Yes {
			return k.withConstants()
		}
	}
	return k
}

func scheduleOf(l rules.Layers, r *rules.Rule) *policy.Schedule {
	switch {
	case r.Schedule != "":
		if s := l.Schedule(r.Schedule); s != nil {
			return s
		}
		// A merchant's rule may name the schedule of one provider, and be tried at another.
		if r.Then.Sends() {
			return l.Schedule("retry")
		}
		return l.Schedule("poll")
	case r.Then == policy.QueryStatus:
		return l.Schedule("poll")
	case r.Then.Sends():
		return l.Schedule("retry")
	}
	return nil
}

func (c *compiler) contract(provider string, l rules.Layers, op policy.Operation) policy.Contract {
	var contract policy.Contract
	if cat, err := c.e.Catalogs.Get(provider); err == nil {
		contract = cat.Contract(op)
		if l.IdempotentKey() {
			contract, _ = cat.WithIdempotencyKey(contract)
		}
	}
	l.ApplyContract(op, &contract)
	return contract
}

func (e *Engine) ruleTable(p *policy.Payment) *ruleTable {
	all := e.ruleTables[p.Provider]
	if all == nil {
		all = e.ruleTables[""]
	}
	return all.of(p.Merchant)
}

// ruleTables are those of a provider.
type ruleTables struct {
	rest *ruleTable            // of merchants without a file, and of none
	own  map[string]*ruleTable // by merchant
}

func (b *ruleTables) of(merchant string) *ruleTable {
	if merchant != "" {
		if own := b.own[merchant]; own != nil {
			return own
		}
	}
	return b.rest
}

// ScheduleName returns the name of the schedule that a rule waits by in a payment's
// layers; empty when there is no such rule, or it waits for nothing.
func (e *Engine) ScheduleName(p *policy.Payment, rule string) string {
	for _, en := range e.ruleTable(p).entries {
		if en.rule.ID == rule && en.decision.Schedule != nil {
			return en.decision.Schedule.Name
		}
	}
	return ""
}

// Judge implements [policy.Decider]: it asks the provider's catalogue. An answer of
// a provider without one is unknown.
func (e *Engine) Judge(p *policy.Payment, a *policy.Answer) policy.Fact {
	return e.ruleTable(p).Judge(p, a)
}

// Decide implements [policy.Decider]: the first rule that holds, of the merchant's
// layer, the provider's and the baseline.
func (e *Engine) Decide(s *policy.Situation) policy.Decision { return e.ruleTable(s.Payment).decide(s) }

// Terms implements [policy.Decider].
func (e *Engine) Terms(p *policy.Payment) *policy.Terms { return &e.ruleTable(p).terms[p.Operation] }

// For returns the decider of a payment and of all others of its merchant at its provider. It
// decides as the engine does, and need not look for their rules each time. The error, beside
// it, is that of [Engine.Check].
func (e *Engine) For(p *policy.Payment) (policy.Decider, error) {
	b := e.ruleTable(p)
	return b, e.offers(b, p)
}

// Check says what is wrong with a payment before anything is sent: an unknown provider, one
// that the merchant's file leaves out, or an operation that the provider does not offer.
func (e *Engine) Check(p *policy.Payment) error { return e.offers(e.ruleTable(p), p) }

func (e *Engine) offers(b *ruleTable, p *policy.Payment) error {
	switch {
	case b.catalog == nil:
		_, err := e.Catalogs.Get(p.Provider)
		return err
	case b.unused:
		// Its rules are not proved at this provider.
		f := e.Rules.Merchants[p.Merchant]
		return fmt.Errorf("merchant %s does not use provider %s (%s: providers = %q)", p.Merchant, p.Provider, f.ProviderPos(0), f.Providers)
	case !b.catalog.Offers(p.Operation):
		return &NotOfferedError{Provider: p.Provider, Operation: p.Operation, Offered: b.catalog.Operations}
	}
	return nil
}

// NotOfferedError names an operation that a provider does not have.
type NotOfferedError struct {
	Provider  string
	Operation policy.Operation
	Offered   []policy.Operation
}

// Error names the operations that the provider has.
func (e *NotOfferedError) Error() string {
	return e.Provider + " does not offer " + e.Operation.String() + " (it offers: " + strings.Join(names(e.Offered), ", ") + ")"
}

package ruleset

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/recourse-pay/recourse/internal/bundle"
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
	places     lookup[*ruleTables]    // the same
	named      *setName
	conditions map[*rules.Rule]*compiled
}

// Open reads the defaults and, where dir is not empty, the user's folder over them, or a bundle of it:
// providers/*.toml, the rules of each layer, merchants/*.toml. The error holds every
// mistake, one a line as FILE:LINE:COLUMN: …; it is a [policy.Mistakes].
func Open(dir string) (*Engine, error) { return readAll(OpenLate(dir)) }

// readAll reads every catalogue now: a payment has no time for that.
func readAll(e *Engine, err error) (*Engine, error) {
	if err != nil {
		return nil, err
	}
	for _, name := range e.Catalogs.Names() {
		if _, err := e.Catalogs.Get(name); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// OpenLate is [Open] for commands that are about one answer: an embedded catalogue is read when something asks
// for it.
func OpenLate(dir string) (*Engine, error) {
	catalogs, err := providers.Builtin()
	if err != nil {
		return nil, err
	}
	var errs source.List
	var unread map[string]bool
	var set *rules.Set
	switch {
	case dir == "" || !bundle.Is(dir):
		if dir != "" {
			unread = addCatalogs(&errs, catalogs, os.DirFS(dir), dir)
		}
		set, err = rules.Load(dir)
	default:
		fsys, broken := bundle.Open(dir)
		if broken != nil {
			errs.Add(source.Pos{File: dir}, "%s", broken)
			return nil, errs.Err()
		}
		unread = addCatalogs(&errs, catalogs, fsys, dir)
		set, err = rules.LoadFS(fsys, dir)
	}
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
	return readAll(compileSet(catalogs, set, &errs, unread))
}

// filesOf are the files of a folder of rules, or of a bundle of one.
func filesOf(dir string) (fs.FS, error) {
	if bundle.Is(dir) {
		return bundle.Open(dir)
	}
	return os.DirFS(dir), nil
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
	e := &Engine{Catalogs: catalogs, Rules: set, ruleTables: map[string]*ruleTables{}, named: &setName{}}
	c := newCompiler(e, errs, map[*rules.Rule]*compiled{})
	c.unread = unread
	c.files()
	c.contradictions()
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
	e.index()
	if err := e.sample(); err != nil {
		return nil, err
	}
	return e, nil
}

type compiler struct {
	e      *Engine
	errs   *source.List
	done   map[*rules.Rule]*compiled
	unread map[string]bool

	texts    map[conditionText]*understood
	own      map[ownRules]*part
	below    map[string]*part  // by provider and what is disabled
	layers   map[string]*layer // by the content of their rules
	catalogs map[string]func() *providers.Catalog
}

func newCompiler(e *Engine, errs *source.List, done map[*rules.Rule]*compiled) *compiler {
	return &compiler{
		e: e, errs: errs, done: done, texts: map[conditionText]*understood{},
		own: map[ownRules]*part{}, below: map[string]*part{}, layers: map[string]*layer{}, catalogs: map[string]func() *providers.Catalog{},
	}
}

// files compiles every rule of every file once.
func (c *compiler) files() {
	names := c.e.Catalogs.Names()
	all := make([]namedCatalog, len(names))
	for i, n := range names {
		all[i] = namedCatalog{n, c.e.Catalogs.Later(n)}
	}
	if c.e.Rules.Baseline != nil {
		c.file(c.e.Rules.Baseline, all, names)
	}
	for p, f := range c.e.Rules.Providers {
		if c.unread[p] {
			continue
		}
		if !c.e.Catalogs.Has(p) {
			_, err := c.e.Catalogs.Get(p)
			c.errs.Add(source.Pos{File: f.Name, Line: 1}, "%s; a rules file is named after its provider", err)
			continue
		}
		c.file(f, []namedCatalog{{p, c.e.Catalogs.Later(p)}}, names)
	}
	for _, f := range c.e.Rules.Merchants {
		c.file(f, all, names)
		if f.IdempotentKey && !anyKeyed(all) {
			c.errs.Add(f.IdempotentKeyPos, "no provider has an optional idempotency key")
		}
		c.deployments(f, names)
		for i, p := range f.Providers {
			if !slices.Contains(names, p) && !c.unread[p] {
				c.errs.Add(f.ProviderPos(i), "unknown provider %q%s", p, source.Suggest(p, slices.Clone(names)))
			}
		}
	}
}

// deployments looks at where a merchant says that it meets its providers. The embedded merchants are checked by a test: to look here
// would read a whole catalogue at each start.
func (c *compiler) deployments(f *rules.File, names []string) {
	if f.Builtin() {
		return
	}
	for _, p := range slices.Sorted(maps.Keys(f.Deployments)) {
		cat, err := c.e.Catalogs.Get(p)
		if err != nil {
			if !c.unread[p] {
				c.errs.Add(f.DeploymentPos(p), "unknown provider %q%s", p, source.Suggest(p, slices.Clone(names)))
			}
			continue
		}
		known := cat.Deployments()
		switch at := f.Deployments[p]; {
		case len(known) == 0:
			c.errs.Add(f.DeploymentPos(p), "provider %s has no deployments", p)
		case at != "" && !slices.Contains(known, at):
			c.errs.Add(f.DeploymentPos(p), "provider %s has no deployment %q%s", p, at, source.Suggest(at, known))
		}
	}
}

// namedCatalog is a provider's catalogue, which is read when something asks for it.
type namedCatalog struct {
	name string
	read func() (*providers.Catalog, error)
}

func anyKeyed(all []namedCatalog) bool {
	return slices.ContainsFunc(all, func(n namedCatalog) bool {
		cat, err := n.read()
		if err != nil {
			return false
		}
		_, keyed := cat.WithIdempotencyKey(policy.Contract{})
		return keyed
	})
}

func (c *compiler) file(f *rules.File, catalogs []namedCatalog, names []string) {
	uses, of := strings.Join(f.Providers, ","), ""
	if len(catalogs) == 1 {
		of = catalogs[0].name
	}
	for _, r := range f.Rules {
		if c.done[r] != nil {
			continue // of the engine that this one is a variant of
		}
		text := conditionText{r.When, of, uses}
		if u := c.texts[text]; u != nil {
			c.done[r] = &compiled{r, u}
			continue
		}
		said := len(c.errs.Mistakes) + len(c.errs.Warnings)
		if k := compile(&checker{rule: r, catalogs: catalogs, known: names, uses: f.Providers, errs: c.errs, trusted: f.Builtin()}); k != nil {
			c.done[r] = k
			if said == len(c.errs.Mistakes)+len(c.errs.Warnings) && !f.Builtin() { // else each rule has to be named, or was not checked
				c.texts[text] = k.understood
			}
		}
	}
}

// conditionText is a condition and what it is checked against: the catalogue of a provider, or all, and
// the providers that the merchant uses.
type conditionText struct{ when, provider, uses string }

// ruleTable joins the layers of one merchant at one provider.
func (c *compiler) ruleTable(provider, merchant string) *ruleTable {
	set := c.e.Rules
	b := &ruleTable{provider: provider, merchant: merchant, layers: set.Layers(provider, merchant), conditions: c.done, named: c.e.named}
	b.zone, b.unused = b.layers.Timezone(), !set.Uses(merchant, provider)
	if c.e.Catalogs.Has(provider) {
		b.catalog = c.catalog(provider, merchant)
	}
	poll := b.layers.Schedule("poll")
	b.none = policy.Decision{Action: policy.QueryStatus, Reason: "no rule holds, and something is in doubt", Schedule: poll}
	b.lost = policy.Decision{Action: policy.Escalate, Reason: "no rule holds"}
	own := set.Merchants[merchant]
	if own != nil && len(own.Rules) > 0 {
		b.own = c.part(c.ownPart(own, provider), b.layers)
	}
	b.below = c.part(c.belowPart(provider, own), b.layers)
	b.weekday = b.below.weekday || b.own.layer != nil && b.own.weekday
	return b
}

// catalog reads a provider's catalogue when it is first called.
func (c *compiler) catalog(provider, merchant string) func() *providers.Catalog {
	at := c.e.Rules.Deployment(merchant, provider)
	key := provider + "\x00" + at
	if c.catalogs[key] == nil {
		read := c.e.Catalogs.Later(provider)
		c.catalogs[key] = sync.OnceValue(func() *providers.Catalog {
			cat, err := read()
			if err != nil {
				panic(err) // an embedded one, which the tests have read
			}
			if there, ok := cat.Deployment(at); ok {
				return there
			}
			return cat
		})
	}
	return c.catalogs[key]
}

// part is a shared part with the schedules of a merchant's layers.
func (c *compiler) part(shared *part, layers rules.Layers) part {
	p := *shared
	p.schedules = schedules(p.asked, layers, shared.schedules)
	if shared.schedules == nil {
		shared.schedules = p.schedules
	}
	return p
}

// ownPart is the part of a merchant's own file. Merchants whose rules are the same share the layer, and
// so do providers where no rule looks at the provider.
func (c *compiler) ownPart(f *rules.File, provider string) *part {
	of := ownRules{f, provider}
	if !c.looksAtProvider(f) {
		of.provider = ""
	}
	p := c.own[of]
	if p == nil {
		key := of.provider + "\x00" + content(f.Rules)
		if c.layers[key] == nil {
			c.layers[key] = newLayer(c.compiled(f.Rules), of.provider)
		}
		p = &part{layer: c.layers[key], decisions: decisionsOf(f.Rules)}
		c.own[of] = p
	}
	return p
}

// ownRules are the rules of a merchant's file at a provider.
type ownRules struct {
	file     *rules.File
	provider string
}

func (c *compiler) looksAtProvider(f *rules.File) bool {
	return slices.ContainsFunc(f.Rules, func(r *rules.Rule) bool {
		k := c.done[r]
		return k != nil && k.vars["provider"] != nil
	})
}

// content is all of some rules that a layer is made of.
func content(all []*rules.Rule) string {
	var b strings.Builder
	for _, r := range all {
		for _, text := range []string{r.ID, r.When, r.Schedule, r.Then.String()} {
			fmt.Fprintf(&b, "%d:%s", len(text), text)
		}
	}
	return b.String()
}

// belowPart is the part of a provider's rules and the baseline's, but for those that a merchant disables.
func (c *compiler) belowPart(provider string, own *rules.File) *part {
	key := fmt.Sprintf("%q", provider)
	disabled := map[string]bool{}
	if own != nil {
		for _, d := range own.Disable {
			disabled[d.ID] = true
		}
		for _, id := range slices.Sorted(maps.Keys(disabled)) {
			key += fmt.Sprintf("%q", id)
		}
	}
	p := c.below[key]
	if p == nil {
		all := slices.DeleteFunc(c.e.Rules.Layers(provider, "").Rules(), func(r *rules.Rule) bool { return disabled[r.ID] })
		p = &part{layer: newLayer(c.compiled(all), provider), decisions: decisionsOf(all)}
		c.below[key] = p
	}
	return p
}

func (c *compiler) compiled(all []*rules.Rule) []*compiled {
	done := make([]*compiled, len(all))
	for i, r := range all {
		done[i] = c.done[r]
	}
	return done
}

func decisionsOf(all []*rules.Rule) []policy.Decision {
	decisions := make([]policy.Decision, len(all))
	for i, r := range all {
		decisions[i] = decisionOf(r)
	}
	return decisions
}

// index prepares the look-ups of a decision.
func (e *Engine) index() {
	for _, all := range e.ruleTables {
		all.byName = newLookup(all.own)
	}
	e.places = newLookup(e.ruleTables)
}

func (e *Engine) ruleTable(p *policy.Payment) *ruleTable {
	all := e.places.find(p.Provider, hashOf(p.Provider))
	if all == nil {
		return e.ruleTables[""].of(p.Merchant)
	}
	return (*all).of(p.Merchant)
}

// ruleTables are those of a provider.
type ruleTables struct {
	rest   *ruleTable            // of merchants without a file, and of none
	own    map[string]*ruleTable // by merchant
	byName lookup[*ruleTable]    // the same
}

func (b *ruleTables) of(merchant string) *ruleTable {
	if merchant != "" {
		if own := b.byName.find(merchant, hashOf(merchant)); own != nil {
			return *own
		}
	}
	return b.rest
}

// ScheduleName returns the name of the schedule that a rule waits by in a payment's
// layers; empty when there is no such rule, or it waits for nothing.
func (e *Engine) ScheduleName(p *policy.Payment, rule string) string {
	for _, en := range e.ruleTable(p).view().entries {
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
func (e *Engine) Terms(p *policy.Payment) *policy.Terms { return e.ruleTable(p).Terms(p) }

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
	case !b.catalog().Offers(p.Operation):
		return &NotOfferedError{Provider: p.Provider, Operation: p.Operation, Offered: b.catalog().Operations}
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
